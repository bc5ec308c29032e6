package io.spillway.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.training.engine.Pace;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

final class SteadyTimingTest {
  private static void rest(double seconds) {
    Pace.until(System.nanoTime() + (long) (seconds * 1e9));
  }

  @Test
  void outliersDoNotMoveTheMedianAndAWideGroupIsToldSo() {
    SteadyTiming steady = SteadyTiming.of(new double[] {1, 1.02, 0.99, 9, 1.01, 1, 0.1});
    assertThat(steady.seconds()).isEqualTo(1);
    assertThat(steady.isSteady()).isTrue();
    SteadyTiming wide = SteadyTiming.of(new double[] {1, 2, 3, 4, 5, 6, 7});
    assertThat(wide.seconds()).isEqualTo(4);
    assertThat(wide.isSteady()).isFalse();
    assertThat(SteadyTiming.widest(List.of(steady, wide))).isEqualTo(wide.spread());
  }

  @Test
  void slowFirstRunsAndADisturbedGroupDoNotCount() {
    AtomicInteger runs = new AtomicInteger();
    // fifteen slow runs as before compilation, later a disturbance of each second run
    SteadyTiming timing =
        SteadyTiming.of(
            () -> {
              int n = runs.incrementAndGet();
              rest(n <= 15 ? 0.02 : n > 200 && n < 215 && n % 2 == 0 ? 0.03 : 0.004);
            },
            7,
            400_000_000L);
    assertThat(timing.seconds()).isBetween(0.004, 0.015);
  }

  @Test
  void worksThatRunTogetherAreTimedEach() {
    List<SteadyTiming> both =
        SteadyTiming.together(100_000_000L, () -> rest(0.002), () -> rest(0.010));
    assertThat(both).hasSize(2);
    assertThat(both.get(0).seconds()).isLessThan(both.get(1).seconds());
    assertThat(both.get(1).seconds()).isCloseTo(0.010, within(0.009));
  }
}
