package io.spillway.training.run;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.Precision;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

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
  public static Profile measure(TrainDevice device, TrainSettings settings, int threads) {
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
    if (!device.offloads()) {
      return new Profile("no device: host rates only", rows);
    }
    try (Device opened = device.open()) {
      DeviceCalibration c = DeviceCalibration.measure(opened, p, settings.master(), threads);
      device(c, rows);
      String note =
          c.isSteady()
              ? ""
              : String.format(
                  Locale.ROOT,
                  "; unsteady: repeated runs differ by up to %.0f %%, something else is running",
                  100 * c.spread());
      return new Profile(opened.description() + note, rows);
    }
  }

  private static void device(DeviceCalibration c, List<Row> rows) {
    rows.add(new Row("host to device", c.up(), "GB/s"));
    rows.add(new Row("device to host", c.down(), "GB/s"));
    rows.add(new Row("host to device, both ways at once", c.upBoth(), "GB/s"));
    rows.add(new Row("device to host, both ways at once", c.downBoth(), "GB/s"));
    rows.add(new Row("device update", c.deviceUpdate(), "Gparam/s"));
    rows.add(new Row("device norm", c.norm(), "Gparam/s"));
    rows.add(new Row("CPU update from locked memory", c.cpuUpdate(), "Gparam/s"));
    rows.add(new Row("  while both ways are busy", c.cpuUpdateBusy(), "Gparam/s"));
    rows.add(new Row("host to device, all busy", c.upBusy(), "GB/s"));
    rows.add(new Row("device to host, all busy", c.downBusy(), "GB/s"));
  }
}
