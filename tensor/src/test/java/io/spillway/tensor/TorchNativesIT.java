package io.spillway.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// On a machine's first run, with another libtorch installed, ours alone is loaded.
class TorchNativesIT {
  @TempDir Path folder;

  /// Prints the path of every loaded library of libtorch, and a sum.
  static final class FirstRun {
    public static void main(String[] args) throws Exception {
      System.out.println("sum " + Tensors.floats(Tensors.of(new float[] {1, 2}, 2).sum())[0]);
      try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
        maps.filter(line -> line.contains("/libtorch") || line.contains("/libc10"))
            .map(line -> line.substring(line.indexOf('/')))
            .distinct()
            .forEach(System.out::println);
      }
    }
  }

  @Test
  void anInstalledLibtorchIsNotMixedIn() throws Exception {
    // given an empty cache, and a libtorch of another version where the linker looks: harmless
    // libraries of these names stand for it, as a real one ends the process
    Path cache = folder.resolve("cache");
    Path installed = Files.createDirectory(folder.resolve("installed"));
    Torch.load();
    Path harmless;
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      harmless =
          Path.of(
              maps.filter(line -> line.contains("/libgomp"))
                  .map(line -> line.substring(line.indexOf('/')))
                  .findFirst()
                  .orElseThrow());
    }
    for (String name : List.of("libtorch_cpu.so", "libtorch.so", "libc10.so")) {
      Files.copy(harmless, installed.resolve(name));
    }
    // when a process uses libtorch for the first time
    Path output = folder.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.bytedeco.javacpp.cachedir=" + cache,
                "-cp",
                System.getProperty("java.class.path"),
                FirstRun.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().put("LD_LIBRARY_PATH", installed.toString());
    Process process = builder.start();
    boolean ended = process.waitFor(180, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertThat(ended).isTrue();
    // then it works, and has loaded ours alone
    String text = Files.readString(output);
    assertThat(process.exitValue()).as(text).isZero();
    assertThat(text).contains("sum 3.0");
    assertThat(text.lines().filter(line -> line.startsWith("/")))
        .hasSize(3)
        .allMatch(line -> line.startsWith(cache.toString()));
  }
}
