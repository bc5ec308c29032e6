package io.spillway.sweep.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.sweep.LocalSweepExecutor;
import io.spillway.sweep.Sweep;
import io.spillway.sweep.SweepExecutors;
import io.spillway.sweep.SweepPoint;
import io.spillway.sweep.SweepTask;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A cluster of real executor processes on this machine. The build sets `SPARK_HOME`.
class SparkSweepExecutorIT {
  private static final String CLUSTER = "local-cluster[2,1,1024]";

  @TempDir Path folder = Path.of("");

  /// Long enough that an executor is killed while it works, and a result that is checked.
  static final class Sum implements SweepTask {
    private static final long serialVersionUID = 1L;

    @Override
    public String run(SweepPoint point) throws InterruptedException {
      long n = Long.parseLong(point.values().getOrDefault("n", "0"));
      if (n == 5) {
        throw new IllegalArgumentException("five is refused");
      }
      Thread.sleep(700);
      return "{\"sum\": " + n * (n + 1) / 2 + "}";
    }
  }

  private static List<SweepPoint> points() {
    return IntStream.range(0, 12)
        .mapToObj(n -> new SweepPoint("sum to " + n, Map.of("n", String.valueOf(n))))
        .toList();
  }

  @Test
  void aKilledExecutorIsReplacedAndNoPointIsLostOrDoubled() {
    // given what threads of this process answer
    Sweep.Outcome local =
        Sweep.run(
            points(),
            new Sum(),
            new LocalSweepExecutor(12),
            folder.resolve("local.tsv"),
            Progress.silent());
    // when one of two executors is killed after the third point
    KillingExecutor killing = new KillingExecutor(SweepExecutors.of(CLUSTER, 1), 3);
    Sweep.Outcome cluster =
        Sweep.run(points(), new Sum(), killing, folder.resolve("spark.tsv"), Progress.silent());
    // then every point was heard of once and says the same
    assertThat(killing.killed()).hasSize(1);
    assertThat(killing.heard()).hasSize(12).doesNotHaveDuplicates();
    assertThat(cluster.results()).isEqualTo(local.results()).hasSize(11);
    assertThat(cluster.failures()).isEqualTo(local.failures()).containsOnlyKeys("sum to 5");
    // and the executor returned when the last executor process had ended
    assertThat(KillingExecutor.executors()).noneMatch(ProcessHandle::isAlive);
  }

  @Test
  void aNameThatNobodyOffersIsRefused() {
    assertThatThrownBy(() -> SweepExecutors.of("slurm", 1))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("'slurm'")
        .hasMessageContaining("local-cluster");
  }
}
