package io.spillway.planner.validate;

import java.util.Arrays;
import java.util.stream.IntStream;

/// Figures by which predictions are judged.
public final class Statistics {
  private Statistics() {}

  /// Mean of absolute relative errors.
  public static double mape(double[] errors) {
    return Arrays.stream(errors).map(Math::abs).average().orElse(Double.NaN);
  }

  public static double median(double[] errors) {
    double[] sorted = Arrays.stream(errors).map(Math::abs).sorted().toArray();
    int n = sorted.length;
    return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  }

  /// Spearman's rank correlation; equal values share their mean rank.
  public static double rankCorrelation(double[] a, double[] b) {
    double[] x = ranks(a);
    double[] y = ranks(b);
    double mean = (x.length + 1) / 2.0;
    double xy = 0;
    double xx = 0;
    double yy = 0;
    for (int i = 0; i < x.length; i++) {
      xy += (x[i] - mean) * (y[i] - mean);
      xx += (x[i] - mean) * (x[i] - mean);
      yy += (y[i] - mean) * (y[i] - mean);
    }
    return xx == 0 || yy == 0 ? Double.NaN : xy / Math.sqrt(xx * yy);
  }

  /// How much slower the best predicted one is than the best measured one.
  public static double topRegret(double[] predicted, double[] measured) {
    int chosen = 0;
    for (int i = 1; i < predicted.length; i++) {
      chosen = predicted[i] < predicted[chosen] ? i : chosen;
    }
    return measured[chosen] / Arrays.stream(measured).min().orElseThrow() - 1;
  }

  private static double[] ranks(double[] values) {
    Integer[] order = IntStream.range(0, values.length).boxed().toArray(Integer[]::new);
    Arrays.sort(order, java.util.Comparator.comparingDouble(i -> values[i]));
    double[] ranks = new double[values.length];
    for (int i = 0; i < order.length; ) {
      int end = i;
      while (end + 1 < order.length && values[order[end + 1]] == values[order[i]]) {
        end++;
      }
      for (int k = i; k <= end; k++) {
        ranks[order[k]] = (i + end) / 2.0 + 1;
      }
      i = end + 1;
    }
    return ranks;
  }
}
