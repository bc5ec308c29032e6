import io.spillway.platform.units.Hertz;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Compares cycles per instruction with a table of gem5 runs.
///
/// Usage: `java -cp CLASSPATH bench/simulator/Calibrate.java DATA [SYSTEM] [CLOCK] [PROGRAM]`, where DATA
/// holds `results.csv` and `elf/`, and the others are regular expressions.
public final class Calibrate {
  private record Row(String system, double ghz, String program, double cpi) {}

  private record Done(Row row, TimingResult result) {
    double error() {
      return (result.cpi() / row.cpi() - 1) * 100;
    }
  }

  private static String ours(String system) {
    return system.toLowerCase().replace("+", "-").replace(" ", "-");
  }

  public static void main(String[] args) throws Exception {
    Path data = Path.of(args[0]);
    String[] wanted = {".*", ".*", ".*"};
    System.arraycopy(args, 1, wanted, 0, args.length - 1);
    List<Row> rows = new ArrayList<>();
    for (String line : Files.readAllLines(data.resolve("results.csv"))) {
      String[] f = line.split(",", -1);
      if (f[0].equals("system") || f[5].isEmpty() || !SystemFiles.NAMES.contains(ours(f[0]))) {
        continue;
      }
      if (f[0].matches(wanted[0]) && f[1].matches(wanted[1]) && f[2].matches(wanted[2])) {
        rows.add(new Row(f[0], Double.parseDouble(f[1]), f[2], Double.parseDouble(f[5])));
      }
    }
    List<Future<Done>> futures = new ArrayList<>();
    List<Done> done = new ArrayList<>();
    int threads = Runtime.getRuntime().availableProcessors();
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (Row row : rows) {
        futures.add(pool.submit(() -> run(data, row)));
      }
      for (Future<Done> future : futures) {
        done.add(future.get());
      }
    }
    done.sort(
        Comparator.comparing((Done d) -> d.row().system())
            .thenComparing(d -> d.row().ghz())
            .thenComparing(d -> -Math.abs(d.error())));
    Map<String, List<Double>> groups = new TreeMap<>();
    for (Done d : done) {
      System.out.printf(
          "%-24s %5.0f GHz %-15s gem5 %10.4f ours %10.4f %+6.1f %% mispredicted %d%n",
          d.row().system(),
          d.row().ghz(),
          d.row().program(),
          d.row().cpi(),
          d.result().cpi(),
          d.error(),
          d.result().conditionalMispredicts());
      String group = String.format("%s @ %.0f GHz", d.row().system(), d.row().ghz());
      groups.computeIfAbsent(group, k -> new ArrayList<>()).add(Math.abs(d.error()));
      groups.computeIfAbsent("~ all", k -> new ArrayList<>()).add(Math.abs(d.error()));
    }
    groups.forEach(
        (name, errors) -> {
          Collections.sort(errors);
          System.out.printf(
              "| %s | %d | %.1f | %.1f | %.1f |%n",
              name,
              errors.size(),
              errors.get(errors.size() / 2),
              errors.get((int) (errors.size() * 0.95)),
              errors.getLast());
        });
  }

  private static Done run(Path data, Row row) {
    var system = SystemFiles.load(ours(row.system())).at(new Hertz(row.ghz() * 1e9));
    ProcessOptions process =
        ProcessOptions.of(row.program())
            .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
    ElfImage image = ElfImage.read(data.resolve("elf").resolve(row.program()));
    try (Machine machine = Machine.load(image, process)) {
      return new Done(row, new TimingRun(system, machine).run(TimingRun.Window.ALL));
    }
  }
}
