package io.spillway.sweep.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.sweep.LocalSweepExecutor;
import io.spillway.sweep.Sweep;
import io.spillway.sweep.SweepExecutor;
import io.spillway.sweep.SweepExecutors;
import io.spillway.sweep.SweepPoint;
import io.spillway.sweep.SweepTask;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
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

  private static List<ProcessHandle> executors() {
    return ProcessHandle.current()
        .descendants()
        .filter(p -> commandLine(p).contains("ExecutorBackend"))
        .toList();
  }

  /// The whole command line; [ProcessHandle] cuts a long class path off.
  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
    } catch (IOException e) {
      return ""; // it has ended
    }
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
    List<String> heard = Collections.synchronizedList(new ArrayList<>());
    List<Long> killed = new ArrayList<>();
    SweepExecutor spark = SweepExecutors.of(CLUSTER, 1);
    SweepExecutor killing =
        (points, task, listener) ->
            spark.run(
                points,
                task,
                new SweepExecutor.Listener() {
                  @Override
                  public void finished(SweepPoint point, String json) {
                    heard.add(point.id());
                    listener.finished(point, json);
                    if (heard.size() == 3) {
                      ProcessHandle one = executors().getFirst();
                      killed.add(one.pid());
                      one.destroyForcibly();
                    }
                  }

                  @Override
                  public void failed(SweepPoint point, String message) {
                    heard.add(point.id());
                    listener.failed(point, message);
                  }
                });
    Sweep.Outcome cluster =
        Sweep.run(points(), new Sum(), killing, folder.resolve("spark.tsv"), Progress.silent());
    // then every point was heard of once and says the same
    assertThat(killed).hasSize(1);
    assertThat(heard).hasSize(12).doesNotHaveDuplicates();
    assertThat(cluster.results()).isEqualTo(local.results()).hasSize(11);
    assertThat(cluster.failures()).isEqualTo(local.failures()).containsOnlyKeys("sum to 5");
    // and no executor is left
    assertThat(executors()).noneMatch(ProcessHandle::isAlive);
  }

  @Test
  void aNameThatNobodyOffersIsRefused() {
    assertThatThrownBy(() -> SweepExecutors.of("slurm", 1))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("'slurm'")
        .hasMessageContaining("local-cluster");
  }
}
