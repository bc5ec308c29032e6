package io.spillway.cli.house;

import io.spillway.platform.AtomicFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/// Copies a jar, giving class files from before Java 6 the stack maps and the version of Java 8.
///
/// HotSpot verifies such old classes with its slow first verifier and keeps them out of its cache
/// of linked classes, so the library that reads the command line cost every start 40 ms. The
/// instructions stay as they are. The launcher runs this once a build and does without the copy if
/// that fails.
public final class ModernClasses {
  /// The first class-file version that must have stack maps.
  private static final int WITH_STACK_MAPS = 50;

  private static final int JAVA_8 = 52;

  private ModernClasses() {}

  /// `args`: the jar to read, which must be on the class path, and the jar to write.
  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: ModernClasses JAR COPY");
      System.exit(2);
    }
    try (InputStream in = Files.newInputStream(Path.of(args[0]))) {
      AtomicFiles.writeBytes(Path.of(args[1]), convert(in));
    }
  }

  /// The copy of a jar.
  static byte[] convert(InputStream jar) throws IOException {
    ClassFile context =
        ClassFile.of(
            ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
            ClassFile.ClassHierarchyResolverOption.of(
                ClassHierarchyResolver.ofResourceParsing(ModernClasses.class.getClassLoader())
                    .orElse(ClassHierarchyResolver.defaultResolver())));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipInputStream in = new ZipInputStream(jar);
        ZipOutputStream out = new ZipOutputStream(bytes)) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        ZipEntry copy = new ZipEntry(entry.getName());
        copy.setTime(entry.getTime());
        out.putNextEntry(copy);
        byte[] content = in.readAllBytes();
        out.write(entry.getName().endsWith(".class") ? modern(context, content) : content);
        out.closeEntry();
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] modern(ClassFile context, byte[] content) {
    ClassModel model = context.parse(content);
    if (model.majorVersion() >= WITH_STACK_MAPS) {
      return content;
    }
    // each instruction is handed on by itself, so that the code is built, and its maps found, anew
    ClassTransform code = ClassTransform.transformingMethodBodies((to, e) -> to.with(e));
    return context.transformClass(
        model, code.andThen((to, e) -> to.with(e instanceof ClassFileVersion ? java8() : e)));
  }

  private static ClassFileVersion java8() {
    return ClassFileVersion.of(JAVA_8, 0);
  }
}
