package io.spillway.simulator;

import io.spillway.platform.units.Hertz;
import io.spillway.report.Claim;
import io.spillway.report.Claim.Better;
import io.spillway.report.Claim.Finding;
import io.spillway.report.Claim.Published;
import io.spillway.report.Reproduction;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// The paper's table of speedups over its 4 GHz out-of-order baseline, on our own programs of the
/// same kinds.
public final class SimulatorReproduction implements Reproduction {
  private static final String TABLE = "the authors' result files, geometric mean of ";

  /// A program of ours and the paper's speedups of its counterpart.
  private record Program(
      List<String> command, double core, double cachesAt20, double everything, double inOrder) {}

  /// Shortest first; `--quick` takes three.
  private static final List<Program> PROGRAMS =
      List.of(
          new Program(List.of("bfs", "kronecker", "12"), 1.83, 3.99, 10.63, .79),
          new Program(List.of("is", "S"), 2.14, 4.49, 15.21, .62),
          new Program(List.of("tc", "kronecker", "11"), 1.79, 4.51, 15.76, .46),
          new Program(List.of("lu", "S"), 2.29, 4.81, 20.78, .33),
          new Program(List.of("cg", "S"), 2.73, 4.91, 22.66, .45),
          new Program(List.of("ft", "T"), 1.64, 4.53, 15.87, .32),
          new Program(List.of("bt", "S"), 2.46, 4.94, 23.50, .30));

  /// Runs of this process by system, clock and program: rows share their baseline.
  private final Map<String, TimingResult> runs = new ConcurrentHashMap<>();

  @Override
  public String system() {
    return "simulator";
  }

  @Override
  public String paper() {
    return "Potential and Limitation of High-Frequency Cores and Caches (2024)";
  }

  @Override
  public List<Claim> claims() {
    return List.of(
        speedup(
            "core-alone",
            "a core 25 times as fast alone gives twice the speed",
            "paper-core",
            100,
            Program::core),
        speedup(
            "caches-at-20",
            "with every cache at 20 GHz the speed follows the clock",
            "paper-core-l1-l2-l3",
            20,
            Program::cachesAt20),
        speedup(
            "everything",
            "with caches and memory bus at 100 GHz it nearly follows",
            "paper-everything",
            100,
            Program::everything),
        speedup(
            "in-order",
            "the in-order core at 4 GHz is less than half as fast",
            "paper-in-order-baseline",
            4,
            Program::inOrder),
        new Claim(
            "speed",
            "a detailed out-of-order simulation takes its time",
            Published.of(
                0.60, "million instructions a second", Better.HIGHER, "gem5 v23.1, measured by us"),
            "graph search of ours at 4 GHz; gem5's figure is of another machine, alone on a core",
            this::speed));
  }

  private interface Column {
    double of(Program program);
  }

  private Claim speedup(String name, String statement, String system, int ghz, Column paper) {
    // three programs stand for the table in a quick run, and the paper's figure is theirs
    double quick = mean(PROGRAMS.subList(0, 3), paper);
    double full = mean(PROGRAMS, paper);
    return new Claim(
        name,
        statement,
        new Published(
            Math.min(quick, full),
            Math.max(quick, full),
            "x",
            Better.NEAR,
            0.15,
            TABLE + "bfs, is, tc and of all seven"),
        "our own programs of the same names and kinds (NPB and GAP, class S, of ft a smaller one)",
        setting -> measure(setting, system, ghz, paper));
  }

  private static double mean(List<Program> programs, Column of) {
    return Math.exp(programs.stream().mapToDouble(p -> Math.log(of.of(p))).average().orElse(0));
  }

  private Finding measure(Reproduction.Setting setting, String system, int ghz, Column paper) {
    List<Program> programs = PROGRAMS.subList(0, setting.choose(3, PROGRAMS.size()));
    Map<String, Object> figures = new LinkedHashMap<>();
    double log = 0;
    double low = Double.MAX_VALUE;
    double high = 0;
    for (Program p : programs) {
      double speedup = run(p, "paper-baseline", 4).seconds() / run(p, system, ghz).seconds();
      log += Math.log(speedup) / programs.size();
      low = Math.min(low, speedup);
      high = Math.max(high, speedup);
      figures.put(p.command().getFirst(), speedup);
      figures.put(p.command().getFirst() + ", paper", paper.of(p));
    }
    return new Finding.Measured(
        Math.exp(log),
        low,
        high,
        "range of " + programs.size() + " programs, repeats exactly",
        figures);
  }

  private Finding speed(Reproduction.Setting setting) {
    fresh(PROGRAMS.getFirst(), "paper-baseline", 4); // until the compiler has seen it
    double[] rates = new double[setting.choose(3, 9)];
    for (int i = 0; i < rates.length; i++) {
      rates[i] = fresh(PROGRAMS.getFirst(), "paper-baseline", 4).millionsPerSecond();
    }
    return Finding.Measured.mean(rates, "runs", Map.of("runs", rates));
  }

  private TimingResult run(Program program, String system, int ghz) {
    return runs.computeIfAbsent(
        system + "@" + ghz + " " + program.command(), _ -> fresh(program, system, ghz));
  }

  private static TimingResult fresh(Program program, String system, int ghz) {
    String name = program.command().getFirst();
    ProcessOptions process =
        ProcessOptions.of(program.command().toArray(String[]::new))
            .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
    try (Machine machine =
        Machine.load(ElfImage.parse(Path.of(name), Workloads.read(name)), process)) {
      TimingResult result =
          new TimingRun(SystemFiles.load(system).at(new Hertz(ghz * 1e9)), machine)
              .run(TimingRun.Window.ALL);
      if (result.exitStatus() != 0) {
        throw new IllegalStateException(name + " ended with " + result.exitStatus());
      }
      return result;
    }
  }
}
