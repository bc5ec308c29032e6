package io.spillway.simulator.timing;

import io.spillway.simulator.memory.CacheCounts;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.system.CacheLevel;
import io.spillway.simulator.system.SystemDescription;
import io.spillway.simulator.system.Technology;
import java.util.ArrayList;
import java.util.List;

/// Energy of a run, part by part, without and with the power of the cooler.
public final class Energy {
  private static final double UNIT = 32 * 1024;
  private static final double MIB = 1024.0 * 1024;

  private Energy() {}

  /// Energy of one part in joules.
  ///
  /// @param part `core`, a cache or `memory`
  /// @param technology what it is built of
  /// @param dynamic energy of its operations
  /// @param standing energy of its leakage and bias
  /// @param cooling energy of the cooler that removes both
  public record Part(
      String part, String technology, double dynamic, double standing, double cooling) {
    double sum() {
      return dynamic + standing;
    }
  }

  /// The account of a run.
  ///
  /// @param parts every part
  /// @param joules without cooling
  /// @param joulesWithCooling with it
  /// @param watts mean power with cooling
  /// @param instructionsPerJoule with cooling
  /// @param breakEvenUtilisation share of the time that the system must be busy for its energy per
  ///   instruction, cooling included, to reach that of the same run on the reference of 300 K CMOS;
  ///   above 1 it never does
  public record Account(
      List<Part> parts,
      double joules,
      double joulesWithCooling,
      double watts,
      double instructionsPerJoule,
      double breakEvenUtilisation) {}

  static Account of(
      SystemDescription system, MemorySystem memory, long instructions, double seconds) {
    List<Part> parts = new ArrayList<>();
    Technology core = Technology.named(system.core().technology());
    Technology reference = Technology.named("cmos-300k");
    parts.add(part("core", core, instructions * core.operation(), core.coreLeakage() * seconds));
    double baseline = instructions * reference.operation() + reference.coreLeakage() * seconds;
    List<CacheLevel> levels = new ArrayList<>(List.of(system.l1i(), system.l1d()));
    levels.addAll(system.levels());
    for (int i = 0; i < levels.size(); i++) {
      CacheLevel level = levels.get(i);
      CacheCounts counts =
          i == 0 ? memory.instructionCounts() : i == 1 ? memory.dataCounts() : memory.counts(i);
      double touched = counts.accesses + counts.fills + counts.writebacks;
      double scale = Math.sqrt(level.size().bytes() / UNIT);
      double mib = level.size().bytes() / MIB;
      Technology t = Technology.named(level.technology());
      parts.add(
          part(level.name(), t, touched * t.access() * scale, t.arrayLeakage() * mib * seconds));
      baseline += touched * reference.access() * scale + reference.arrayLeakage() * mib * seconds;
    }
    double dram = (memory.dramReads() + memory.dramWrites()) * Technology.DRAM_ACCESS;
    parts.add(new Part("memory", "dram-300k", dram, 0, 0));
    baseline += dram;
    double plain = parts.stream().mapToDouble(Part::sum).sum();
    double cooled = plain + parts.stream().mapToDouble(Part::cooling).sum();
    double standing = parts.stream().mapToDouble(p -> p.standing() + coolingOf(p)).sum();
    double busy = cooled - standing;
    double left = baseline - busy;
    return new Account(
        List.copyOf(parts),
        plain,
        cooled,
        seconds == 0 ? 0 : cooled / seconds,
        cooled == 0 ? 0 : instructions / cooled,
        left <= 0 ? Double.MAX_VALUE : standing / left);
  }

  private static Part part(String name, Technology t, double dynamic, double standing) {
    return new Part(name, t.name(), dynamic, standing, (dynamic + standing) * t.cooling());
  }

  /// The share of a part's cooling that its standing power causes.
  private static double coolingOf(Part p) {
    return p.sum() == 0 ? 0 : p.cooling() * p.standing() / p.sum();
  }
}
