import io.spillway.platform.AtomicFiles;
import io.spillway.platform.units.Hertz;
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
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Compares cycles per instruction with a table of gem5 runs.
///
/// Usage: `bench/simulator/run Calibrate.java DATA OUT.csv [--quick] [--threads N] [--system REGEX] [--clock REGEX]
/// [--program REGEX]`. DATA holds `results.csv` and `elf/`. OUT.csv gets a row per finished run; rows that it
/// holds already are not run again. `--quick` leaves out programs of over five million instructions.
public final class Calibrate {
  /// Kinds of program, for the table by family.
  private static final Map<String, List<String>> FAMILIES = new LinkedHashMap<>();

  static {
    FAMILIES.put(
        "chains of one unit",
        List.of("add_chain", "add_ilp", "mul_chain", "div_chain", "fadd_chain", "fma_ilp", "fdiv_sqrt"));
    FAMILIES.put("branches and calls", List.of("branch_pattern", "branch_random", "call_fib", "call_indirect"));
    FAMILIES.put(
        "one access pattern",
        List.of("chase_l1", "chase_l2", "chase_mem", "stride_64", "store_forward", "stream_triad"));
    FAMILIES.put("sorts and joins", List.of("quicksort", "bucket_sort", "hash_join"));
    FAMILIES.put("algebra", List.of("matmul", "spmv", "stencil"));
    FAMILIES.put("graphs", List.of("bfs", "pagerank"));
  }

  /// Programs that no commit and no page of results names as the reason for a change of a model.
  private static final Set<String> NEVER_NAMED =
      Set.of("add_chain", "add_ilp", "mul_chain", "div_chain", "fadd_chain", "fma_ilp", "fdiv_sqrt",
          "branch_pattern", "call_indirect", "chase_l1", "store_forward");

  /// Counts of gem5 below this are not compared.
  private static final long FEW = 1000;

  private static final String HEADER =
      "system,clock_ghz,program,gem5_cpi,cpi,error_percent,cycles,instructions,gem5_l1d_accesses,l1d_accesses,gem5_l1d_misses,l1d_misses,"
          + "gem5_l2_misses,l2_misses,gem5_conditional_mispredicts,gem5_mispredicts,mispredicts,conditional_mispredicts,target_mispredicts,wrong_path_mispredicts,decode_redirects,gem5_dram_reads,dram_reads,gem5_dram_writes,dram_writes";

  private record Row(String system, double ghz, String program, String[] fields) {
    double cpi() {
      return Double.parseDouble(fields[5]);
    }

    String key() {
      return system + "," + fields[1] + "," + program;
    }
  }

  private final Path data;
  private final Path out;
  private final Map<String, String> done = new HashMap<>();

  private Calibrate(Path data, Path out) throws IOException {
    this.data = data;
    this.out = out;
    if (Files.exists(out)) {
      for (String line : Files.readAllLines(out)) {
        String[] f = line.split(",", -1);
        if (f.length == HEADER.split(",").length && !f[0].equals("system")) {
          done.put(f[0] + "," + f[1] + "," + f[2], line);
        }
      }
    }
  }

  private static String ours(String system) {
    return system.toLowerCase().replace("+", "-").replace(" ", "-");
  }

  public static void main(String[] args) throws Exception {
    if (args.length < 2) {
      System.err.println("usage: Calibrate DATA OUT.csv [--quick] [--threads N] [--system R] [--clock R] [--program R]");
      System.exit(2);
    }
    String system = ".*";
    String clock = ".*";
    String program = ".*";
    boolean quick = false;
    int threads = Runtime.getRuntime().availableProcessors();
    for (int i = 2; i < args.length; i++) {
      switch (args[i]) {
        case "--quick" -> quick = true;
        case "--threads" -> threads = Integer.parseInt(args[++i]);
        case "--system" -> system = args[++i];
        case "--clock" -> clock = args[++i];
        case "--program" -> program = args[++i];
        default -> throw new IllegalArgumentException("unknown option " + args[i]);
      }
    }
    Path data = Path.of(args[0]);
    List<Row> rows = new ArrayList<>();
    for (String line : Files.readAllLines(data.resolve("results.csv"))) {
      String[] f = line.split(",", -1);
      if (f[0].equals("system") || f[5].isEmpty() || !SystemFiles.NAMES.contains(ours(f[0]))) {
        continue;
      }
      if (f[0].matches(system)
          && f[1].matches(clock)
          && f[2].matches(program)
          && (!quick || Long.parseLong(f[3]) < 5_000_000)) {
        rows.add(new Row(f[0], Double.parseDouble(f[1]), f[2], f));
      }
    }
    new Calibrate(data, Path.of(args[1])).all(rows, threads);
  }

  private void all(List<Row> rows, int threads) throws Exception {
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> futures = new ArrayList<>();
      for (Row row : rows) {
        if (!done.containsKey(row.key())) {
          futures.add(pool.submit(() -> {
            finished(row, run(row));
            return null;
          }));
        }
      }
      int n = 0;
      for (Future<?> future : futures) {
        future.get();
        if (++n % 25 == 0) {
          System.err.println(n + " of " + futures.size() + " runs");
        }
      }
    }
    report(rows);
  }

  private synchronized void finished(Row row, TimingResult r) throws IOException {
    String[] g = row.fields();
    done.put(
        row.key(),
        String.format(
            "%s,%.5f,%.5f,%.2f,%d,%d,%s,%d,%s,%d,%s,%d,%s,%s,%d,%d,%d,%d,%d,%s,%d,%s,%d",
            row.key(), row.cpi(), r.cpi(), (r.cpi() / row.cpi() - 1) * 100, r.cycles(), r.instructions(),
            g[9], r.caches().get(1).accesses(), g[10], r.caches().get(1).misses(), g[12], r.caches().get(2).misses(), g[15], g[16],
            r.mispredicts(), r.conditionalMispredicts(), r.targetMispredicts(), r.wrongPathMispredicts(), r.decodeRedirects(), g[18], r.dramReads(), g[19], r.dramWrites()));
    List<String> lines = new ArrayList<>(done.values());
    Collections.sort(lines);
    lines.add(0, HEADER);
    AtomicFiles.writeString(out, String.join("\n", lines) + "\n");
  }

  private void report(List<Row> rows) {
    Map<String, List<Double>> groups = new TreeMap<>();
    List<String[]> over = new ArrayList<>();
    for (Row row : rows) {
      String[] f = done.get(row.key()).split(",", -1);
      double error = (Double.parseDouble(f[4]) / Double.parseDouble(f[3]) - 1) * 100;
      String group = row.system() + " @ " + row.fields()[1] + " GHz";
      groups.computeIfAbsent(group, k -> new ArrayList<>()).add(Math.abs(error));
      groups.computeIfAbsent("**all**", k -> new ArrayList<>()).add(Math.abs(error));
      if (Math.abs(error) > 8) {
        over.add(f);
      }
    }
    errors("system", groups);
    errors("family", byFamily(rows));
    counts(rows);
    over.sort(Comparator.comparing(f -> -Math.abs(Double.parseDouble(f[5]))));
    System.out.println("\nBeyond 8 %:\n\n| system | GHz | program | gem5 | ours | error % |\n|---|---|---|---|---|---|");
    over.forEach(f -> System.out.printf("| %s | %s | %s | %s | %s | %+.1f |%n", f[0], f[1], f[2], f[3], f[4], Double.parseDouble(f[5])));
  }

  private static void errors(String title, Map<String, List<Double>> groups) {
    System.out.printf(
        "%n| %s | runs | mean %% | median %% | 95th percentile %% | largest %% |%n|---|---|---|---|---|---|%n", title);
    groups.forEach(
        (name, errors) -> {
          Collections.sort(errors);
          System.out.printf(
              "| %s | %d | %.1f | %.1f | %.1f | %.1f |%n",
              name,
              errors.size(),
              errors.stream().mapToDouble(Double::doubleValue).average().orElse(0),
              errors.get(errors.size() / 2),
              errors.get((int) (errors.size() * 0.95)),
              errors.getLast());
        });
  }

  private Map<String, List<Double>> byFamily(List<Row> rows) {
    Map<String, List<Double>> groups = new LinkedHashMap<>();
    FAMILIES.keySet().forEach(family -> groups.put(family, new ArrayList<>()));
    List<Double> named = new ArrayList<>();
    List<Double> never = new ArrayList<>();
    for (Row row : rows) {
      double error = Math.abs(Double.parseDouble(done.get(row.key()).split(",", -1)[5]));
      FAMILIES.forEach(
          (family, programs) -> {
            if (programs.contains(row.program())) {
              groups.get(family).add(error);
            }
          });
      (NEVER_NAMED.contains(row.program()) ? never : named).add(error);
    }
    groups.put("named in notes on the models", named);
    groups.put("never named", never);
    groups.values().removeIf(List::isEmpty);
    return groups;
  }

  /// Misses and mispredicts beside gem5's, by kind of core: differences in percent of gem5's count.
  private void counts(List<Row> rows) {
    List<String> columns = List.of(HEADER.split(","));
    Map<String, String[]> pairs = new LinkedHashMap<>();
    pairs.put("accesses of L1D", new String[] {"gem5_l1d_accesses", "l1d_accesses"});
    pairs.put("misses of L1D", new String[] {"gem5_l1d_misses", "l1d_misses"});
    pairs.put("misses of L2", new String[] {"gem5_l2_misses", "l2_misses"});
    pairs.put("reads of DRAM", new String[] {"gem5_dram_reads", "dram_reads"});
    pairs.put("mispredicts committed", new String[] {"gem5_mispredicts", "mispredicts"});
    pairs.put(
        "corrections of the predictor",
        new String[] {
          "gem5_conditional_mispredicts", "conditional_mispredicts", "target_mispredicts", "wrong_path_mispredicts", "decode_redirects"
        });
    System.out.printf(
        "%n| count | core | runs | mean %% | median %% | 95th percentile %% | largest %% |%n|---|---|---|---|---|---|---|%n");
    pairs.forEach(
        (name, pair) -> {
          for (boolean inOrder : new boolean[] {true, false}) {
            List<Double> differences = new ArrayList<>();
            for (Row row : rows) {
              String[] f = done.get(row.key()).split(",", -1);
              String theirs = f[columns.indexOf(pair[0])];
              if ((row.system().equals("minor") || row.system().contains("in-order")) != inOrder
                  || theirs.isEmpty()
                  || Double.parseDouble(theirs) < FEW) {
                continue;
              }
              double ours = 0;
              for (int i = 1; i < pair.length; i++) {
                ours += Double.parseDouble(f[columns.indexOf(pair[i])]);
              }
              differences.add(Math.abs(ours / Double.parseDouble(theirs) - 1) * 100);
            }
            if (!differences.isEmpty()) {
              Collections.sort(differences);
              System.out.printf(
                  "| %s | %s | %d | %.1f | %.1f | %.1f | %.1f |%n",
                  name,
                  inOrder ? "in order" : "out of order",
                  differences.size(),
                  differences.stream().mapToDouble(Double::doubleValue).average().orElse(0),
                  differences.get(differences.size() / 2),
                  differences.get((int) (differences.size() * 0.95)),
                  differences.getLast());
            }
          }
        });
  }

  private TimingResult run(Row row) {
    var system = SystemFiles.load(ours(row.system())).at(new Hertz(row.ghz() * 1e9));
    ProcessOptions process =
        ProcessOptions.of(row.program())
            .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
    ElfImage image = ElfImage.read(data.resolve("elf").resolve(row.program()));
    try (Machine machine = Machine.load(image, process)) {
      return new TimingRun(system, machine).run(TimingRun.Window.ALL);
    }
  }
}
