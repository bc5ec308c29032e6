package io.spillway.cli.simulator;

import io.spillway.report.Plot;
import io.spillway.report.TextTable;
import io.spillway.simulator.timing.TimingResult;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Shows results of timing runs as text and plots.
final class TimingReport {
  private TimingReport() {}

  static String text(TimingResult r) {
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "%s at %.3g GHz: %,d instructions, %,d cycles, CPI %.4f, %.6g ms simulated%n",
            r.system(),
            r.coreHertz() / 1e9,
            r.instructions(),
            r.cycles(),
            r.cpi(),
            r.seconds() * 1e3));
    r.samples()
        .ifPresent(s ->
            out.append(
                String.format(
                    Locale.ROOT,
                    "%d samples: CPI %.4f +- %.4f (95 %%)%n",
                    s.count(),
                    s.cpi(),
                    s.halfWidth())));
    TextTable stack = new TextTable("cycles of core 0", "count", "share");
    long sum = r.stack().values().stream().mapToLong(Long::longValue).sum();
    r.stack()
        .forEach((cause, n) ->
            stack.row(cause, String.format("%,d", n), percent(n / (double) Math.max(1, sum))));
    out.append(stack.render()).append('\n');
    TextTable caches = new TextTable("cache", "accesses", "misses", "prefetches", "written back");
    for (TimingResult.CacheResult c : r.caches()) {
      caches.row(c.name(), c.accesses(), c.misses(), c.prefetches(), c.dirtyEvictions());
    }
    out.append(caches.render()).append('\n');
    TextTable bandwidth = new TextTable("bandwidth", "GB/s", "limit", "used");
    for (TimingResult.Bandwidth b : r.bandwidth()) {
      bandwidth.row(
          b.level(), number(b.bytesPerSecond() / 1e9), number(b.limit() / 1e9), percent(b.share()));
    }
    out.append(bandwidth.render()).append('\n');
    out.append(
        String.format(
            Locale.ROOT,
            "branches: %,d conditional predicted; %,d mispredicted: %,d conditional, %,d wrong targets, %,d put right by decode;"
                + " besides %,d on wrong paths%n"
                + "energy: %.4g J, with cooling %.4g J, %.4g W, %.4g instructions a joule%n"
                + "host: %.2f s, %.1f million instructions a second%n",
            r.conditionalBranches(),
            r.mispredicts(),
            r.conditionalMispredicts(),
            r.targetMispredicts(),
            r.decodeRedirects(),
            r.wrongPathMispredicts(),
            r.energy().joules(),
            r.energy().joulesWithCooling(),
            r.energy().watts(),
            r.energy().instructionsPerJoule(),
            r.hostSeconds(),
            r.millionsPerSecond()));
    return out.toString();
  }

  /// Writes the cycle stacks and the bandwidth figure of several runs into a folder.
  static List<Path> plots(Map<String, TimingResult> results, Path folder) {
    List<String> names = new ArrayList<>(results.keySet());
    Set<String> causes = new LinkedHashSet<>();
    Set<String> levels = new LinkedHashSet<>();
    for (TimingResult r : results.values()) {
      causes.addAll(r.stack().keySet());
      r.bandwidth().forEach(b -> levels.add(b.level()));
    }
    Plot stacks = Plot.stackedBars("Where the cycles went", "run", "cycles per instruction", names);
    for (String cause : causes) {
      stacks.bar(
          cause,
          results.values().stream()
              .mapToDouble(
                  r -> r.stack().getOrDefault(cause, 0L) / (double) Math.max(1, r.instructions()))
              .toArray());
    }
    Plot use =
        Plot.bars("Bandwidth used of each level's limit", "run", "share of the limit", names);
    for (String level : levels) {
      use.bar(
          level,
          results.values().stream()
              .mapToDouble(r ->
                  r.bandwidth().stream()
                      .filter(b -> b.level().equals(level))
                      .mapToDouble(TimingResult.Bandwidth::share)
                      .sum())
              .toArray());
    }
    Path stackFile = folder.resolve("cycle-stacks.svg");
    Path useFile = folder.resolve("bandwidth.svg");
    stacks.write(stackFile);
    use.write(useFile);
    return List.of(stackFile, useFile);
  }

  static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", share * 100);
  }

  static String number(double value) {
    return String.format(Locale.ROOT, "%.4g", value);
  }
}
