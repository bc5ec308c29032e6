package io.spillway.training.optimizer;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.Precision;
import io.spillway.testkit.Cases;
import io.spillway.training.plan.Lane;
import io.spillway.training.plan.Schedule;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every schedule gives the bits of plain Adam.
final class ExactnessTest {
  @TempDir Path folder;

  private static OptimizerOptions options(
      MasterLayout master, double maxNorm, Optional<Path> file, boolean eager, Precision p) {
    return new OptimizerOptions(
        new AdamSettings(0.9, 0.99, 1e-8, 0.05, true),
        p,
        p,
        master,
        maxNorm,
        2,
        Double.POSITIVE_INFINITY,
        2,
        2,
        file,
        Double.POSITIVE_INFINITY,
        eager,
        Long.MAX_VALUE);
  }

  private static List<Schedule> schedules() {
    return List.of(
        new Schedule.Fraction(0, 0),
        new Schedule.Fraction(1, 0),
        new Schedule.Fraction(0.37, 0.21),
        new Schedule.Fraction(0.5, 0),
        new Schedule.Stride(1),
        new Schedule.Stride(2),
        new Schedule.Stride(3),
        new Schedule.ZeroOffload(),
        new Schedule.TwinFlow(0.6),
        new Schedule.AllGpu());
  }

  @Test
  void everyScheduleSubgroupSizeAndClippingGivesTheBitsOfPlainAdam() {
    int n = 9000;
    for (double maxNorm : new double[] {1.0, Double.POSITIVE_INFINITY}) {
      SyntheticRun run =
          new SyntheticRun(
              n, 4, options(MasterLayout.FULL, maxNorm, Optional.empty(), false, Precision.BF16));
      SyntheticRun.Outcome plain = run.plain();
      for (Schedule schedule : schedules()) {
        // 1500 divides n into 6 (divisible by the strides), 1234 leaves a short last subgroup
        for (long size : new long[] {1500, 1234, n + 1}) {
          assertSame(
              run.offloaded(schedule, size, lane -> 0),
              plain,
              schedule + " with subgroups of " + size + ", norm " + maxNorm);
        }
      }
    }
  }

  @Test
  void splitMastersDiskTiersOtherPrecisionsAndEagerUpdatesGiveTheSameBitsToo() {
    Cases.run(
        30,
        random -> {
          int n = 1000 + random.nextInt(12_000);
          Precision p = Precision.values()[random.nextInt(3)];
          boolean split = p == Precision.BF16 && random.nextBoolean();
          boolean eager = p != Precision.F16 && random.nextBoolean();
          double maxNorm = eager ? Double.POSITIVE_INFINITY : 0.5 + random.nextDouble();
          Optional<Path> file =
              random.nextBoolean() ? Optional.of(folder.resolve("state")) : Optional.empty();
          OptimizerOptions o =
              options(split ? MasterLayout.SPLIT : MasterLayout.FULL, maxNorm, file, eager, p);
          SyntheticRun run = new SyntheticRun(n, 3, o);
          Schedule schedule = schedules().get(random.nextInt(schedules().size()));
          long size = 200 + random.nextInt(4000);
          assertSame(
              run.offloaded(schedule, size, lane -> 0, 1 + random.nextInt(3)),
              run.plain(),
              schedule + " " + o + " subgroups of " + size);
        });
  }

  @Test
  void delayingEachLaneInTurnChangesNothing() {
    SyntheticRun run =
        new SyntheticRun(
            6000, 3, options(MasterLayout.FULL, 1, Optional.empty(), false, Precision.BF16));
    SyntheticRun.Outcome plain = run.plain();
    for (Lane slow : Lane.values()) {
      for (Schedule schedule : List.of(new Schedule.Fraction(0.4, 0.2), new Schedule.Stride(2))) {
        SyntheticRun.Outcome outcome =
            run.offloaded(schedule, 900, lane -> lane == slow ? 3_000_000 : 0);
        assertSame(outcome, plain, schedule + " with a slow lane " + slow);
      }
    }
  }

  @Test
  void randomDelaysOnAllLanesChangeNothing() {
    Cases.run(
        6,
        random -> {
          OptimizerOptions o =
              options(
                  MasterLayout.FULL,
                  Double.POSITIVE_INFINITY,
                  Optional.of(folder.resolve("delayed")),
                  random.nextBoolean(),
                  Precision.BF16);
          SyntheticRun run = new SyntheticRun(5000, 3, o);
          RandomGenerator.SplittableGenerator seeds =
              RandomGenerator.SplittableGenerator.of("L64X128MixRandom");
          SyntheticRun.Outcome outcome =
              run.offloaded(
                  new Schedule.Fraction(random.nextDouble() * 0.6, 0.3),
                  300 + random.nextInt(900),
                  lane -> seeds.split().nextLong(400_000));
          assertSame(outcome, run.plain(), o.toString());
        });
  }

  @Test
  void aStateThatIsCopiedOutAndInContinuesWithTheSameBits() {
    SyntheticRun run =
        new SyntheticRun(
            7000, 6, options(MasterLayout.FULL, 1, Optional.empty(), false, Precision.BF16));
    SyntheticRun.Outcome plain = run.plain();
    for (int at = 1; at < 6; at++) {
      assertSame(
          run.offloaded(new Schedule.Fraction(0.5, 0.25), 1000, lane -> 0, at),
          plain,
          "resumed after " + at);
    }
  }

  private static void assertSame(
      SyntheticRun.Outcome actual, SyntheticRun.Outcome expected, String what) {
    assertThat(actual.weights()).as(what).isEqualTo(expected.weights());
    assertThat(actual.master()).as(what).isEqualTo(expected.master());
    assertThat(actual.momentum()).as(what).isEqualTo(expected.momentum());
    assertThat(actual.variance()).as(what).isEqualTo(expected.variance());
  }
}
