package io.spillway.training.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.SpillwayException;
import io.spillway.testkit.Cases;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PlanTest {
  private static Rates rates(double link, double cpu, double device) {
    return new Rates(link, link, true, cpu, device, 1e12, Double.POSITIVE_INFINITY, 1e9, 0);
  }

  /// Section 2 of the dossier: c* = 12 U_c / (B + 10 U_c), T* = 12 P / (B + 10 U_c).
  @Test
  void closedFormFindsTheOptimumOfTheAnalysis() {
    double link = 55e9;
    for (double cpu : new double[] {1.5e9, 3e9, 5e9}) {
      Rates r = rates(link, cpu, 1e15);
      double expected = 12 * cpu / (link + 10 * cpu);
      double found = PerformanceModel.bestCpuShare(0, r, StateBytes.mixed());
      assertThat(found).isCloseTo(expected, within(1e-6));
      assertThat(1 / PerformanceModel.updateSeconds(1, found, 0, r, StateBytes.mixed()))
          .isCloseTo((link + 10 * cpu) / 12, within(1e3));
    }
  }

  /// The row M = 300 GB/s of the dossier's table: 5.83, 7.08 and 8.75 Gparam/s.
  @Test
  void attainableRatesAreThoseOfTheTable() {
    double[] cpu = {1.5e9, 3e9, 5e9};
    double[] expected = {5.83e9, 7.08e9, 8.75e9};
    for (int i = 0; i < 3; i++) {
      Rates r = new Rates(55e9, 55e9, true, cpu[i], 1e15, 1e12, 300e9, 1e9, 0);
      double share = PerformanceModel.bestCpuShare(0, r, StateBytes.mixed());
      assertThat(1 / PerformanceModel.updateSeconds(1, share, 0, r, StateBytes.mixed()))
          .isCloseTo(expected[i], within(0.01e9));
    }
  }

  @Test
  void schedulesPlaceTheirSharesEvenly() {
    Cases.run(
        200,
        random -> {
          int n = 1 + random.nextInt(100);
          double cpu = random.nextDouble();
          double resident = random.nextDouble() * (1 - cpu);
          Placement[] p = new Schedule.Fraction(cpu, resident).place(n);
          long onCpu = java.util.Arrays.stream(p).filter(x -> x == Placement.CPU).count();
          assertThat((double) onCpu).isCloseTo(cpu * n, within(1.01));
        });
    assertThat(new Schedule.Stride(2).place(4))
        .containsExactly(Placement.CPU, Placement.STREAMED, Placement.CPU, Placement.STREAMED);
    assertThat(new Schedule.TwinFlow(0.5).place(2))
        .containsExactly(Placement.CPU, Placement.RESIDENT);
  }

  @Test
  void predictionsOfHandWorkedPipelines() {
    List<Subgroup> two = Subgroup.cut(0, 200, 100);
    // forward 1 s, backward 1 s; all on the CPU: flush 2*100/200 = 1 s each, Adam 100/50 = 2 s
    // each,
    // upload 1 s each. Blocking. The flush of group 1 starts when its block's backward ends at 1.5
    // s,
    // ends at 2.5, that of group 0 at 3.5; Adam in forward order: 0 at 3.5..5.5? Group 1 is ready
    // first (2.5), so it runs 2.5..4.5, group 0 4.5..6.5; upload ends at 7.5: one step is 7.5 s.
    Workload work = Workload.even(200, 2, 1, 1, 1);
    Rates r = new Rates(200, 200, true, 50, 1e9, 1e12, Double.POSITIVE_INFINITY, 1e9, 0);
    UpdateGraph graph =
        new UpdateGraph(
            two, new Schedule.ZeroOffload().place(2), new GraphOptions(2, 2, false, false, true));
    assertThat(Predictor.predict(graph, work, r, StateBytes.mixed(), false).iterationSeconds())
        .isCloseTo(7.5, within(1e-9));
    // without eagerness the updates wait for the end of the backward pass (2 s): 2.5 is later
    UpdateGraph calm =
        new UpdateGraph(
            two, new Schedule.ZeroOffload().place(2), new GraphOptions(2, 2, false, false, false));
    assertThat(Predictor.predict(calm, work, r, StateBytes.mixed(), false).iterationSeconds())
        .isCloseTo(7.5, within(1e-9));
    // all resident and instant: only the passes
    UpdateGraph resident =
        new UpdateGraph(two, new Schedule.AllGpu().place(2), GraphOptions.usual(false));
    assertThat(Predictor.predict(resident, work, r, StateBytes.mixed(), true).iterationSeconds())
        .isCloseTo(2, within(1e-6));
  }

  @Test
  void choosesASplitThatNoScannedOneBeats() {
    List<Subgroup> subgroups = Subgroup.cut(0, 4_000_000, 100_000);
    Workload work = Workload.even(4_000_000, 8, 0.01, 0.02, 1);
    Rates r = rates(1e9, 50e6, 400e6);
    PerformanceModel.Choice choice =
        PerformanceModel.choose(
            subgroups, 0, work, r, StateBytes.mixed(), GraphOptions.usual(true));
    for (int cpu = 0; cpu <= 40; cpu++) {
      Predictor.Prediction p =
          Predictor.predict(
              new UpdateGraph(
                  subgroups,
                  new Schedule.Fraction(cpu / 40.0, 0).place(40),
                  GraphOptions.usual(true)),
              work,
              r,
              StateBytes.mixed(),
              true);
      assertThat(choice.prediction().iterationSeconds())
          .isLessThanOrEqualTo(p.iterationSeconds() * 1.0001);
    }
  }

  @Test
  void refusesUnknownSchedulesAndSizes() {
    assertThatThrownBy(() -> Schedule.parse("strid:2"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("did you mean 'stride'");
    assertThatThrownBy(() -> Schedule.parse("fraction")).hasMessageContaining("needs a number");
    assertThatThrownBy(() -> Schedule.parse("twinflow:1.5"))
        .hasMessageContaining("between 0 and 1");
    assertThatThrownBy(() -> Subgroup.cut(0, 10, 0)).hasMessageContaining("at least 1");
  }
}
