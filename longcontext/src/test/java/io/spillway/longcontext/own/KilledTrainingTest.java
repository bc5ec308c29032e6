package io.spillway.longcontext.own;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Trainings that are killed (SIGKILL) go on from their checkpoint and end with the same bytes as
/// one in a piece.
class KilledTrainingTest {
  @TempDir Path folder;

  @Test
  void ourModelEndsAsTrainedInAPiece() throws Exception {
    Path broken = folder.resolve("broken");
    Path checkpoint = broken.resolve("training.checkpoint");
    for (int kill = 0; kill < 2; kill++) {
      killAfterTheNextCheckpoint(KilledTrainings.MODEL, broken, checkpoint);
    }
    KilledTrainings.run(KilledTrainings.MODEL, broken);
    Path whole = folder.resolve("whole");
    KilledTrainings.run(KilledTrainings.MODEL, whole);

    assertThat(checkpoint).doesNotExist();
    assertThat(broken.resolve("model.safetensors"))
        .hasSameBinaryContentAs(whole.resolve("model.safetensors"));
  }

  @Test
  void headsEndAsTrainedInAPiece() throws Exception {
    Path broken = folder.resolve("broken.safetensors");
    Path checkpoint = folder.resolve("broken.safetensors.checkpoint");
    killAfterTheNextCheckpoint(KilledTrainings.HEADS, broken, checkpoint);
    assertThat(broken).doesNotExist();
    KilledTrainings.run(KilledTrainings.HEADS, broken);
    Path whole = folder.resolve("whole.safetensors");
    KilledTrainings.run(KilledTrainings.HEADS, whole);

    assertThat(checkpoint).doesNotExist();
    assertThat(broken).hasSameBinaryContentAs(whole);
  }

  private static void killAfterTheNextCheckpoint(String which, Path out, Path checkpoint)
      throws Exception {
    FileTime before = written(checkpoint);
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "--add-modules",
                    "jdk.incubator.vector",
                    "-XX:+UseSerialGC",
                    "-Xmx512m",
                    "-cp",
                    System.getProperty("java.class.path"),
                    KilledTrainings.class.getName(),
                    which,
                    out.toString()))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
      while (process.isAlive()
          && written(checkpoint).equals(before)
          && System.nanoTime() < deadline) {
        Thread.sleep(1);
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(process.exitValue()).as("128 + SIGKILL").isEqualTo(137);
    assertThat(checkpoint).exists();
  }

  private static FileTime written(Path checkpoint) throws IOException {
    return Files.exists(checkpoint)
        ? Files.getLastModifiedTime(checkpoint)
        : FileTime.fromMillis(0);
  }
}
