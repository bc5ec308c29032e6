package io.spillway.training.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/// A time that was measured often enough to be believed: the work first runs until it no longer
/// gets faster (compilers and links need seconds), then a group of runs gives median and spread; a
/// group that scatters too much, because something else ran or the code was compiled anew, is
/// measured again.
///
/// @param seconds median of the steadiest group
/// @param spread range of its middle runs over the median
record SteadyTiming(double seconds, double spread) {
  /// A spread beyond this is measured again, and told.
  static final double MOST_SPREAD = 0.25;

  private static final int GROUPS = 4;
  private static final long LONGEST_WARM_NS = 8_000_000_000L;

  boolean isSteady() {
    return spread <= MOST_SPREAD;
  }

  /// Times `work` when nothing else of this process runs.
  ///
  /// @param runs of a group
  /// @param quietNs how long the best time must have stood before the warm-up ends
  static SteadyTiming of(Runnable work, int runs, long quietNs) {
    warmUp(work, quietNs);
    SteadyTiming best = new SteadyTiming(Double.NaN, Double.POSITIVE_INFINITY);
    for (int group = 0; group < GROUPS && !best.isSteady(); group++) {
      double[] times = new double[runs];
      for (int i = 0; i < runs; i++) {
        times[i] = time(work);
      }
      best = best.steadier(of(times));
    }
    return best;
  }

  /// Times each of `works` while all of them run again and again.
  ///
  /// @param windowNs how long one group takes
  static List<SteadyTiming> together(long windowNs, Runnable... works) {
    List<SteadyTiming> best = List.of();
    for (int group = 0; group < GROUPS; group++) {
      List<SteadyTiming> now = window(windowNs, works);
      best = best.isEmpty() || widest(now) < widest(best) ? now : best;
      if (widest(best) <= MOST_SPREAD) {
        break;
      }
    }
    return best;
  }

  /// The widest spread of some timings.
  static double widest(List<SteadyTiming> timings) {
    return timings.stream().mapToDouble(SteadyTiming::spread).max().orElse(0);
  }

  /// Median and spread of some times; a fifth at each end does not count.
  static SteadyTiming of(double[] times) {
    double[] sorted = times.clone();
    Arrays.sort(sorted);
    double median = sorted[sorted.length / 2];
    int cut = sorted.length / 5;
    return new SteadyTiming(median, (sorted[sorted.length - 1 - cut] - sorted[cut]) / median);
  }

  private SteadyTiming steadier(SteadyTiming other) {
    return other.spread < spread ? other : this;
  }

  private static double time(Runnable work) {
    long begin = System.nanoTime();
    work.run();
    return (System.nanoTime() - begin) / 1e9;
  }

  private static void warmUp(Runnable work, long quietNs) {
    long begin = System.nanoTime();
    long improved = begin;
    double best = Double.MAX_VALUE;
    while (true) {
      double seconds = time(work);
      long now = System.nanoTime();
      if (seconds < 0.95 * best) {
        improved = now;
        best = seconds;
      }
      boolean stands = now - improved > quietNs && now - improved > 5e9 * best;
      if (stands || now - begin > LONGEST_WARM_NS) {
        return;
      }
    }
  }

  private static List<SteadyTiming> window(long windowNs, Runnable[] works) {
    AtomicBoolean stop = new AtomicBoolean();
    List<Thread> threads = new ArrayList<>();
    List<List<Double>> times = new ArrayList<>();
    for (Runnable work : works) {
      List<Double> mine = new ArrayList<>();
      times.add(mine);
      threads.add(
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                work.run(); // until the others run too
                do {
                  mine.add(time(work));
                } while (!stop.get() || mine.size() < 3);
              }));
    }
    try {
      Thread.sleep(windowNs / 1_000_000);
      stop.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      stop.set(true);
      Thread.currentThread().interrupt();
    }
    return times.stream()
        .map(t -> of(t.stream().mapToDouble(Double::doubleValue).toArray()))
        .toList();
  }
}
