package io.spillway.planner.validate;

import io.spillway.planner.LatencyModel;
import io.spillway.planner.Placement;
import io.spillway.planner.cost.Calibration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Fits the calibration's few figures to measured iterations: robust least squares on the relative
/// error, held near physically plausible values.
///
/// **Source:** ours; Gauss-Newton with the weights of Huber's loss.
public final class Fit {
  /// How strongly the figures are held to their prior, relative to one row's error.
  private static final double HOLD = 0.02;

  private static final double ROBUST = 0.03;
  private static final int ROUNDS = 12;

  private Fit() {}

  /// Figures that one would expect before any measurement: 80 % of peak for products, eight trips
  /// of the scores, 0.4 ms for each layer, 80 % of the links' rates.
  public static Calibration prior() {
    return new Calibration(0.8, 8, 0.4e-3, 0.8, 0.8, 0.7, "prior");
  }

  /// The figures that fit `rows` best.
  public static Calibration fit(List<Measured> rows) {
    double[] prior = prior().toVector();
    // figures are positive: their logarithms are free
    double[] x = new double[prior.length];
    for (int round = 0; round < ROUNDS; round++) {
      double[] e = errors(rows, at(prior, x));
      double[][] slope = new double[x.length][];
      for (int k = 0; k < x.length; k++) {
        double[] moved = x.clone();
        moved[k] += 0.02;
        double[] there = errors(rows, at(prior, moved));
        slope[k] = new double[e.length];
        for (int i = 0; i < e.length; i++) {
          slope[k][i] = (there[i] - e[i]) / 0.02;
        }
      }
      double[] step = step(e, slope, x);
      double largest = 0;
      for (int k = 0; k < x.length; k++) {
        double bounded = Math.clamp(step[k], -0.5, 0.5);
        x[k] = Math.clamp(x[k] + bounded, -2.5, 2.5);
        largest = Math.max(largest, Math.abs(bounded));
      }
      if (largest < 1e-3) {
        break;
      }
    }
    return Calibration.ofVector(at(prior, x).toVector(), "fitted to " + rows.size() + " rows");
  }

  /// Predicted over measured minus 1, in the order of `rows`.
  public static double[] errors(List<Measured> rows, Calibration calibration) {
    LatencyModel model = new LatencyModel(calibration);
    return rows.parallelStream()
        .mapToDouble(r ->
            model
                        .predict(
                            r.job(), r.cluster(), r.cut(), Placement.identity(r.cluster().gpus()))
                        .seconds()
                    / r.seconds().orElseThrow()
                - 1)
        .toArray();
  }

  /// For each row the error of a calibration that was fitted without the row's group.
  public static double[] leaveOneGroupOut(List<Measured> rows) {
    double[] errors = new double[rows.size()];
    for (String group : rows.stream().map(Measured::group).distinct().toList()) {
      List<Measured> others = rows.stream().filter(r -> !r.group().equals(group)).toList();
      if (others.isEmpty()) {
        throw io.spillway.platform.SpillwayException.badInput(
            "all rows are of %s; leaving one model out needs two models at least", group);
      }
      Calibration calibration = fit(others);
      List<Integer> inside = new ArrayList<>();
      for (int i = 0; i < errors.length; i++) {
        if (rows.get(i).group().equals(group)) {
          inside.add(i);
        }
      }
      double[] e = errors(inside.stream().map(rows::get).toList(), calibration);
      for (int k = 0; k < e.length; k++) {
        errors[inside.get(k)] = e[k];
      }
    }
    return errors;
  }

  private static Calibration at(double[] prior, double[] x) {
    double[] v = new double[prior.length];
    Arrays.setAll(v, k -> prior[k] * Math.exp(x[k]));
    return Calibration.ofVector(v, "trial");
  }

  /// The weighted Gauss-Newton step, with the prior as rows of their own.
  private static double[] step(double[] e, double[][] slope, double[] x) {
    int k = x.length;
    double[][] a = new double[k][k];
    double[] b = new double[k];
    for (int i = 0; i < e.length; i++) {
      double weight = 1 / Math.max(1, Math.abs(e[i]) / ROBUST);
      for (int r = 0; r < k; r++) {
        b[r] -= weight * slope[r][i] * e[i];
        for (int c = 0; c < k; c++) {
          a[r][c] += weight * slope[r][i] * slope[c][i];
        }
      }
    }
    double hold = HOLD * HOLD * e.length;
    for (int r = 0; r < k; r++) {
      a[r][r] += hold;
      b[r] -= hold * x[r];
    }
    return Linear.solve(a, b);
  }
}
