import io.spillway.simulator.functional.FunctionalEngine;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.machine.Scheduler;
import java.io.OutputStream;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Where the time of a functional run goes: a table row after 1, 2, 5, 10, 20, 50, ... million instructions and then
/// after each half thousand million, with the rate since the row before.
///
/// Usage: `bench/simulator/run FunctionalSpeed.java LIMIT PROGRAM [ARGS]`; LIMIT in millions of
/// instructions. Columns: instructions in millions, milliseconds of wall time and of the executing thread's CPU time
/// since the program was loaded, milliseconds in HotSpot's compilers, regions' entries, million instructions per second of
/// wall time in this row.
public final class FunctionalSpeed {
  public static void main(String[] args) throws Exception {
    if (args.length < 2) {
      System.err.println("usage: FunctionalSpeed LIMIT-IN-MILLIONS PROGRAM [ARGS]");
      System.exit(2);
    }
    long limit = Long.parseLong(args[0]) * 1_000_000;
    List<String> command = Arrays.asList(args).subList(1, args.length);
    CompilationMXBean compilers = ManagementFactory.getCompilationMXBean();
    var threads = ManagementFactory.getThreadMXBean();
    System.out.printf("%10s %9s %9s %9s %7s %9s  %s%n", "Minstr", "wall ms", "CPU ms", "JIT ms", "entries", "M/s", command);
    var process =
        ProcessOptions.of(command.toArray(String[]::new))
            .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
    try (Machine machine = Machine.load(ElfImage.read(Path.of(args[1])), process)) {
      FunctionalEngine engine = new FunctionalEngine(machine);
      Scheduler scheduler = new Scheduler(machine, engine);
      long begin = System.nanoTime();
      long cpu = threads.getCurrentThreadCpuTime();
      long jit = compilers.getTotalCompilationTime();
      long last = 0;
      double lastWall = 0;
      for (long stop : stops(limit)) {
        scheduler.runUntil(stop);
        double wall = (System.nanoTime() - begin) / 1e6;
        System.out.printf(
            "%10.1f %9.1f %9.1f %9d %7d %9.1f%n",
            machine.retired() / 1e6,
            wall,
            (threads.getCurrentThreadCpuTime() - cpu) / 1e6,
            compilers.getTotalCompilationTime() - jit,
            engine.regions(),
            (machine.retired() - last) / (wall - lastWall) / 1e3);
        last = machine.retired();
        lastWall = wall;
        if (machine.isFinished()) {
          return;
        }
      }
    }
  }

  private static long[] stops(long limit) {
    long[] early = {1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000};
    var all = java.util.stream.LongStream.concat(
        Arrays.stream(early).map(m -> m * 1_000_000),
        java.util.stream.LongStream.iterate(1_500_000_000, n -> n + 500_000_000).limit(1 + limit / 500_000_000));
    return all.filter(n -> n <= limit).toArray();
  }
}
