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
/// out once in blocks of as many even and then as many odd numbers as a vector has lanes, aligned
/// to cache lines. Four rows share each load of `x`, so that little but the weights passes through
/// a core while it waits for memory.
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
  private static final int VECTOR = F.vectorByteSize();

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
    int all = factors.stream().mapToInt(factor -> parts(factor, size)).sum();
    long at = laidOut.address();
    team.runAwake(
        all,
        part -> {
          int own = (int) part;
          for (Factor factor : factors) {
            int parts = parts(factor, size);
            if (own < parts) {
              int to = Math.min(factor.rows(), (own + 1) * size);
              long matrix = factor.matrix().address();
              rows(matrix, columns, at, factor.y().address(), own * size, to);
              return;
            }
            own -= parts;
          }
        });
    Reference.reachabilityFence(factors);
    Reference.reachabilityFence(x);
  }

  private static int parts(Factor factor, int size) {
    return (factor.rows() + size - 1) / size;
  }

  /// Where number `i` of `x` is laid out.
  private static long place(int i) {
    int lanes = I.length();
    int inBlock = i % (2 * lanes);
    return 4L * (i - inBlock + inBlock % 2 * lanes + inBlock / 2);
  }

  private void layOut(MemorySegment x, int columns) {
    int lanes = I.length();
    long bytes = 4L * (columns + 2L * lanes);
    if (laidOut.byteSize() < bytes) {
      laidOut = arena.allocate(bytes, 64);
    }
    int whole = columns / (2 * lanes) * lanes; // pairs in full blocks
    for (int i = 0; i < whole; i += L.length()) {
      LongVector pairs = LongVector.fromMemorySegment(L, x, 8L * i, ORDER);
      long at = place(2 * i);
      store(pairs, at);
      store(pairs.lanewise(VectorOperators.LSHR, 32), at + 4L * lanes);
    }
    for (int i = 2 * whole; i < columns; i++) {
      laidOut.set(FLOAT, place(i), x.get(FLOAT, 4L * i));
    }
  }

  /// The lower halves of all lanes.
  private void store(LongVector pairs, long at) {
    ((IntVector) pairs.convertShape(VectorOperators.L2I, HALF, 0))
        .intoMemorySegment(laidOut, at, ORDER);
  }

  private static void rows(long matrix, int columns, long x, long y, int from, int to) {
    int row = from;
    for (; row + ROWS <= to; row += ROWS) {
      four(matrix, columns, x, y, row);
    }
    for (; row < to; row++) {
      one(matrix, columns, x, y, row);
    }
  }

  private static void four(long matrix, int columns, long x, long y, int row) {
    long step = 2L * columns;
    long r0 = matrix + row * step;
    long r1 = r0 + step;
    long r2 = r1 + step;
    long r3 = r2 + step;
    FloatVector s0 = FloatVector.zero(F);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int whole = I.loopBound(columns / 2);
    for (int i = 0; i < whole; i += I.length()) {
      long at = 4L * i;
      FloatVector even = FloatVector.fromMemorySegment(F, MEMORY, x + 2 * at, ORDER);
      FloatVector odd = FloatVector.fromMemorySegment(F, MEMORY, x + 2 * at + VECTOR, ORDER);
      IntVector w0 = IntVector.fromMemorySegment(I, MEMORY, r0 + at, ORDER);
      IntVector w1 = IntVector.fromMemorySegment(I, MEMORY, r1 + at, ORDER);
      IntVector w2 = IntVector.fromMemorySegment(I, MEMORY, r2 + at, ORDER);
      IntVector w3 = IntVector.fromMemorySegment(I, MEMORY, r3 + at, ORDER);
      s0 = high(w0).fma(odd, low(w0).fma(even, s0));
      s1 = high(w1).fma(odd, low(w1).fma(even, s1));
      s2 = high(w2).fma(odd, low(w2).fma(even, s2));
      s3 = high(w3).fma(odd, low(w3).fma(even, s3));
    }
    int rest = 2 * whole;
    put(y, row, VectorBits.sum(s0) + tail(r0, x, rest, columns));
    put(y, row + 1, VectorBits.sum(s1) + tail(r1, x, rest, columns));
    put(y, row + 2, VectorBits.sum(s2) + tail(r2, x, rest, columns));
    put(y, row + 3, VectorBits.sum(s3) + tail(r3, x, rest, columns));
  }

  private static void one(long matrix, int columns, long x, long y, int row) {
    long begin = matrix + 2L * columns * row;
    FloatVector s = FloatVector.zero(F);
    int whole = I.loopBound(columns / 2);
    for (int i = 0; i < whole; i += I.length()) {
      long at = 4L * i;
      IntVector w = IntVector.fromMemorySegment(I, MEMORY, begin + at, ORDER);
      s = low(w).fma(FloatVector.fromMemorySegment(F, MEMORY, x + 2 * at, ORDER), s);
      s = high(w).fma(FloatVector.fromMemorySegment(F, MEMORY, x + 2 * at + VECTOR, ORDER), s);
    }
    put(y, row, VectorBits.sum(s) + tail(begin, x, 2 * whole, columns));
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

  private static float tail(long row, long x, int from, int to) {
    float sum = 0;
    for (int c = from; c < to; c++) {
      short bits = MEMORY.get(ValueLayout.JAVA_SHORT_UNALIGNED, row + 2L * c);
      sum += Float.intBitsToFloat(bits << 16) * MEMORY.get(FLOAT, x + place(c));
    }
    return sum;
  }
}
