package io.spillway.simulator.system;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Hertz;
import io.spillway.platform.yaml.Default;
import java.util.List;

/// A whole system: cores, first-level caches, the shared levels below them and memory.
///
/// @param name short name
/// @param description one line
/// @param fast the rate that the word `fast` stands for unless a run says otherwise
/// @param cores number of cores, each with its own first-level caches
/// @param core what each core is
/// @param predictor its branch prediction
/// @param l1i instruction cache
/// @param l1d data cache
/// @param levels further caches, nearest first, each with the crossbar above it
/// @param memoryBus crossbar between the last cache and memory
/// @param dram memory
public record SystemDescription(
    String name,
    @Default("''") String description,
    @Default("4 GHz") Hertz fast,
    @Default("1") int cores,
    Core core,
    Predictor predictor,
    CacheLevel l1i,
    CacheLevel l1d,
    @Default("[]") List<CacheLevel> levels,
    Crossbar memoryBus,
    @Default("{}") Dram dram) {
  public SystemDescription {
    Require.between("cores", cores, 1, 64);
    if (fast.hertz() < 1e6 || fast.hertz() > 1e13) {
      throw SpillwayException.badInput("fast is %s, it must lie between 1 MHz and 10 THz", fast);
    }
    for (CacheLevel level : levels) {
      if (level.above().isEmpty()) {
        throw SpillwayException.badInput(
            "cache %s has no crossbar, give it the key 'above'", level.name());
      }
      if (level.line() != l1d.line() || l1i.line() != l1d.line()) {
        throw SpillwayException.badInput(
            "cache %s has lines of %d bytes and l1d of %d, all levels must agree",
            level.name(), level.line(), l1d.line());
      }
    }
  }

  /// The same system with another rate for `fast`.
  public SystemDescription at(Hertz rate) {
    return new SystemDescription(
        name, description, rate, cores, core, predictor, l1i, l1d, levels, memoryBus, dram);
  }
}
