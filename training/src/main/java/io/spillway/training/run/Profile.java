package io.spillway.training.run;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.Precision;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.engine.SimulatedDevice;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Measured rates of this machine and its device.
///
/// @param device which device, and whether it is simulated
/// @param rows one measurement each
public record Profile(String device, List<Row> rows) {
  /// One measurement.
  ///
  /// @param value in base units
  /// @param unit a thousand million base units
  public record Row(String quantity, double value, String unit) {}

  public Profile {
    rows = List.copyOf(rows);
  }

  /// Measures.
  ///
  /// @param threads most threads of the CPU update
  public static Profile measure(Optional<DeviceSpec> spec, TrainSettings settings, int threads) {
    List<Row> rows = new ArrayList<>();
    Precision p = settings.precision();
    for (int t = 1; t <= threads; t *= 2) {
      double rate = Calibration.updateRate(p, settings.master(), t);
      rows.add(new Row("CPU update, " + t + " threads", rate, "Gparam/s"));
      int bytes = settings.master() == MasterLayout.FULL ? 24 + 3 * p.bytes() : 28;
      rows.add(new Row("  bytes it moves", rate * bytes, "GB/s"));
    }
    rows.add(new Row("host copy, read and written", Calibration.hostCopy(), "GB/s"));
    rows.add(new Row("host update in place (3 arrays)", Calibration.inPlace(1), "GB/s"));
    if (threads > 1) {
      rows.add(
          new Row(
              "host update in place, " + threads + " threads",
              Calibration.inPlace(threads),
              "GB/s"));
    }
    rows.add(new Row("gradient norm, 1 thread", Calibration.normRate(p), "Gparam/s"));
    rows.add(new Row("down-cast, 1 thread", Calibration.castRate(p), "Gparam/s"));
    spec.ifPresent(s -> link(s, rows));
    return new Profile(
        spec.map(
                s -> {
                  try (SimulatedDevice d = new SimulatedDevice(s)) {
                    return d.description();
                  }
                })
            .orElse("no device: host rates only"),
        rows);
  }

  private static void link(DeviceSpec spec, List<Row> rows) {
    long bytes = (long) Math.clamp(spec.link().bytesPerSecond() / 20, 1 << 20, 64 << 20);
    bytes = Math.min(bytes, spec.memory().bytes() / 4);
    try (SimulatedDevice device = new SimulatedDevice(spec)) {
      MemorySegment a = device.allocate(bytes, "probe");
      MemorySegment b = device.allocate(bytes, "probe");
      MemorySegment h = device.allocateHost(bytes, "probe");
      MemorySegment g = device.allocateHost(bytes, "probe");
      double up = time(() -> device.upload(h, a));
      double down = time(() -> device.download(b, g));
      rows.add(new Row("host to device", bytes / up, "GB/s"));
      rows.add(new Row("device to host", bytes / down, "GB/s"));
      double both =
          time(() -> {
            Thread other = Thread.ofPlatform().start(() -> device.download(b, g));
            device.upload(h, a);
            join(other);
          });
      rows.add(new Row("both ways at once, sum", 2 * bytes / both, "GB/s"));
      rows.add(new Row("device update (as described)", spec.updateRate(), "Gparam/s"));
    }
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static double time(Runnable work) {
    work.run();
    long begin = System.nanoTime();
    for (int i = 0; i < 3; i++) {
      work.run();
    }
    return (System.nanoTime() - begin) / 3e9;
  }
}
