package io.spillway.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A training that is killed (SIGKILL) goes on from its checkpoint and ends with the same weights,
/// averages and moments as one in a piece.
final class KilledTrainingTest {
  @TempDir private Path folder;

  @Test
  void aKilledTrainingEndsAsOneInAPiece() throws Exception {
    Path broken = folder.resolve("broken");
    killAfterTheNextCheckpoint(broken);
    killAfterTheNextCheckpoint(broken);
    long reached = Long.parseLong(about(broken).getOrDefault("step", ""));
    assertThat(reached).isPositive().isLessThan(KilledTraining.STEPS);
    KilledTraining.to(KilledTraining.STEPS, broken);
    Path whole = folder.resolve("whole");
    KilledTraining.to(KilledTraining.STEPS, whole);

    Map<String, float[]> expected = tensors(whole);
    Map<String, float[]> actual = tensors(broken);
    assertThat(about(broken)).containsEntry("step", String.valueOf(KilledTraining.STEPS));
    assertThat(actual.keySet()).isNotEmpty().isEqualTo(expected.keySet());
    expected.forEach((name, values) -> assertThat(actual.get(name)).as(name).isEqualTo(values));
  }

  private static Path checkpoint(Path folder) {
    return folder.resolve("checkpoint.safetensors");
  }

  private static Map<String, String> about(Path folder) {
    try (Weights saved = Weights.open(checkpoint(folder))) {
      return saved.model().metadata();
    }
  }

  private static Map<String, float[]> tensors(Path folder) {
    try (Weights saved = Weights.open(checkpoint(folder));
        TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Map<String, float[]> values = new TreeMap<>();
      saved.names().forEach(n -> values.put(n, Tensors.floats(saved.tensor(n))));
      return values;
    }
  }

  private static void killAfterTheNextCheckpoint(Path folder) throws Exception {
    FileTime before = written(folder);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                KilledTraining.class.getName(),
                folder.toString())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
      while (process.isAlive() && written(folder).equals(before) && System.nanoTime() < deadline) {
        Thread.sleep(1);
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(process.exitValue()).as("128 + SIGKILL").isEqualTo(137);
    assertThat(checkpoint(folder)).exists();
  }

  private static FileTime written(Path folder) throws IOException {
    Path file = checkpoint(folder);
    return Files.exists(file) ? Files.getLastModifiedTime(file) : FileTime.fromMillis(0);
  }
}
