package io.spillway.reservoir.convert;

import io.spillway.reservoir.events.EventRecording;

/// How alike two recordings of the same thing are.
///
/// @param countRatio events of the first over events of the second
/// @param spatial correlation of the counts of every address
/// @param temporal correlation of the event rate in bins of 10 ms
/// @param spatioTemporal correlation of counts in cells of one address and 10 ms
public record Likeness(double countRatio, double spatial, double temporal, double spatioTemporal) {
  private static final long BIN_US = 10_000;

  /// Compares two recordings of one sensor.
  public static Likeness of(EventRecording a, EventRecording b) {
    return of(a, b, 0);
  }

  /// Compares two recordings of one sensor, the first moved later by `shiftUs`.
  public static Likeness of(EventRecording a, EventRecording b, long shiftUs) {
    int size = a.sensor().size();
    int bins = (int) (Math.max(last(a) + Math.max(0, shiftUs), last(b)) / BIN_US) + 1;
    double[][] space = new double[2][size];
    double[][] time = new double[2][bins];
    double[][] both = new double[2][size * bins];
    for (int r = 0; r < 2; r++) {
      EventRecording e = r == 0 ? a : b;
      for (int i = 0; i < e.size(); i++) {
        int address = e.address(i);
        int bin = (int) (Math.max(0, e.timeUs(i) + (r == 0 ? shiftUs : 0)) / BIN_US);
        space[r][address]++;
        time[r][bin]++;
        both[r][bin * size + address]++;
      }
    }
    return new Likeness(
        a.size() / (double) b.size(),
        correlation(space[0], space[1]),
        correlation(time[0], time[1]),
        correlation(both[0], both[1]));
  }

  private static long last(EventRecording e) {
    return e.size() == 0 ? 0 : e.timeUs(e.size() - 1);
  }

  /// Pearson's correlation.
  public static double correlation(double[] a, double[] b) {
    double ma = 0;
    double mb = 0;
    for (int i = 0; i < a.length; i++) {
      ma += a[i] / a.length;
      mb += b[i] / a.length;
    }
    double aa = 0;
    double bb = 0;
    double ab = 0;
    for (int i = 0; i < a.length; i++) {
      aa += (a[i] - ma) * (a[i] - ma);
      bb += (b[i] - mb) * (b[i] - mb);
      ab += (a[i] - ma) * (b[i] - mb);
    }
    return ab / Math.sqrt(aa * bb);
  }
}
