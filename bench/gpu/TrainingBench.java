import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Progress;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.Torch;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.CudaDevice;
import io.spillway.training.run.DeviceCalibration;
import io.spillway.training.run.ModelSource;
import io.spillway.training.run.ScheduleComparison;
import io.spillway.training.run.TrainDevice;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Parity of the CUDA device and steps of several llama shapes under every schedule, in one process
 * because starting, locking memory and measuring rates take a while. What is done is written after
 * every schedule.
 *
 * <p>Arguments: cuda (or cpu, to rehearse over another driver), output JSON, folder of the shapes'
 * config.json, folder for adam.py, seconds, CPU threads, then parts:
 * shape/budget bytes (0: all)/schedules/steps/options, where options are letters: s checksum, d
 * deterministic, h split master.
 */
public final class TrainingBench {
  private static final long BEGIN = System.nanoTime();

  public static void main(String[] args) {
    ComputeDevice processor = Devices.choose(args[0]);
    Path out = Path.of(args[1]);
    Path shapes = Path.of(args[2]);
    double deadline = Double.parseDouble(args[4]);
    int threads = Integer.parseInt(args[5]);
    Map<String, Object> all = new LinkedHashMap<>();
    CudaDevice device = new CudaDevice(processor, Long.MAX_VALUE);
    String text =
        device.description() + ", driver " + device.context().driverVersion() + ", sm_"
            + device.context().architecture();
    say(text);
    all.put("device", text);
    try {
      DeviceCalibration full = calibrate(device, MasterLayout.FULL, threads);
      DeviceCalibration split = calibrate(device, MasterLayout.SPLIT, threads);
      say("rates: " + full);
      say("rates with a split master: " + split);
      all.put("rates", full);
      all.put("rates_split", split);
      Map<String, Object> parts = new LinkedHashMap<>();
      all.put("parts", parts);
      for (int i = 6; i < args.length; i++) {
        String[] part = args[i].split("/");
        try {
          part(device, processor, part, shapes, threads, deadline, full, split, parts, out, all);
        } catch (RuntimeException | Error e) {
          say(args[i] + " failed: " + e);
          e.printStackTrace();
          parts.put(args[i], Map.of("error", e.toString()));
        }
        write(out, all);
      }
      // last: its runs in every precision would be what the compiler learns of the kernel
      List<Map<String, String>> checks = TrainingParity.run(device, Path.of(args[3]));
      long failed = checks.stream().filter(c -> !c.get("outcome").equals("same bits")).count();
      say(checks.size() + " checks against the scalar twin, " + failed + " failed");
      all.put("parity", checks);
      write(out, all);
    } catch (RuntimeException | Error e) {
      say("failed: " + e);
      e.printStackTrace();
      all.put("error", e.toString());
      write(out, all);
    }
    System.exit(0);
  }

  /** Up to three times, until the repeated runs agree; the steadiest counts. */
  private static DeviceCalibration calibrate(CudaDevice device, MasterLayout master, int threads) {
    DeviceCalibration best = null;
    for (int i = 0; i < 3 && (best == null || !best.isSteady()); i++) {
      DeviceCalibration now =
          DeviceCalibration.measure(
              device, TrainSettings.defaults().precision(), master, threads);
      best = best == null || now.spread() < best.spread() ? now : best;
    }
    if (!best.isSteady()) {
      say("UNSTEADY rates: predictions and the chosen split rest on them");
    }
    return best;
  }

  private static void part(
      CudaDevice device,
      ComputeDevice processor,
      String[] part,
      Path shapes,
      int threads,
      double deadline,
      DeviceCalibration full,
      DeviceCalibration split,
      Map<String, Object> parts,
      Path out,
      Map<String, Object> all) {
    String options = part.length > 4 ? part[4] : "";
    long budget = Long.parseLong(part[1]) == 0 ? Long.MAX_VALUE : Long.parseLong(part[1]);
    boolean halves = options.contains("h");
    DecoderConfig config = ModelSource.shape(shapes.resolve(part[0]).resolve("config.json"));
    device.budget(budget);
    Torch.deterministic(options.contains("d"));
    TrainDevice where = new TrainDevice.Cuda(processor, budget);
    // with the schedules, since one shape may come in several parts
    String name =
        part[0] + (budget == Long.MAX_VALUE ? " without a budget" : "") + (halves ? " split" : "")
            + ": " + part[2];
    Map<String, ScheduleComparison.Row> rows = new LinkedHashMap<>();
    Map<String, String> refused = new LinkedHashMap<>();
    try (ScheduleComparison comparison =
        ScheduleComparison.on(
            device, config, where, Optional.of((halves ? split : full).rates()),
            settings(halves, Math.min(2048, config.maxPositions())), threads, Long.MAX_VALUE,
            Progress.silent())) {
      say(name + ": passes alone " + comparison.workload().computeSeconds() + " s");
      double longest = 0;
      for (String schedule : part[2].split(",")) {
        double begin = now();
        if (begin + longest > deadline) {
          refused.put(schedule, "no time left");
          continue;
        }
        try {
          ScheduleComparison.Row row =
              comparison.run(
                  comparison.schedule(schedule), Integer.parseInt(part[3]), options.contains("s"));
          rows.put(schedule, row);
          say(
              String.format(
                  Locale.ROOT,
                  "%s %s: step %.3f s, predicted %.3f, forward %.3f, backward %.3f, update %.3f, bare"
                      + " %.3f",
                  name, schedule, row.seconds(), row.predictedSeconds(), row.forwardSeconds(),
                  row.backwardSeconds(), row.updateSeconds(), row.bareUpdateSeconds()));
        } catch (RuntimeException e) {
          refused.put(schedule, String.valueOf(e.getMessage()));
          say(name + " " + schedule + ": " + e);
        }
        longest = Math.max(longest, now() - begin);
        parts.put(name, comparison.summary(rows, refused));
        write(out, all);
      }
      parts.put(name, comparison.summary(rows, refused));
    }
  }

  private static TrainSettings settings(boolean halves, int sequence) {
    TrainSettings d = TrainSettings.defaults();
    return new TrainSettings(
        1, 1, sequence, d.precision(), d.adam(), d.learningRate(), 1, 0, Optional.empty(),
        halves ? MasterLayout.SPLIT : MasterLayout.FULL, true, d.scaling(), Optional.empty(), 3, 0);
  }

  private static double now() {
    return (System.nanoTime() - BEGIN) / 1e9;
  }

  private static void say(String text) {
    System.out.printf(Locale.ROOT, "%6.1f s  %s%n", now(), text);
    System.out.flush();
  }

  private static void write(Path out, Map<String, Object> all) {
    AtomicFiles.writeString(out, Json.write(all));
  }
}
