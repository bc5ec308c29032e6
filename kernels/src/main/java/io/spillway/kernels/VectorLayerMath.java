package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// A layer's own work with vectors of single-precision numbers, tokens shared among threads. Sums
/// are kept in single precision, one for each lane.
///
/// `out` may be one of the inputs of [#gate] and [#add] and that of [#rmsNorm].
///
/// One caller at a time for each object's team.
public final class VectorLayerMath implements LayerMath {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();

  /// Numbers from which handing work to other threads pays.
  private static final long SHARED = 32_768;

  /// Numbers of one part.
  private static final int PART = 16_384;

  /// Tokens of a tile.
  private static final int TILE = 16;

  private final Team team;

  public VectorLayerMath(Team team) {
    this.team = team;
  }

  private interface Row {
    void run(int head, int token);
  }

  /// `row` for each token of each head.
  private void each(Heads of, Row row) {
    int rows = Math.multiplyExact(of.heads(), of.tokens());
    if ((long) rows * of.dim() < SHARED) {
      some(of, row, 0, rows);
      return;
    }
    int size = Math.max(1, PART / of.dim());
    team.run(
        (rows + size - 1) / size,
        part -> some(of, row, (int) part * size, (int) Math.min(rows, (part + 1) * size)));
  }

  /// Rows by tiles of tokens, of which all heads are worked on before the next: what a projection
  /// writes has a token's heads side by side, and tokens often a page apart.
  private static void some(Heads of, Row row, int from, int to) {
    int tile = TILE * of.heads();
    for (int i = from; i < to; i++) {
      int first = i / tile * TILE;
      int tokens = Math.min(TILE, of.tokens() - first);
      int at = i % tile;
      row.run(at / tokens, first + at % tokens);
    }
  }

  @Override
  public void rmsNorm(Heads in, Heads weight, double epsilon, Heads out) {
    LayerMath.require(in.fits(out), in, out);
    LayerMath.require(weight.dim() == in.dim(), in, weight);
    each(
        in,
        (head, token) -> norm(in, in.at(head, token), weight, epsilon, out, out.at(head, token)));
    keep(in, weight, out);
  }

  private static void norm(Heads in, long from, Heads weight, double epsilon, Heads out, long to) {
    MemorySegment data = in.data();
    Precision read = in.precision();
    int dim = in.dim();
    int whole = F.loopBound(dim);
    FloatVector sums = FloatVector.zero(F);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector x = VectorBits.load(data, read, from + i);
      sums = x.fma(x, sums);
    }
    double squares = VectorBits.sum(sums);
    for (int i = whole; i < dim; i++) {
      float x = read.get(data, from + i);
      squares += x * x;
    }
    float factor = (float) (1 / Math.sqrt(squares / dim + epsilon));
    for (int i = 0; i < whole; i += LANES) {
      FloatVector w = VectorBits.load(weight.data(), weight.precision(), i);
      VectorBits.store(
          VectorBits.load(data, read, from + i).mul(factor).mul(w),
          out.data(),
          out.precision(),
          to + i);
    }
    for (int i = whole; i < dim; i++) {
      float w = weight.precision().get(weight.data(), i);
      out.precision().set(out.data(), to + i, read.get(data, from + i) * factor * w);
    }
  }

  @Override
  public void gate(Heads gate, Heads up, Heads out) {
    LayerMath.require(gate.fits(up), gate, up);
    LayerMath.require(gate.fits(out), gate, out);
    each(gate, (head, token) -> gate(gate, up, out, head, token));
    keep(gate, up, out);
  }

  private static void gate(Heads gate, Heads up, Heads out, int head, int token) {
    long g = gate.at(head, token);
    long u = up.at(head, token);
    long o = out.at(head, token);
    int whole = F.loopBound(gate.dim());
    for (int i = 0; i < whole; i += LANES) {
      FloatVector x = VectorBits.load(gate.data(), gate.precision(), g + i);
      FloatVector y = VectorBits.load(up.data(), up.precision(), u + i);
      FloatVector below = VectorBits.exp(x.neg()).add(1);
      VectorBits.store(x.div(below).mul(y), out.data(), out.precision(), o + i);
    }
    for (int i = whole; i < gate.dim(); i++) {
      float x = gate.precision().get(gate.data(), g + i);
      float y = up.precision().get(up.data(), u + i);
      out.precision().set(out.data(), o + i, (float) (x / (1 + Math.exp(-x))) * y);
    }
  }

  @Override
  public void add(Heads a, Heads b, Heads out) {
    LayerMath.require(a.fits(b), a, b);
    LayerMath.require(a.fits(out), a, out);
    each(a, (head, token) -> add(a, b, out, head, token));
    keep(a, b, out);
  }

  private static void add(Heads a, Heads b, Heads out, int head, int token) {
    long first = a.at(head, token);
    long second = b.at(head, token);
    long o = out.at(head, token);
    int whole = F.loopBound(a.dim());
    for (int i = 0; i < whole; i += LANES) {
      FloatVector x = VectorBits.load(a.data(), a.precision(), first + i);
      FloatVector y = VectorBits.load(b.data(), b.precision(), second + i);
      VectorBits.store(x.add(y), out.data(), out.precision(), o + i);
    }
    for (int i = whole; i < a.dim(); i++) {
      float x = a.precision().get(a.data(), first + i);
      out.precision().set(out.data(), o + i, x + b.precision().get(b.data(), second + i));
    }
  }

  @Override
  public void rotate(Heads in, Heads cosines, Heads sines, Heads out) {
    LayerMath.require(in.fits(out), in, out);
    LayerMath.require(cosines.fits(sines), cosines, sines);
    LayerMath.require(
        cosines.tokens() == in.tokens() && 2 * cosines.dim() <= in.dim(), in, cosines);
    each(in, (head, token) -> rotate(in, cosines, sines, out, head, token));
    keep(in, cosines, sines, out);
  }

  private static void rotate(Heads in, Heads cosines, Heads sines, Heads out, int head, int token) {
    long from = in.at(head, token);
    long to = out.at(head, token);
    long c = cosines.at(0, token);
    long s = sines.at(0, token);
    int half = cosines.dim();
    int whole = F.loopBound(half);
    Precision read = in.precision();
    Precision write = out.precision();
    for (int i = 0; i < whole; i += LANES) {
      FloatVector a = VectorBits.load(in.data(), read, from + i);
      FloatVector b = VectorBits.load(in.data(), read, from + half + i);
      FloatVector cos = VectorBits.load(cosines.data(), cosines.precision(), c + i);
      FloatVector sin = VectorBits.load(sines.data(), sines.precision(), s + i);
      VectorBits.store(a.mul(cos).sub(b.mul(sin)), out.data(), write, to + i);
      VectorBits.store(b.mul(cos).add(a.mul(sin)), out.data(), write, to + half + i);
    }
    for (int i = whole; i < half; i++) {
      float a = read.get(in.data(), from + i);
      float b = read.get(in.data(), from + half + i);
      float cos = cosines.precision().get(cosines.data(), c + i);
      float sin = sines.precision().get(sines.data(), s + i);
      write.set(out.data(), to + i, a * cos - b * sin);
      write.set(out.data(), to + half + i, b * cos + a * sin);
    }
    for (int i = 2 * half; i < in.dim(); i++) {
      write.set(out.data(), to + i, read.get(in.data(), from + i));
    }
  }

  /// Their memory must not go before the work is done.
  private static void keep(Heads... all) {
    Reference.reachabilityFence(all);
  }
}
