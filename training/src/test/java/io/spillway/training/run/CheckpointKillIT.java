package io.spillway.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A run that is killed (SIGKILL) at random moments, most of them within a write, goes on from its
/// newest checkpoint with the same losses, bit for bit.
final class CheckpointKillIT {
  private static final int KILLS = 50;

  @TempDir Path folder;

  @Test
  void fiftyKillsChangeNoLoss() throws Exception {
    Path broken = Files.createDirectory(folder.resolve("broken"));
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(5);
    for (int kill = 0; kill < KILLS; kill++) {
      Process process = start(broken);
      // a step is taken only after the checkpoint before the last is complete, so two steps or more
      // mean progress; the kill comes at a random moment of the write that follows
      long before = lines(broken);
      long wanted = before + 2 + random.nextInt(3);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (process.isAlive() && lines(broken) < wanted && System.nanoTime() < deadline) {
        Thread.sleep(2);
      }
      Thread.sleep(random.nextInt(30));
      process.destroyForcibly().waitFor();
      assertThat(lines(broken)).as("life " + kill + " took no step").isGreaterThan(before);
    }
    Map<Long, String> losses = new HashMap<>();
    for (String line : Files.readAllLines(broken.resolve("losses"))) {
      String[] parts = line.split(" ");
      if (parts.length == 2 && parts[1].length() == 16) {
        String earlier = losses.put(Long.parseLong(parts[0]), parts[1]);
        assertThat(earlier == null || earlier.equals(parts[1]))
            .as("step " + parts[0] + " repeated with another loss")
            .isTrue();
      }
    }
    assertThat(losses.size()).isGreaterThan(KILLS / 2);
    // the same run in one life
    Path whole = Files.createDirectory(folder.resolve("whole"));
    long last = losses.keySet().stream().mapToLong(Long::longValue).max().orElseThrow();
    KillProgram.run(whole, last + 1);
    for (String line : Files.readAllLines(whole.resolve("losses"))) {
      String[] parts = line.split(" ");
      String seen = losses.get(Long.parseLong(parts[0]));
      if (seen != null) {
        assertThat(seen).as("step " + parts[0]).isEqualTo(parts[1]);
      }
    }
    assertThat(new Checkpoints(whole, 2).all()).hasSize(2);
  }

  private static long lines(Path folder) throws java.io.IOException {
    Path file = folder.resolve("losses");
    return Files.isRegularFile(file) ? Files.readAllLines(file).size() : 0;
  }

  private static Process start(Path folder) throws java.io.IOException {
    return new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                KillProgram.class.getName(),
                folder.toString(),
                "100000"))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
