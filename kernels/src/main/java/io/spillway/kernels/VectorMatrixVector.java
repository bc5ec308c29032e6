package io.spillway.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// The product with vectors of pairs: a 32-bit lane holds two neighbouring bf16 numbers, the even
/// one in its lower half, so a shift and a mask give two vectors of floats. The vector `x` is laid
/// out once as its even and its odd numbers, aligned to cache lines. Four rows share each load of
/// `x`, so that little but the weights passes through a core while it waits for memory.
///
/// One caller at a time for each object.
public final class VectorMatrixVector implements MatrixVector {
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Long> L = LongVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> HALF =
      VectorSpecies.of(int.class, VectorShape.forBitSize(L.vectorBitSize() / 2));
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final int ROWS = 4;

  /// Bytes of one part of the work: long enough that taking it costs nothing beside it, short
  /// enough that threads end together.
  private static final long PART_BYTES = 256 * 1024;

  private final Team team;
  private final Arena arena = Arena.ofAuto();
  private MemorySegment laidOut = arena.allocate(64, 64);

  /// All of memory: loads through it skip the checks of each segment, which would halve the rate.
  /// The bounds are checked once for each product, and the segments stay reachable until it is
  /// done.
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  public VectorMatrixVector(Team team) {
    this.team = team;
  }

  @Override
  public void multiply(List<Factor> factors, int columns, MemorySegment x) {
    Objects.checkFromIndexSize(0, 4L * columns, x.byteSize());
    for (Factor factor : factors) {
      Objects.checkFromIndexSize(0, 2L * factor.rows() * columns, factor.matrix().byteSize());
      Objects.checkFromIndexSize(0, 4L * factor.rows(), factor.y().byteSize());
    }
    layOut(x, columns);
    int size = (int) Math.max(1, PART_BYTES / (2L * columns) / ROWS) * ROWS;
    int parts = factors.stream().mapToInt(factor -> parts(factor, size)).sum();
    long evens = laidOut.address();
    long odds = evens + half(columns);
    team.runAwake(
        parts,
        part -> {
          int at = (int) part;
          for (Factor factor : factors) {
            int own = parts(factor, size);
            if (at < own) {
              int to = Math.min(factor.rows(), (at + 1) * size);
              rows(
                  factor.matrix().address(),
                  columns,
                  evens,
                  odds,
                  factor.y().address(),
                  at * size,
                  to);
              return;
            }
            at -= own;
          }
        });
    Reference.reachabilityFence(factors);
    Reference.reachabilityFence(x);
  }

  private static int parts(Factor factor, int size) {
    return (factor.rows() + size - 1) / size;
  }

  /// Bytes of the even numbers, rounded up to cache lines.
  private static long half(int columns) {
    return (4L * ((columns + 1) / 2) + 63) / 64 * 64;
  }

  private void layOut(MemorySegment x, int columns) {
    long half = half(columns);
    if (laidOut.byteSize() < 2 * half) {
      laidOut = arena.allocate(2 * half, 64);
    }
    int whole = L.loopBound(columns / 2);
    for (int i = 0; i < whole; i += L.length()) {
      LongVector pairs = LongVector.fromMemorySegment(L, x, 8L * i, ORDER);
      store(pairs, 4L * i);
      store(pairs.lanewise(VectorOperators.LSHR, 32), half + 4L * i);
    }
    for (int i = 2 * whole; i < columns; i++) {
      laidOut.set(FLOAT, (i & 1) * half + 4L * (i >> 1), x.get(FLOAT, 4L * i));
    }
  }

  /// The lower halves of all lanes.
  private void store(LongVector pairs, long at) {
    ((IntVector) pairs.convertShape(VectorOperators.L2I, HALF, 0))
        .intoMemorySegment(laidOut, at, ORDER);
  }

  private static void rows(
      long matrix, int columns, long evens, long odds, long y, int from, int to) {
    int row = from;
    for (; row + ROWS <= to; row += ROWS) {
      four(matrix, columns, evens, odds, y, row);
    }
    for (; row < to; row++) {
      one(matrix, columns, evens, odds, y, row);
    }
  }

  private static void four(long matrix, int columns, long evens, long odds, long y, int row) {
    long step = 2L * columns;
    long r0 = matrix + row * step;
    long r1 = r0 + step;
    long r2 = r1 + step;
    long r3 = r2 + step;
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = a0;
    FloatVector a2 = a0;
    FloatVector a3 = a0;
    FloatVector b0 = a0;
    FloatVector b1 = a0;
    FloatVector b2 = a0;
    FloatVector b3 = a0;
    int whole = I.loopBound(columns / 2);
    for (int i = 0; i < whole; i += I.length()) {
      long at = 4L * i;
      FloatVector even = FloatVector.fromMemorySegment(F, MEMORY, evens + at, ORDER);
      FloatVector odd = FloatVector.fromMemorySegment(F, MEMORY, odds + at, ORDER);
      IntVector w0 = IntVector.fromMemorySegment(I, MEMORY, r0 + at, ORDER);
      IntVector w1 = IntVector.fromMemorySegment(I, MEMORY, r1 + at, ORDER);
      IntVector w2 = IntVector.fromMemorySegment(I, MEMORY, r2 + at, ORDER);
      IntVector w3 = IntVector.fromMemorySegment(I, MEMORY, r3 + at, ORDER);
      a0 = low(w0).fma(even, a0);
      b0 = high(w0).fma(odd, b0);
      a1 = low(w1).fma(even, a1);
      b1 = high(w1).fma(odd, b1);
      a2 = low(w2).fma(even, a2);
      b2 = high(w2).fma(odd, b2);
      a3 = low(w3).fma(even, a3);
      b3 = high(w3).fma(odd, b3);
    }
    int rest = 2 * whole;
    put(y, row, sum(a0, b0) + tail(r0, evens, odds, rest, columns));
    put(y, row + 1, sum(a1, b1) + tail(r1, evens, odds, rest, columns));
    put(y, row + 2, sum(a2, b2) + tail(r2, evens, odds, rest, columns));
    put(y, row + 3, sum(a3, b3) + tail(r3, evens, odds, rest, columns));
  }

  private static void one(long matrix, int columns, long evens, long odds, long y, int row) {
    long begin = matrix + 2L * columns * row;
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int whole = I.loopBound(columns / 2);
    for (int i = 0; i < whole; i += I.length()) {
      long at = 4L * i;
      IntVector w = IntVector.fromMemorySegment(I, MEMORY, begin + at, ORDER);
      a = low(w).fma(FloatVector.fromMemorySegment(F, MEMORY, evens + at, ORDER), a);
      b = high(w).fma(FloatVector.fromMemorySegment(F, MEMORY, odds + at, ORDER), b);
    }
    put(y, row, sum(a, b) + tail(begin, evens, odds, 2 * whole, columns));
  }

  private static void put(long y, int row, float value) {
    MEMORY.set(FLOAT, y + 4L * row, value);
  }

  private static FloatVector low(IntVector pairs) {
    return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  private static FloatVector high(IntVector pairs) {
    return pairs.and(0xFFFF0000).reinterpretAsFloats();
  }

  private static float sum(FloatVector a, FloatVector b) {
    return VectorBits.sum(a.add(b));
  }

  private static float tail(long row, long evens, long odds, int from, int to) {
    float sum = 0;
    for (int c = from; c < to; c++) {
      short bits = MEMORY.get(ValueLayout.JAVA_SHORT_UNALIGNED, row + 2L * c);
      float x = MEMORY.get(FLOAT, ((c & 1) == 0 ? evens : odds) + 4L * (c >> 1));
      sum += Float.intBitsToFloat(bits << 16) * x;
    }
    return sum;
  }
}
