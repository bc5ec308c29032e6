package io.spillway.simulator.timing;

import io.spillway.simulator.isa.OpClass;
import io.spillway.simulator.system.Unit;
import java.util.Arrays;
import java.util.List;

/// What each class of operations needs of the functional units of a core. Classes that no unit
/// names go to the integer units.
final class UnitTable {
  private static final int CLASSES = OpClass.values().length;

  final int[] kind = new int[CLASSES];
  final int[] first = new int[CLASSES];
  final int[] count = new int[CLASSES];
  final int[] latency = new int[CLASSES];
  final int[] interval = new int[CLASSES];
  final int[] lead = new int[CLASSES];
  final int[] assumed = new int[CLASSES];

  /// Units of all kinds together.
  final int units;

  UnitTable(List<Unit> kinds) {
    Arrays.fill(kind, -1);
    int all = 0;
    for (int u = 0; u < kinds.size(); u++) {
      Unit unit = kinds.get(u);
      for (Unit.Operation op : unit.ops()) {
        for (OpClass c : op.classes()) {
          int i = c.ordinal();
          kind[i] = u;
          first[i] = all;
          count[i] = unit.count();
          latency[i] = op.latency();
          interval[i] = op.interval();
          lead[i] = op.lead();
          assumed[i] = op.assumed();
        }
      }
      all += unit.count();
    }
    units = Math.max(1, all);
    int integer = OpClass.INTEGER_ALU.ordinal();
    for (int i = 0; i < CLASSES; i++) {
      if (kind[i] < 0) {
        kind[i] = Math.max(0, kind[integer]);
        first[i] = first[integer];
        count[i] = Math.max(1, count[integer]);
        latency[i] = Math.max(1, latency[integer]);
        interval[i] = Math.max(1, interval[integer]);
        lead[i] = lead[integer];
      }
    }
  }
}
