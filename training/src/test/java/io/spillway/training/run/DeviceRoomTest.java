package io.spillway.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.kernels.AdamSettings;
import io.spillway.platform.SpillwayException;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.engine.Lanes;
import io.spillway.training.engine.SimulatedDevice;
import io.spillway.training.optimizer.OffloadedOptimizer;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.plan.PerformanceModel;
import io.spillway.training.plan.Placement;
import io.spillway.training.plan.Rates;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.UpdateGraph;
import io.spillway.training.plan.Workload;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What the planner proposes fits, whatever the budget.
final class DeviceRoomTest {
  private static final long N = 100_000;
  private static final List<Subgroup> SUBGROUPS = Subgroup.cut(0, N, 9_000);
  private static final OptimizerOptions OPTIONS =
      OptimizerOptions.usual(new AdamSettings(0.9, 0.95, 1e-8, 0, true));
  private static final Workload WORK = Workload.even(N, 4, 1e-3, 2e-3, 1);

  /// @param link bytes/s that make streaming attractive or not
  private static Rates rates(double link) {
    return new Rates(link, link, true, 1e7, 1e9, 1e9, Double.POSITIVE_INFINITY, 1e9, 1e-5);
  }

  @Test
  void everyBudgetGetsASplitThatTheDeviceTakes() {
    long fixed = 4 * N;
    long state = 12 * N + 192L * SUBGROUPS.size();
    double before = Double.MAX_VALUE;
    for (long extra = 0; extra <= state + 50_000; extra += 13_001) {
      try (SimulatedDevice device = device(fixed + extra);
          Lanes lanes = new Lanes()) {
        var weights = device.allocate(2 * N, "weights");
        var gradients = device.allocate(2 * N, "gradients");
        DeviceRoom room = DeviceRoom.of(device, SUBGROUPS, OPTIONS);
        PerformanceModel.Choice choice = room.choose(WORK, rates(1e9), 1);
        try (OffloadedOptimizer _ =
            new OffloadedOptimizer(
                device, weights, gradients, SUBGROUPS, choice.schedule(), OPTIONS, lanes, x -> x)) {
          assertThat(device.used()).isLessThanOrEqualTo(device.capacity());
        }
        assertThat(choice.prediction().iterationSeconds()).isLessThanOrEqualTo(before * 1.001);
        before = choice.prediction().iterationSeconds();
      }
    }
    // with room for all of it nothing is offloaded, and no buffer is asked for
    DeviceRoom all = new DeviceRoom(state, bytes -> bytes, SUBGROUPS, OPTIONS);
    assertThat(all.choose(WORK, rates(1e7), 1).schedule().resident()).isEqualTo(1);
  }

  private static SimulatedDevice device(long bytes) {
    return new SimulatedDevice(DeviceSpec.parse("memory=" + bytes + ",link=1GB/s"));
  }

  @Test
  void pagesOfTheDeviceCount() {
    long page = 2 << 20;
    DeviceRoom coarse =
        new DeviceRoom(5 * page, b -> (b + page - 1) / page * page, SUBGROUPS, OPTIONS);
    // each subgroup of 108 kB takes a page: three buffers and two that stay
    assertThat(coarse.residentBesideBuffers() * SUBGROUPS.size()).isEqualTo(2);
    assertThat(coarse.residentAlone() * SUBGROUPS.size()).isEqualTo(5);
    Schedule.Fraction chosen = coarse.choose(WORK, rates(1e10), 1).schedule();
    assertThat(coarse.needs(chosen)).isLessThanOrEqualTo(5 * page);
    DeviceRoom little =
        new DeviceRoom(2 * page, b -> (b + page - 1) / page * page, SUBGROUPS, OPTIONS);
    UpdateGraph graph =
        new UpdateGraph(
            SUBGROUPS,
            little.choose(WORK, rates(1e10), 1).schedule().place(SUBGROUPS.size()),
            OPTIONS.graph());
    assertThat(graph.share(Placement.STREAMED)).as("no room for buffers").isZero();
  }

  @Test
  void passesThatExceedTheBudgetAreToldWithTheLeastThatWorks() {
    try (SimulatedDevice device = device(3000)) {
      device.allocate(2000, "weights");
      assertThat(DeviceRoom.of(device, SUBGROUPS, OPTIONS).free()).isEqualTo(1000);
      assertThatThrownBy(() -> device.allocate(1001, "more"))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("smallest budget up to here is 3001 bytes");
    }
  }
}
