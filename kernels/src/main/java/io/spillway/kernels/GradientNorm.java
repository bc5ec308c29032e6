package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Sums of squared gradients. They are taken over blocks of fixed size that start at multiples of
/// it, each summed in double precision in one fixed order, so that the norm of the whole gradient
/// does not depend on how it was cut into subgroups or in which order those arrived.
public final class GradientNorm {
  /// Parameters in one block.
  public static final int BLOCK = 1 << 12;

  private static final VectorSpecies<Double> D = DoubleVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private GradientNorm() {}

  /// How many blocks `n` parameters have.
  public static int blocks(long n) {
    return Math.toIntExact((n + BLOCK - 1) / BLOCK);
  }

  /// The sum of squares of the numbers `from` to `to`, which lie in one block: sixteen interleaved
  /// partial sums in double precision, added from the first to the last.
  public static double sumOfSquares(
      MemorySegment gradient, Precision precision, long from, long to) {
    if (ORDER != ByteOrder.LITTLE_ENDIAN) {
      return scalarSumOfSquares(gradient, precision, from, to);
    }
    double[] sums = new double[16];
    long whole = from + (to - from) / 16 * 16;
    switch (D.length()) {
      case 8 -> sumBy8(gradient, precision, from, whole, sums);
      case 4 -> sumBy4(gradient, precision, from, whole, sums);
      default -> {
        return scalarSumOfSquares(gradient, precision, from, to);
      }
    }
    return finish(sums, gradient, precision, whole, to);
  }

  private static void sumBy8(
      MemorySegment gradient, Precision precision, long from, long to, double[] sums) {
    DoubleVector a = DoubleVector.zero(D);
    DoubleVector b = DoubleVector.zero(D);
    for (long i = from; i < to; i += 16) {
      FloatVector g = VectorBits.load(gradient, precision, i);
      DoubleVector low = widen(g, 0);
      DoubleVector high = widen(g, 1);
      a = low.fma(low, a);
      b = high.fma(high, b);
    }
    a.intoArray(sums, 0);
    b.intoArray(sums, 8);
  }

  private static void sumBy4(
      MemorySegment gradient, Precision precision, long from, long to, double[] sums) {
    DoubleVector a = DoubleVector.zero(D);
    DoubleVector b = DoubleVector.zero(D);
    DoubleVector c = DoubleVector.zero(D);
    DoubleVector d = DoubleVector.zero(D);
    for (long i = from; i < to; i += 16) {
      FloatVector g = VectorBits.load(gradient, precision, i);
      FloatVector h = VectorBits.load(gradient, precision, i + 8);
      DoubleVector first = widen(g, 0);
      DoubleVector second = widen(g, 1);
      DoubleVector third = widen(h, 0);
      DoubleVector fourth = widen(h, 1);
      a = first.fma(first, a);
      b = second.fma(second, b);
      c = third.fma(third, c);
      d = fourth.fma(fourth, d);
    }
    a.intoArray(sums, 0);
    b.intoArray(sums, 4);
    c.intoArray(sums, 8);
    d.intoArray(sums, 12);
  }

  private static DoubleVector widen(FloatVector g, int part) {
    return (DoubleVector) g.convertShape(VectorOperators.F2D, D, part);
  }

  /// The readable twin of [#sumOfSquares].
  static double scalarSumOfSquares(
      MemorySegment gradient, Precision precision, long from, long to) {
    double[] sums = new double[16];
    long whole = from + (to - from) / 16 * 16;
    for (long i = from; i < whole; i++) {
      double g = precision.get(gradient, i);
      int lane = (int) ((i - from) & 15);
      sums[lane] = Math.fma(g, g, sums[lane]);
    }
    return finish(sums, gradient, precision, whole, to);
  }

  private static double finish(
      double[] sums, MemorySegment gradient, Precision precision, long from, long to) {
    for (long i = from; i < to; i++) {
      double g = precision.get(gradient, i);
      int lane = (int) (i - from);
      sums[lane] = Math.fma(g, g, sums[lane]);
    }
    double total = 0;
    for (double sum : sums) {
      total += sum;
    }
    return total;
  }
}
