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
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/// Measures a device that has rates of its own: its link one way and both ways, its update and
/// norm, the CPU update from page-locked memory, and all of them while the others run.
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
    double cpuUpdateBusy) {
  private static final double OVERHEAD_SECONDS = 60e-6;
  private static final long WARM_NS = 300_000_000;
  private static final long COMPILE_NS = 2_000_000_000;

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
        onHost.add(device.allocateHost(narrow, "probe"));
      }
      onHost.add(device.allocateHost(state, "probe"));
      AdamStep step = AdamStep.of(AdamSettings.adamW(), 1e-3, 1, 1);
      AdamBuffers there =
          buffers(master, precision, n, onDevice.get(0), onDevice.get(2), onDevice.get(3));
      AdamBuffers here = buffers(master, precision, n, onHost.get(4), onHost.get(2), onHost.get(3));
      Runnable up = () -> device.upload(onHost.get(0), onDevice.get(0));
      Runnable down = () -> device.download(onDevice.get(1), onHost.get(1));
      Runnable cpu = () -> kernel.update(step, here);
      long all = n;
      double deviceUpdate = all / alone(() -> device.update(step, there), WARM_NS);
      double norm =
          all / alone(() -> device.sumsOfSquares(onDevice.get(2), precision, 0, all), WARM_NS);
      double cpuAlone = all / alone(cpu, COMPILE_NS);
      double upAlone = state / alone(up, WARM_NS);
      double downAlone = state / alone(down, WARM_NS);
      double[] both = together(up, down);
      double[] busy = together(up, down, cpu);
      return new DeviceCalibration(
          upAlone,
          downAlone,
          state / both[0],
          state / both[1],
          cpuAlone,
          deviceUpdate,
          norm,
          state / busy[0],
          state / busy[1],
          all / busy[2]);
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

  /// Median seconds of `work` when nothing else runs.
  ///
  /// @param warmNs how long it runs before: links wake up, compilers need seconds
  private static double alone(Runnable work, long warmNs) {
    for (long end = System.nanoTime() + warmNs; System.nanoTime() < end; ) {
      work.run();
    }
    double[] times = new double[7];
    for (int i = 0; i < times.length; i++) {
      long begin = System.nanoTime();
      work.run();
      times[i] = (System.nanoTime() - begin) / 1e9;
    }
    Arrays.sort(times);
    return times[times.length / 2];
  }

  /// Mean seconds of each of `works` while all of them run again and again.
  private static double[] together(Runnable... works) {
    double[] seconds = new double[works.length];
    AtomicBoolean stop = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < works.length; i++) {
      int mine = i;
      threads.add(
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                works[mine].run();
                int runs = 0;
                long begin = System.nanoTime();
                while (!stop.get()) {
                  works[mine].run();
                  runs++;
                }
                seconds[mine] = (System.nanoTime() - begin) / 1e9 / Math.max(1, runs);
              }));
    }
    try {
      Thread.sleep(700);
      stop.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return seconds;
  }
}
