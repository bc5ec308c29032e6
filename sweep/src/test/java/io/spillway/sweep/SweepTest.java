package io.spillway.sweep;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepTest {
  @TempDir Path folder = Path.of("");

  private static List<SweepPoint> points(int n) {
    return IntStream.range(0, n)
        .mapToObj(i -> new SweepPoint("point " + i, Map.of("i", String.valueOf(i))))
        .toList();
  }

  private static final AtomicInteger RUNS = new AtomicInteger();

  private static String square(SweepPoint point) {
    RUNS.incrementAndGet();
    int i = Integer.parseInt(point.values().getOrDefault("i", "0"));
    if (i == 3 && RUNS.get() <= 8) {
      throw new IllegalStateException("three is refused the first time");
    }
    return "{\"square\": " + i * i + "}";
  }

  @Test
  void finishedPointsAreKeptAndFailedOnesTriedAgain() throws IOException {
    // given a sweep of eight points of which one fails
    Path store = folder.resolve("store.tsv");
    RUNS.set(0);
    Sweep.Outcome first =
        Sweep.run(
            points(8), SweepTest::square, new LocalSweepExecutor(1), store, Progress.silent());
    assertThat(first.failures()).containsOnlyKeys("point 3");
    assertThat(first.results()).hasSize(7);
    // when the store was cut in the middle of its last line and the sweep is called again
    Files.writeString(store, "point 9\t{\"squ", java.nio.file.StandardOpenOption.APPEND);
    Sweep.Outcome second =
        Sweep.run(
            points(8), SweepTest::square, new LocalSweepExecutor(2), store, Progress.silent());
    // then only the failed point runs
    assertThat(RUNS.get()).isEqualTo(9);
    assertThat(second.kept()).isEqualTo(7);
    assertThat(second.failures()).isEmpty();
    assertThat(second.results()).containsEntry("point 3", "{\"square\": 9}").hasSize(8);
  }

  @Test
  void twoPointsOfOneNameAreRefused() {
    List<SweepPoint> twice = List.of(new SweepPoint("a", Map.of()), new SweepPoint("a", Map.of()));
    assertThatThrownBy(() ->
            Sweep.run(
                twice,
                p -> "{}",
                new LocalSweepExecutor(1),
                folder.resolve("x"),
                Progress.silent()))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("'a'");
  }
}
