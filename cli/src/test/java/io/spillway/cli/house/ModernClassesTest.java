package io.spillway.cli.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ModernClassesTest {
  private static Map<String, byte[]> entries(byte[] jar) throws IOException {
    Map<String, byte[]> found = new LinkedHashMap<>();
    try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(jar))) {
      for (ZipEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
        found.put(e.getName(), in.readAllBytes());
      }
    }
    return found;
  }

  @Test
  void everyOldClassIsModernAndPassesTheNewVerifier() throws Exception {
    Path jar =
        Path.of(CommandLine.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Map<String, byte[]> old = entries(Files.readAllBytes(jar));
    Map<String, byte[]> copy;
    try (InputStream in = Files.newInputStream(jar)) {
      copy = entries(ModernClasses.convert(in));
    }

    assertThat(copy.keySet()).containsExactlyElementsOf(old.keySet());
    Map<String, byte[]> classes = new HashMap<>();
    int changed = 0;
    for (var e : copy.entrySet()) {
      byte[] before = old.get(e.getKey());
      if (!e.getKey().endsWith(".class") || e.getKey().endsWith("module-info.class")) {
        assertThat(e.getValue()).isEqualTo(before);
        continue;
      }
      ClassModel was = ClassFile.of().parse(before);
      ClassModel is = ClassFile.of().parse(e.getValue());
      assertThat(is.majorVersion()).as(e.getKey()).isGreaterThanOrEqualTo(50);
      assertThat(calls(is)).as(e.getKey()).isEqualTo(calls(was));
      changed += was.majorVersion() < 50 ? 1 : 0;
      classes.put(e.getKey().replace('/', '.').replaceFirst("\\.class$", ""), e.getValue());
    }
    assertThat(changed).isGreaterThan(100);
    verify(classes);
  }

  /// The methods that each method calls, in order.
  private static List<String> calls(ClassModel model) {
    List<String> all = new ArrayList<>();
    for (MethodModel method : model.methods()) {
      all.add(method.methodName().stringValue() + method.methodType().stringValue());
      method
          .code()
          .ifPresent(code ->
              code.forEach(e -> {
                if (e instanceof InvokeInstruction call) {
                  all.add(call.owner().asInternalName() + call.name() + call.type());
                }
              }));
    }
    return all;
  }

  /// Links every class in a loader of its own, which verifies it.
  private static void verify(Map<String, byte[]> classes) throws ClassNotFoundException {
    ClassLoader loader =
        new ClassLoader(ModernClassesTest.class.getClassLoader()) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            byte[] bytes = classes.get(name);
            if (bytes == null) {
              return super.loadClass(name, resolve);
            }
            Class<?> known = findLoadedClass(name);
            return known != null ? known : defineClass(name, bytes, 0, bytes.length);
          }
        };
    for (String name : classes.keySet()) {
      Class.forName(name, true, loader);
    }
    assertThat(loader.loadClass("picocli.CommandLine").getClassLoader()).isSameAs(loader);
  }
}
