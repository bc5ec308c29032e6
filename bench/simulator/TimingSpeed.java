import io.spillway.platform.units.Hertz;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.timing.TimingResult;
import io.spillway.simulator.timing.TimingRun;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Speed of a timing model on one program, three runs in one process.
///
/// Usage: `bench/simulator/run TimingSpeed.java SYSTEM GHZ PROGRAM [ARGS]`. Prints a table row: instructions, then
/// million instructions per second of wall time of the whole process up to the end of the first run (start of the JVM
/// and compilation included), of that run alone, and of the second and third.
public final class TimingSpeed {
  public static void main(String[] args) throws Exception {
    if (args.length < 3) {
      System.err.println("usage: TimingSpeed SYSTEM GHZ PROGRAM [ARGS]");
      System.exit(2);
    }
    var system = SystemFiles.load(args[0]).at(new Hertz(Double.parseDouble(args[1]) * 1e9));
    List<String> command = Arrays.asList(args).subList(2, args.length);
    StringBuilder row = new StringBuilder();
    for (int run = 0; run < 3; run++) {
      ProcessOptions process =
          ProcessOptions.of(command.toArray(String[]::new))
              .withOutput(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
      try (Machine machine = Machine.load(ElfImage.read(Path.of(args[2])), process)) {
        TimingResult r = new TimingRun(system, machine).run(TimingRun.Window.ALL);
        if (run == 0) {
          double whole = (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3;
          row.append(String.format("| %s | %s | %s | %,d | %.3f | %.1f |", args[0], args[1],
              Path.of(args[2]).getFileName() + " " + String.join(" ", command.subList(1, command.size())),
              r.instructions(), r.cpi(), r.instructions() / whole / 1e6));
        }
        row.append(String.format(" %.1f |", r.millionsPerSecond()));
      }
    }
    System.out.println(row);
  }
}
