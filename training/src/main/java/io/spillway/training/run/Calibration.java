package io.spillway.training.run;

import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.Casts;
import io.spillway.kernels.GradientNorm;
import io.spillway.kernels.ParallelAdam;
import io.spillway.kernels.Precision;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.plan.Rates;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Measures the rates that the performance model needs, on this machine, in about a second.
public final class Calibration {
  private Calibration() {}

  /// The rates of a device with this host: what the device's description bounds, and what the host
  /// reaches where that is less.
  public static Rates measure(
      DeviceSpec spec, Precision precision, MasterLayout master, int threads) {
    double host = updateRate(precision, master, threads);
    double alone = threads == 1 ? host : updateRate(precision, master, 1);
    return new Rates(
        Math.min(spec.link().bytesPerSecond(), hostCopy() / 2),
        Math.min(spec.link().bytesPerSecond(), hostCopy() / 2),
        spec.duplex(),
        Math.min(spec.hostUpdateRate(), host),
        Math.min(spec.updateRate(), alone),
        normRate(precision),
        Double.POSITIVE_INFINITY,
        spec.diskRate() < 1e15 ? spec.diskRate() : 1e9,
        80e-6);
  }

  /// Parameters/s of the fused CPU update.
  public static double updateRate(Precision precision, MasterLayout master, int threads) {
    long n = 1 << 22;
    try (Arena arena = Arena.ofShared();
        ParallelAdam kernel = new ParallelAdam(threads)) {
      AdamBuffers buffers =
          new AdamBuffers(
              master,
              arena.allocate(n * master.bytes(), 64),
              arena.allocate(4 * n, 64),
              arena.allocate(4 * n, 64),
              arena.allocate(n * precision.bytes(), 64),
              precision,
              arena.allocate(n * precision.bytes(), 64),
              precision);
      AdamStep step = AdamStep.of(AdamSettings.adamW(), 1e-3, 1, 1);
      return n / seconds(() -> kernel.update(step, buffers), 9);
    }
  }

  /// Parameters/s whose squares one thread sums.
  public static double normRate(Precision precision) {
    long n = 1 << 18;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment g = arena.allocate(n * precision.bytes(), 64);
      double[] sink = new double[1];
      double s =
          seconds(
              () -> {
                for (long at = 0; at < n; at += GradientNorm.BLOCK) {
                  sink[0] += GradientNorm.sumOfSquares(g, precision, at, at + GradientNorm.BLOCK);
                }
              },
              9);
      return n / s;
    }
  }

  /// Bytes/s read and written by a copy within host memory, each counted.
  public static double hostCopy() {
    long n = 64L << 20;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment a = arena.allocate(n, 64);
      MemorySegment b = arena.allocate(n, 64);
      return 2 * n / seconds(() -> b.copyFrom(a), 7);
    }
  }

  /// Bytes/s, read and written, of adding a constant to three arrays in place: the ceiling of any
  /// update that reads and writes its state. The arrays are larger than caches.
  public static double inPlace(int threads) {
    int n = (1 << 24) / threads;
    float[][][] arrays = new float[threads][3][n];
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      List<Callable<Boolean>> works = new ArrayList<>();
      for (float[][] mine : arrays) {
        works.add(() -> {
          addOne(mine);
          return true;
        });
      }
      return 24.0 * n * threads / seconds(() -> all(pool, works), 15);
    }
  }

  private static void all(ExecutorService pool, List<Callable<Boolean>> works) {
    try {
      for (Future<Boolean> done : pool.invokeAll(works)) {
        if (!done.get()) {
          throw new IllegalStateException("a thread did nothing");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  private static void addOne(float[][] arrays) {
    for (float[] array : arrays) {
      for (int i = 0; i < array.length; i++) {
        array[i] += 1;
      }
    }
  }

  /// Parameters/s that one thread rounds from single precision.
  public static double castRate(Precision precision) {
    long n = 1 << 20;
    try (Arena arena = Arena.ofShared()) {
      MemorySegment from = arena.allocate(4 * n, 64);
      MemorySegment to = arena.allocate(4 * n, 64);
      return n / seconds(() -> Casts.fromFloats(from, to, precision, n), 9);
    }
  }

  private static double seconds(Runnable work, int runs) {
    return SteadyTiming.of(work, runs, 500_000_000L).seconds();
  }
}
