package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.launch.LaunchSpec;
import io.spillway.platform.launch.RankLauncher;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Real processes that share one image over Gloo.
@Timeout(150)
final class GlooRanksIT {
  private final Map<Integer, List<String>> said = new ConcurrentHashMap<>();
  private final List<String> errors = new CopyOnWriteArrayList<>();

  private volatile long died;

  private RankLauncher.Outcome run(int ranks, String strategies, int dies)
      throws InterruptedException {
    LaunchSpec spec =
        LaunchSpec.local(
            ranks,
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                RenderProgram.class.getName(),
                strategies,
                String.valueOf(dies)));
    return RankLauncher.run(
        spec,
        (rank, error, text) -> {
          if (text.startsWith("rank dies")) {
            died = System.nanoTime();
          }
          if (error) {
            errors.add(text);
          } else if (!text.startsWith("[Gloo]")) {
            said.computeIfAbsent(rank, _ -> new CopyOnWriteArrayList<>()).add(text);
          }
        });
  }

  @Test
  void processesDrawTheSameAsThreadsAndSendWhatTheFormulaSays() throws InterruptedException {
    assertThat(run(2, "distrifusion,pcpp,pcpp-pool-x,ulysses,ring", -1).explanation()).isEmpty();
    for (int r = 0; r < 2; r++) {
      assertThat(said.get(r))
          .containsExactly(
              "distrifusion same counted",
              "pcpp same counted",
              "pcpp-pool-x same counted",
              "ulysses same counted",
              "ring same counted");
    }
  }

  @Test
  void aProcessThatDiesEndsTheJobWithAClearMessage() throws InterruptedException {
    RankLauncher.Outcome outcome = run(2, "pcpp", 1);
    // whichever end is noticed first is named: the dead rank, or the one that lost its peer
    assertThat(outcome.explanation()).containsPattern("rank 1|connection to a peer was lost");
    assertThat(outcome.exitStatus()).isNotZero();
    assertThat(died).isNotZero();
    assertThat((System.nanoTime() - died) / 1e9).isLessThan(10);
  }
}
