package io.spillway.training.run;

import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.GradientNorm;
import io.spillway.kernels.ParallelAdam;
import io.spillway.kernels.Precision;
import io.spillway.training.engine.Device;
import io.spillway.training.plan.Rates;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/// Measures a device that has rates of its own: its link one way and both ways, its update and
/// norm, the CPU update from page-locked memory, and all of them while the others run. Each is the
/// median of repeated runs after a warm-up ([SteadyTiming]).
///
/// @param up bytes/s to the device alone
/// @param down bytes/s from the device alone
/// @param upBoth bytes/s to the device while the other direction runs
/// @param downBoth bytes/s from the device while the other direction runs
/// @param cpuUpdate parameters/s of the CPU update alone
/// @param deviceUpdate parameters/s of the device's update
/// @param norm parameters/s of the device's norm
/// @param upBusy bytes/s to the device while the other direction and the CPU update run
/// @param downBusy bytes/s from the device meanwhile
/// @param cpuUpdateBusy parameters/s of the CPU update while both directions run
/// @param spread the widest spread of any of them, a share of its median
public record DeviceCalibration(
    double up,
    double down,
    double upBoth,
    double downBoth,
    double cpuUpdate,
    double deviceUpdate,
    double norm,
    double upBusy,
    double downBusy,
    double cpuUpdateBusy,
    double spread) {
  private static final double OVERHEAD_SECONDS = 60e-6;
  private static final int RUNS = 9;
  private static final long WARM_NS = 200_000_000;
  private static final long COMPILE_NS = 1_000_000_000;
  private static final long WINDOW_NS = 600_000_000;

  /// Pieces that the CPU update goes round: together they are larger than the caches of a server,
  /// which hold one piece and would let the update look twice as fast as it is.
  private static final int PIECES = 8;

  /// Whether the repeated runs agree well enough for a plan to rest on them.
  public boolean isSteady() {
    return spread <= SteadyTiming.MOST_SPREAD;
  }

  /// As the performance model takes them.
  public DeviceRates rates() {
    return new DeviceRates(
        rates(upBusy, downBusy, cpuUpdateBusy), rates(upBoth, downBoth, cpuUpdate));
  }

  private Rates rates(double in, double out, double cpu) {
    return new Rates(
        in, out, true, cpu, deviceUpdate, norm, Double.POSITIVE_INFINITY, 1e9, OVERHEAD_SECONDS);
  }

  /// Measures for some seconds.
  public static DeviceCalibration measure(
      Device device, Precision precision, MasterLayout master, int threads) {
    long free = device.capacity() - device.used();
    long n = Math.min(1L << 24, free / 4 / (24 + 2L * precision.bytes()));
    n = Math.max(1, n / GradientNorm.BLOCK) * GradientNorm.BLOCK;
    long state = n * (master.bytes() + 8);
    List<MemorySegment> onDevice = new ArrayList<>();
    List<MemorySegment> onHost = new ArrayList<>();
    try (ParallelAdam kernel = new ParallelAdam(threads)) {
      for (int i = 0; i < 2; i++) {
        onDevice.add(device.allocate(state, "probe"));
        onHost.add(device.allocateHost(state, "probe"));
      }
      long narrow = n * precision.bytes();
      for (int i = 0; i < 2; i++) {
        onDevice.add(device.allocate(narrow, "probe"));
        onHost.add(device.allocateHost(PIECES * narrow, "probe"));
      }
      onHost.add(device.allocateHost(PIECES * state, "probe"));
      AdamStep step = AdamStep.of(AdamSettings.adamW(), 1e-3, 1, 1);
      AdamBuffers there =
          buffers(master, precision, n, onDevice.get(0), onDevice.get(2), onDevice.get(3));
      List<AdamBuffers> here = new ArrayList<>();
      for (int i = 0; i < PIECES; i++) {
        here.add(
            buffers(
                master,
                precision,
                n,
                onHost.get(4).asSlice(i * state, state),
                onHost.get(2).asSlice(i * narrow, narrow),
                onHost.get(3).asSlice(i * narrow, narrow)));
      }
      Runnable up = () -> device.upload(onHost.get(0), onDevice.get(0));
      Runnable down = () -> device.download(onDevice.get(1), onHost.get(1));
      AtomicInteger runs = new AtomicInteger();
      Runnable cpu =
          () -> kernel.update(step, here.get(Math.floorMod(runs.getAndIncrement(), PIECES)));
      long all = n;
      SteadyTiming deviceUpdate = SteadyTiming.of(() -> device.update(step, there), RUNS, WARM_NS);
      SteadyTiming norm =
          SteadyTiming.of(
              () -> device.sumsOfSquares(onDevice.get(2), precision, 0, all), RUNS, WARM_NS);
      SteadyTiming cpuAlone = SteadyTiming.of(cpu, RUNS, COMPILE_NS);
      SteadyTiming upAlone = SteadyTiming.of(up, RUNS, WARM_NS);
      SteadyTiming downAlone = SteadyTiming.of(down, RUNS, WARM_NS);
      List<SteadyTiming> both = SteadyTiming.together(WINDOW_NS, up, down);
      List<SteadyTiming> busy = SteadyTiming.together(WINDOW_NS, up, down, cpu);
      List<SteadyTiming> every = new ArrayList<>(both);
      every.addAll(busy);
      every.addAll(List.of(deviceUpdate, norm, cpuAlone, upAlone, downAlone));
      return new DeviceCalibration(
          state / upAlone.seconds(),
          state / downAlone.seconds(),
          state / both.get(0).seconds(),
          state / both.get(1).seconds(),
          all / cpuAlone.seconds(),
          all / deviceUpdate.seconds(),
          all / norm.seconds(),
          state / busy.get(0).seconds(),
          state / busy.get(1).seconds(),
          all / busy.get(2).seconds(),
          SteadyTiming.widest(every));
    } finally {
      onDevice.forEach(device::free);
      onHost.forEach(device::freeHost);
    }
  }

  private static AdamBuffers buffers(
      MasterLayout master,
      Precision precision,
      long n,
      MemorySegment state,
      MemorySegment gradient,
      MemorySegment weight) {
    long first = n * master.bytes();
    return new AdamBuffers(
        master,
        state.asSlice(0, first),
        state.asSlice(first, 4 * n),
        state.asSlice(first + 4 * n, 4 * n),
        gradient,
        precision,
        weight,
        precision);
  }
}
