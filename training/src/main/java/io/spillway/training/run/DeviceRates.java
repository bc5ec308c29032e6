package io.spillway.training.run;

import io.spillway.training.plan.Placement;
import io.spillway.training.plan.Rates;
import io.spillway.training.plan.Schedule;
import java.util.Arrays;
import java.util.List;

/// The rates of a device and its host, which depend on what runs at once: links and CPU share the
/// host's memory.
///
/// @param together while both directions of the link and the CPU update run
/// @param alone while the link or the CPU update runs without the other
public record DeviceRates(Rates together, Rates alone) {
  /// Rates that do not depend on it.
  static DeviceRates same(Rates rates) {
    return new DeviceRates(rates, rates);
  }

  /// Those that hold under a schedule.
  public Rates of(Schedule schedule, int subgroups) {
    List<Placement> placements = Arrays.asList(schedule.place(subgroups));
    return placements.contains(Placement.STREAMED) && placements.contains(Placement.CPU)
        ? together
        : alone;
  }
}
