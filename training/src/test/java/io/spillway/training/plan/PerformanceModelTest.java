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
}
