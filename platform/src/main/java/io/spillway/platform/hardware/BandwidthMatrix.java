package io.spillway.platform.hardware;

import io.spillway.platform.SpillwayException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Measured rates between named places (nodes or devices); the diagonal is not used.
///
/// **Shapes:** `[from, to]`. **Units:** bytes per second.
public final class BandwidthMatrix {
  /// How far the two directions of one pair may differ, relative to the faster one.
  public static final double USUAL_ASYMMETRY = 0.5;

  private final List<String> names;
  private final double[][] bytesPerSecond;

  private BandwidthMatrix(List<String> names, double[][] bytesPerSecond) {
    this.names = names;
    this.bytesPerSecond = bytesPerSecond;
  }

  /// Checks and copies a matrix.
  ///
  /// **Errors:** no places, names given twice, not square, a rate that is NaN, infinite, negative
  /// or zero off the diagonal, two directions further apart than `asymmetry`.
  ///
  /// @param source a name for error messages
  public static BandwidthMatrix of(
      List<String> names, double[][] bytesPerSecond, double asymmetry, String source) {
    int n = bytesPerSecond.length;
    if (n == 0 || names.isEmpty()) {
      throw SpillwayException.badInput("%s: the bandwidth matrix is empty", source);
    }
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw SpillwayException.badInput("%s: the name '%s' is given twice", source, name);
      }
    }
    if (names.size() != n) {
      throw SpillwayException.badInput(
          "%s: %d names for a bandwidth matrix of %d rows", source, names.size(), n);
    }
    double[][] copy = new double[n][];
    for (int i = 0; i < n; i++) {
      if (bytesPerSecond[i].length != n) {
        throw SpillwayException.badInput(
            "%s: the bandwidth matrix is not square: row %d (%s) has %d values, %d are needed",
            source, i + 1, names.get(i), bytesPerSecond[i].length, n);
      }
      copy[i] = bytesPerSecond[i].clone();
      copy[i][i] = 0;
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        if (i != j) {
          requireRate(names, copy[i][j], i, j, source);
        }
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        requireAlike(names, copy, i, j, asymmetry, source);
      }
    }
    return new BandwidthMatrix(List.copyOf(names), copy);
  }

  private static void requireRate(List<String> names, double value, int i, int j, String source) {
    if (!Double.isFinite(value) || value <= 0) {
      throw SpillwayException.badInput(
          "%s: bandwidth from %s to %s (row %d, column %d) is %s GB/s, a finite rate above 0 is"
              + " needed",
          source, names.get(i), names.get(j), i + 1, j + 1, value / 1e9);
    }
  }

  private static void requireAlike(
      List<String> names, double[][] m, int i, int j, double asymmetry, String source) {
    double value = m[i][j];
    double faster = Math.max(value, m[j][i]);
    if (Math.abs(value - m[j][i]) > asymmetry * faster) {
      throw SpillwayException.badInput(
          "%s: %s to %s is %.3g GB/s one way and %.3g GB/s back, %.0f %% apart; at most %.0f %% is"
              + " accepted, measure again or raise the tolerance",
          source,
          names.get(i),
          names.get(j),
          value / 1e9,
          m[j][i] / 1e9,
          100 * Math.abs(value - m[j][i]) / faster,
          100 * asymmetry);
    }
  }

  public int size() {
    return names.size();
  }

  public List<String> names() {
    return names;
  }

  /// Bytes per second from place `i` to place `j`; 0 on the diagonal.
  public double rate(int i, int j) {
    return bytesPerSecond[i][j];
  }

  /// A copy of the rates, bytes per second.
  public double[][] toArray() {
    double[][] copy = new double[bytesPerSecond.length][];
    for (int i = 0; i < copy.length; i++) {
      copy[i] = bytesPerSecond[i].clone();
    }
    return copy;
  }

  /// The matrix with each pair's two directions averaged.
  public BandwidthMatrix symmetric() {
    double[][] mean = toArray();
    for (int i = 0; i < mean.length; i++) {
      for (int j = 0; j < mean.length; j++) {
        mean[i][j] = (bytesPerSecond[i][j] + bytesPerSecond[j][i]) / 2;
      }
    }
    return new BandwidthMatrix(names, mean);
  }
}
