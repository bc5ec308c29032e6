package io.spillway.platform.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RankLauncherIT {
  private final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();

  private RankLauncher.Outcome run(LaunchSpec spec) throws InterruptedException {
    return RankLauncher.run(
        spec, (rank, error, text) -> lines.add(rank + (error ? "! " : ": ") + text));
  }

  private static LaunchSpec shell(int ranks, String script) {
    return LaunchSpec.local(ranks, List.of("sh", "-c", script));
  }

  @Test
  void givesEachRankItsPlace() throws InterruptedException {
    LaunchSpec one =
        shell(
                2,
                "echo $RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE $MASTER_ADDR:$MASTER_PORT $X")
            .withEnvironment(Map.of("X", "y"));
    LaunchSpec spec =
        new LaunchSpec(
            one.command(), 2, 3, 1, "10.0.0.9", 4711, one.environment(), List.of(), one.grace());
    assertThat(run(spec)).isEqualTo(new RankLauncher.Outcome(0, -1, List.of()));
    assertThat(lines)
        .containsExactlyInAnyOrder("2: 2/6 0/2 10.0.0.9:4711 y", "3: 3/6 1/2 10.0.0.9:4711 y");
  }

  @Test
  void aDeadRankEndsTheJobWithItsLastLines() throws InterruptedException {
    long begin = System.nanoTime();
    RankLauncher.Outcome outcome =
        run(shell(3, "if [ $RANK = 1 ]; then seq 1 20; echo no memory >&2; exit 7; fi; sleep 50"));
    assertThat(outcome.exitStatus()).isEqualTo(7);
    assertThat(outcome.failedRank()).isEqualTo(1);
    assertThat(outcome.lastLines()).containsExactly("17", "18", "19", "20", "no memory");
    assertThat(outcome.explanation()).startsWith("rank 1 ended with status 7; its last lines:");
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
  }

  @Test
  void killsRanksThatIgnoreBeingAsked() throws InterruptedException {
    LaunchSpec spec =
        shell(2, "trap '' TERM; echo $$; if [ $RANK = 0 ]; then sleep 1; kill -9 $$; fi; sleep 40");
    LaunchSpec hasty =
        new LaunchSpec(
            spec.command(),
            2,
            1,
            0,
            spec.masterAddr(),
            spec.masterPort(),
            Map.of(),
            List.of(),
            Duration.ofMillis(300));
    RankLauncher.Outcome outcome = run(hasty);
    assertThat(outcome.explanation()).startsWith("rank 0 was ended by signal 9");
    assertThat(lines).hasSize(2);
    for (String line : lines) {
      ProcessHandle.of(Long.parseLong(line.substring(3)))
          .ifPresent(p -> p.onExit().orTimeout(10, java.util.concurrent.TimeUnit.SECONDS).join());
    }
  }

  @Test
  void passesEachRankItsPrefix() throws InterruptedException {
    LaunchSpec spec = shell(2, "echo $0 $PLACE");
    run(
        new LaunchSpec(
            spec.command(),
            2,
            1,
            0,
            "127.0.0.1",
            spec.masterPort(),
            Map.of(),
            List.of(List.of("env", "PLACE=a"), List.of("env", "PLACE=b")),
            LaunchSpec.DEFAULT_GRACE));
    assertThat(lines).containsExactlyInAnyOrder("0: sh a", "1: sh b");
  }

  @Test
  void refusesWhatCannotRun() {
    assertThatThrownBy(() -> run(LaunchSpec.local(1, List.of("/no/such/program"))))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("/no/such/program");
    assertThatThrownBy(() -> LaunchSpec.local(0, List.of("true")))
        .hasMessageContaining("--nproc 0");
    assertThatThrownBy(() -> LaunchSpec.local(1, List.of())).hasMessageContaining("after --");
  }

  @Test
  void readsTheEnvironmentBack() {
    RankEnvironment rank = new RankEnvironment(3, 8, 1, "node7", 29_500);
    assertThat(RankEnvironment.from(rank.variables())).isEqualTo(rank);
    assertThatThrownBy(() -> RankEnvironment.from(Map.of("RANK", "0")))
        .hasMessageContaining("WORLD_SIZE is not set");
    assertThatThrownBy(() -> RankEnvironment.from(Map.of("RANK", "x", "WORLD_SIZE", "2")))
        .hasMessageContaining("RANK=x is no whole number");
    assertThatThrownBy(() -> new RankEnvironment(8, 8, 0, "a", 1)).hasMessageContaining("RANK=8");
    assertThatThrownBy(() -> new RankEnvironment(0, 8, 0, "a", 70_000))
        .hasMessageContaining("MASTER_PORT=70000");
  }
}
