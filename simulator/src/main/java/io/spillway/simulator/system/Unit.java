package io.spillway.simulator.system;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;
import io.spillway.simulator.isa.OpClass;
import java.util.List;

/// Functional units of one kind.
///
/// @param count how many there are
/// @param ops what one of them does; classes that no unit names go to the integer units
public record Unit(@Default("1") int count, List<Operation> ops) {
  public Unit {
    Require.between("unit count", count, 1, 64);
    if (ops.isEmpty()) {
      throw SpillwayException.badInput("a unit has no ops, name at least one");
    }
  }

  /// Operations of one timing.
  ///
  /// @param classes the operation classes
  /// @param latency cycles from issue to result
  /// @param interval cycles until the unit takes the next one; 1 is fully pipelined
  /// @param lead cycles before the producer's result at which a consumer may already enter
  ///   (in-order cores only)
  /// @param assumed cycles that dependants wait beyond the latency (in-order loads)
  public record Operation(
      List<OpClass> classes,
      int latency,
      @Default("1") int interval,
      @Default("0") int lead,
      @Default("0") int assumed) {
    public Operation {
      Require.between("unit latency", latency, 1, 1000);
      Require.between("unit interval", interval, 1, 1000);
      Require.between("unit lead", lead, 0, 1000);
      Require.between("unit assumed", assumed, 0, 1000);
    }
  }
}
