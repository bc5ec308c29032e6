package io.spillway.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.launch.LaunchSpec;
import io.spillway.platform.launch.RankLauncher;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Real processes that share the optimizer (ZeRO stage 1) over Gloo.
@Timeout(240)
final class RanksIT {
  @TempDir Path folder;
  private final List<String> said = new CopyOnWriteArrayList<>();

  private RankLauncher.Outcome launch(int ranks, String... args) throws InterruptedException {
    said.clear();
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-modules",
                "jdk.incubator.vector",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                RanksProgram.class.getName(),
                folder.toString()));
    command.addAll(List.of(args));
    return RankLauncher.run(
        LaunchSpec.local(ranks, command), (rank, error, text) -> said.add(text));
  }

  private double[] losses() {
    String line =
        said.stream()
            .filter(l -> l.startsWith("losses"))
            .findFirst()
            .orElseThrow(() -> new AssertionError(String.join("\n", said)));
    return Arrays.stream(line.replaceAll("[^0-9.,E-]", "").split(","))
        .mapToDouble(Double::parseDouble)
        .toArray();
  }

  @Test
  void ranksLearnAsOneProcessDoesAndResumeOnOtherNumbers() throws Exception {
    assertThat(launch(1, "one", "4", "false", "4", "0").explanation()).isEmpty();
    double[] alone = losses();
    assertThat(launch(2, "two", "4", "false", "2", "0").explanation()).isEmpty();
    double[] shared = losses();
    assertThat(shared).hasSize(4);
    for (int i = 0; i < 4; i++) {
      // the same sequences in another order of summation
      assertThat(shared[i]).isCloseTo(alone[i], within(0.03));
    }
    // two ranks saved, one goes on
    assertThat(launch(1, "two", "6", "true", "4", "0").explanation()).isEmpty();
    assertThat(losses()).hasSize(2);
    assertThat(Checkpoints.read(folder.resolve("two/checkpoint-6")).ranks()).isEqualTo(1);
  }

  @Test
  void aKilledRankEndsTheJobAndLeavesTheCheckpoint() throws Exception {
    RankLauncher.Outcome outcome = launch(2, "killed", "50", "false", "2", "3");
    assertThat(outcome.exitStatus()).isNotZero();
    assertThat(outcome.explanation()).contains("rank");
    TrainState state = Checkpoints.read(folder.resolve("killed/checkpoint-2"));
    assertThat(state.step()).isEqualTo(2);
    assertThat(Files.exists(folder.resolve("killed/checkpoint-4"))).isFalse();
  }
}
