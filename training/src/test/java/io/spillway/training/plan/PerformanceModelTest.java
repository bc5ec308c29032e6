package io.spillway.training.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Each term of the closed form, worked by hand: half of the update on the CPU, a tenth resident,
/// four tenths streamed, 12 bytes of state, 2 of weights and 2 of gradients a parameter.
final class PerformanceModelTest {
  private static final double NEVER = 1e30;

  private static double seconds(Rates rates) {
    return PerformanceModel.updateSeconds(1e9, 0.5, 0.1, rates, StateBytes.mixed());
  }

  private static Rates rates(
      double in, double out, boolean duplex, double cpu, double device, double memory) {
    return new Rates(in, out, duplex, cpu, device, NEVER, memory, NEVER, 0);
  }

  @Test
  void theSlowerDirectionOfADuplexLinkBinds() {
    // 12 x .4 + 2 x .5 = 5.8 bytes each way
    assertThat(seconds(rates(1e9, 2e9, true, NEVER, NEVER, NEVER))).isCloseTo(5.8, within(1e-9));
    assertThat(seconds(rates(2e9, 1e9, true, NEVER, NEVER, NEVER))).isCloseTo(5.8, within(1e-9));
  }

  @Test
  void bothDirectionsAddUpOnALinkOfOneLane() {
    assertThat(seconds(rates(1e9, 2e9, false, NEVER, NEVER, NEVER)))
        .isCloseTo(5.8 + 2.9, within(1e-9));
  }

  @Test
  void theHostsMemoryMovesStateTwiceAndGradientsAndWeightsTwice() {
    // 24 x .4 + (24 + 4 + 4) x .5 = 25.6 bytes
    assertThat(seconds(rates(NEVER, NEVER, true, NEVER, NEVER, 1e9))).isCloseTo(25.6, within(1e-9));
  }

  @Test
  void theProcessorsBindByTheirShares() {
    assertThat(seconds(rates(NEVER, NEVER, true, 1e9, NEVER, NEVER))).isCloseTo(0.5, within(1e-9));
    // streamed and resident parameters are both updated there
    assertThat(seconds(rates(NEVER, NEVER, true, NEVER, 1e9, NEVER))).isCloseTo(0.5, within(1e-9));
    assertThat(
            PerformanceModel.updateSeconds(
                1e9, 0.2, 0.1, rates(NEVER, NEVER, true, NEVER, 1e9, NEVER), StateBytes.mixed()))
        .isCloseTo(0.8, within(1e-9));
  }

  @Test
  void withoutRoomForStreamingWhatIsNotResidentGoesToTheCpu() {
    List<Subgroup> subgroups = Subgroup.cut(0, 1000, 100);
    Workload work = Workload.even(1000, 2, 1e-3, 2e-3, 1);
    Rates rates = rates(1e9, 1e9, true, 1e6, 1e9, NEVER);
    PerformanceModel.Choice choice =
        PerformanceModel.choose(
            subgroups, 0.3, false, work, rates, StateBytes.mixed(), GraphOptions.usual(true));
    assertThat(choice.schedule().cpu()).isCloseTo(0.7, within(1e-9));
    assertThat(choice.schedule().resident()).isCloseTo(0.3, within(1e-9));
    assertThat(choice.tried()).isEqualTo(1);
  }

  @Test
  void everyCountIsTriedWhenThereAreFewAndNoneIsBetter() {
    List<Subgroup> subgroups = Subgroup.cut(0, 1000, 100);
    Workload work = Workload.even(1000, 2, 1e-6, 2e-6, 1);
    Rates rates = rates(1e9, 1e9, true, 2e8, 1e9, NEVER);
    PerformanceModel.Choice choice =
        PerformanceModel.choose(
            subgroups, 0.2, work, rates, StateBytes.mixed(), GraphOptions.usual(true));
    assertThat(choice.tried()).isEqualTo(9); // 0 to 8 of the ten
    for (int cpu = 0; cpu <= 8; cpu++) {
      double other =
          Predictor.predict(
                  new UpdateGraph(
                      subgroups,
                      new Schedule.Fraction(cpu / 10.0, 0.2).place(10),
                      GraphOptions.usual(true)),
                  work,
                  rates,
                  StateBytes.mixed(),
                  true)
              .iterationSeconds();
      assertThat(choice.prediction().iterationSeconds()).isLessThanOrEqualTo(other * (1 + 1e-5));
    }
  }

  @Test
  void theBestShareIsWhereLinkAndCpuTakeAsLong() {
    // 12 (1 - c) + 2 c bytes at 1 GB/s last as long as c at 0.1 G/s: 12 - 10 c = 10 c
    Rates rates = rates(1e9, 1e9, true, 1e8, NEVER, NEVER);
    assertThat(PerformanceModel.bestCpuShare(0, rates, StateBytes.mixed()))
        .isCloseTo(0.6, within(1e-9));
    // with a fifth resident: 12 (.8 - c) + 2 c = 10 c
    assertThat(PerformanceModel.bestCpuShare(0.2, rates, StateBytes.mixed()))
        .isCloseTo(0.48, within(1e-9));
    Rates fast = rates(1e9, 1e9, true, NEVER, NEVER, NEVER);
    assertThat(PerformanceModel.bestCpuShare(0.2, fast, StateBytes.mixed()))
        .isCloseTo(0.8, within(1e-9));
    Rates slow = rates(NEVER, NEVER, true, 1, NEVER, NEVER);
    assertThat(PerformanceModel.bestCpuShare(0.2, slow, StateBytes.mixed()))
        .isCloseTo(0, within(1e-9));
  }

  @Test
  void amongEqualSplitsTheOneNearestToTheClosedFormIsTaken() {
    // the update is nothing beside the passes, so that every split takes as long
    Rates rates = rates(1e20, 1e20, true, 1e19, NEVER, NEVER);
    for (int parts : new int[] {10, 200}) {
      PerformanceModel.Choice choice =
          PerformanceModel.choose(
              Subgroup.cut(0, parts, 1),
              0.2,
              Workload.even(parts, 2, 1, 2, 1),
              rates,
              StateBytes.mixed(),
              GraphOptions.usual(true));
      assertThat(choice.closedFormCpu()).isCloseTo(0.48, within(1e-9));
      assertThat(choice.closedFormSeconds()).isCloseTo(parts * 0.48 / 1e19, within(1e-28 * parts));
      assertThat(choice.schedule().cpu()).isCloseTo(parts == 10 ? 0.5 : 0.48, within(1e-12));
      // each of few; of 160, every third from 0 to 159 and the three on both sides of the best
      assertThat(choice.tried()).isEqualTo(parts == 10 ? 9 : 54 + 7);
    }
  }

  @Test
  void aBestSplitAtTheEndIsRefinedInsideTheBounds() {
    Rates rates = rates(1e9, 1e9, true, NEVER, 1e9, NEVER);
    PerformanceModel.Choice choice =
        PerformanceModel.choose(
            Subgroup.cut(0, 200_000, 1000),
            0.2,
            Workload.even(200_000, 2, 1e-6, 2e-6, 1),
            rates,
            StateBytes.mixed(),
            GraphOptions.usual(true));
    assertThat(choice.schedule().cpu()).isCloseTo(0.8, within(1e-12));
    // the steps end at 159, from which 156 to 160 are in bounds
    assertThat(choice.tried()).isEqualTo(54 + 5);
  }
}
