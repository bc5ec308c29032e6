import io.spillway.platform.AtomicFiles;
import io.spillway.platform.units.Hertz;
import io.spillway.report.Plot;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Our programs on the paper's systems, speedups side by side with the paper's.
///
/// Usage: `bench/simulator/run PaperTable.java PROGRAMS PAPER.csv OUT.csv [--threads N] [--quick] [--plots FOLDER]`. PROGRAMS holds our
/// prebuilt workloads, PAPER.csv the paper's runs (system, clock, workload, ..., speedup). Finished rows of OUT.csv are
/// kept, so that an interrupted run goes on. `--quick` runs the two shortest programs only.
public final class PaperTable {
  /// @param system ours
  /// @param ghz fast clock
  /// @param paper the paper's name, empty where it has no such run
  private record Point(String system, int ghz, String paper) {
    String key(String program) {
      return system + "," + ghz + "," + program;
    }
  }

  private record Program(String name, String paper, List<String> command) {}

  private static final Point BASELINE = new Point("paper-baseline", 4, "baseline");
  private static final Point IN_ORDER = new Point("paper-in-order-baseline", 4, "in-order baseline");
  private static final List<Point> POINTS =
      List.of(
          BASELINE,
          new Point("paper-core", 10, "core"),
          new Point("paper-core", 100, "core"),
          new Point("paper-core-l1", 100, "core+L1"),
          new Point("paper-core-l1-l2", 100, "core+L1+L2"),
          new Point("paper-core-l1-l2-l3", 20, "core+L1+L2+L3"),
          new Point("paper-core-l1-l2-l3", 100, "core+L1+L2+L3"),
          new Point("paper-everything", 100, "everything"),
          IN_ORDER,
          new Point("paper-in-order-core", 100, "in-order core"),
          new Point("paper-in-order-everything", 100, "in-order core+L1+L2+L3"));

  /// Further clocks of two short programs, for curves over the clock.
  private static final List<Point> CURVES =
      List.of(
          new Point("paper-core", 20, ""),
          new Point("paper-core", 50, ""),
          new Point("paper-core-l1", 10, ""),
          new Point("paper-core-l1", 20, ""),
          new Point("paper-core-l1", 50, ""),
          new Point("paper-core-l1-l2-l3", 10, ""),
          new Point("paper-core-l1-l2-l3", 50, ""));

  /// Of ft the size T: class S takes 9e8 instructions a run.
  private static final List<Program> PROGRAMS =
      List.of(
          new Program("bfs", "gapbs-bfs", List.of("bfs", "kronecker", "12")),
          new Program("is", "npb-is-size-s", List.of("is", "S")),
          new Program("tc", "gapbs-tc", List.of("tc", "kronecker", "11")),
          new Program("lu", "npb-lu-size-s", List.of("lu", "S")),
          new Program("cg", "npb-cg-size-s", List.of("cg", "S")),
          new Program("ft", "npb-ft-size-s", List.of("ft", "T")),
          new Program("bt", "npb-bt-size-s", List.of("bt", "S")));

  private final Path folder;
  private final Path out;
  private final Map<String, String[]> done = new LinkedHashMap<>();
  private final Map<String, String> paper = new LinkedHashMap<>();

  private PaperTable(Path folder, Path paperFile, Path out) throws IOException {
    this.folder = folder;
    this.out = out;
    for (String line : Files.readAllLines(paperFile)) {
      String[] f = line.split(",");
      paper.put(f[0] + "," + f[1] + "," + f[2], f[6]);
    }
    if (Files.exists(out)) {
      Files.readAllLines(out).stream()
          .skip(1)
          .map(l -> l.split(",", -1))
          .forEach(f -> done.put(f[0] + "," + f[1] + "," + f[2], f));
    }
  }

  public static void main(String[] args) throws Exception {
    if (args.length < 3) {
      System.err.println("usage: PaperTable PROGRAMS PAPER.csv OUT.csv [--threads N] [--quick]");
      System.exit(2);
    }
    List<String> options = Arrays.asList(args);
    int threads = options.contains("--threads") ? Integer.parseInt(options.get(options.indexOf("--threads") + 1)) : 1;
    List<Program> programs = options.contains("--quick") ? PROGRAMS.subList(0, 2) : PROGRAMS;
    PaperTable table = new PaperTable(Path.of(args[0]), Path.of(args[1]), Path.of(args[2]));
    table.all(programs, threads);
    table.print(programs);
    if (options.contains("--plots")) {
      table.plots(Path.of(options.get(options.indexOf("--plots") + 1)));
    }
  }

  private void all(List<Program> programs, int threads) throws Exception {
    List<Future<?>> futures = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (Program program : programs) {
        List<Point> points = new ArrayList<>(POINTS);
        if (PROGRAMS.indexOf(program) < 2) {
          points.addAll(CURVES);
        }
        for (Point point : points) {
          if (!done.containsKey(point.key(program.name()))) {
            futures.add(pool.submit(() -> {
              run(program, point);
              return null;
            }));
          }
        }
      }
      int n = 0;
      for (Future<?> future : futures) {
        future.get();
        System.err.println(++n + " of " + futures.size() + " runs");
      }
    }
  }

  private void run(Program program, Point point) {
    var system = SystemFiles.load(point.system()).at(new Hertz(point.ghz() * 1e9));
    ProcessOptions process =
        ProcessOptions.of(program.command().toArray(String[]::new))
            .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
    try (Machine machine = Machine.load(ElfImage.read(folder.resolve(program.name())), process)) {
      TimingResult r = new TimingRun(system, machine).run(TimingRun.Window.ALL);
      if (r.exitStatus() != 0) {
        throw new IllegalStateException(program.name() + " ended with " + r.exitStatus());
      }
      StringBuilder row = new StringBuilder(point.key(program.name()));
      row.append(String.format(",%d,%d,%.9f", r.instructions(), r.cycles(), r.seconds()));
      r.stack().values().forEach(c -> row.append(',').append(c));
      r.bandwidth().forEach(b -> row.append(String.format(",%.4f", b.share())));
      keep(r, row.toString().split(","));
    }
  }

  private synchronized void keep(TimingResult r, String[] row) {
    done.put(row[0] + "," + row[1] + "," + row[2], row);
    StringBuilder text = new StringBuilder("system,clock_ghz,program,instructions,cycles,seconds");
    r.stack().keySet().forEach(c -> text.append(",cycles of ").append(c));
    r.bandwidth().forEach(b -> text.append(",bandwidth share of ").append(b.level()));
    done.values().forEach(f -> text.append('\n').append(String.join(",", f)));
    AtomicFiles.writeString(out, text + "\n");
  }

  /// Cycle stacks of the shortest program over systems and clocks, and the busiest level's share of its limit.
  private void plots(Path folder) {
    List<Point> points =
        new ArrayList<>(POINTS.stream().filter(p -> !p.system().contains("in-order")).toList());
    points.addAll(CURVES);
    points.sort(java.util.Comparator.comparing(Point::system).thenComparing(Point::ghz));
    for (Program program : PROGRAMS.subList(0, 2)) {
      List<String[]> rows = points.stream().map(p -> done.get(p.key(program.name()))).toList();
      List<String> names = points.stream().map(p -> p.system().substring(6) + " " + p.ghz()).toList();
      Plot stacks = Plot.stackedBars("Where the cycles of " + program.name() + " went", "system, GHz", "cycles per instruction", names);
      String[] causes = {"base", "branch", "fetch", "full structures", "L1", "L2", "L3", "memory"};
      for (int c = 0; c < causes.length; c++) {
        int column = 6 + c;
        stacks.bar(causes[c], rows.stream().mapToDouble(r -> Double.parseDouble(r[column]) / Double.parseDouble(r[3])).toArray());
      }
      stacks.write(folder.resolve("simulator-cycles-" + program.name() + ".svg"));
      Plot use = Plot.bars("Bandwidth of " + program.name() + " against each level's limit", "system, GHz", "share of the limit", names);
      String[] levels = {"L2", "L3", "memory"};
      for (int l = 0; l < levels.length; l++) {
        int column = 6 + causes.length + l;
        use.bar(levels[l], rows.stream().mapToDouble(r -> Double.parseDouble(r[column])).toArray());
      }
      use.write(folder.resolve("simulator-bandwidth-" + program.name() + ".svg"));
    }
  }

  private double seconds(Point point, Program program) {
    return Double.parseDouble(done.get(point.key(program.name()))[5]);
  }

  private void print(List<Program> programs) {
    StringBuilder head = new StringBuilder("| system, GHz |");
    StringBuilder rule = new StringBuilder("|---|");
    programs.forEach(p -> {
      head.append(' ').append(p.name()).append(" |");
      rule.append("---|");
    });
    System.out.println("Speedup over the 4 GHz out-of-order baseline, ours / the paper's:\n\n" + head + " geomean |\n" + rule + "---|");
    for (Point point : POINTS) {
      StringBuilder row = new StringBuilder("| " + point.paper() + ", " + point.ghz() + " |");
      double ours = 0;
      double theirs = 0;
      int known = 0;
      for (Program program : programs) {
        double speedup = seconds(BASELINE, program) / seconds(point, program);
        String other = paper.get(point.paper() + "," + point.ghz() + "," + program.paper());
        row.append(String.format(" %.2f / %s |", speedup, other == null ? "-" : String.format("%.2f", Double.parseDouble(other))));
        if (other != null) {
          ours += Math.log(speedup);
          theirs += Math.log(Double.parseDouble(other));
          known++;
        }
      }
      System.out.printf("%s %.2f / %.2f |%n", row, Math.exp(ours / known), Math.exp(theirs / known));
    }
    StringBuilder ipc = new StringBuilder("| baseline IPC |");
    for (Program program : programs) {
      String[] f = done.get(BASELINE.key(program.name()));
      ipc.append(String.format(" %.2f |", Double.parseDouble(f[3]) / Double.parseDouble(f[4])));
    }
    System.out.println(ipc + " |");
  }
}
