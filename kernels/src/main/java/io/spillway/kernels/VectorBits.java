package io.spillway.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// Loads and stores of 16-bit numbers as single-precision vectors, with the rounding of
/// [Precision]; sums and exponentials that come out the same before and after HotSpot compiles
/// their callers, so that work of one seed has one result. `reduceLanes(ADD)` and `lanewise(EXP)`
/// promise less: the first adds in an order of its choice, the second calls another routine once
/// compiled.
final class VectorBits {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LANES = F.length();
  private static final VectorShuffle<Float> BY_8 = VectorShuffle.iota(F, 8, 1, true);
  private static final VectorShuffle<Float> BY_4 = VectorShuffle.iota(F, 4, 1, true);
  private static final VectorShuffle<Float> BY_2 = VectorShuffle.iota(F, 2, 1, true);
  private static final VectorShuffle<Float> BY_1 = VectorShuffle.iota(F, 1, 1, true);

  private static final float LOG2_E = 1.442695f;

  /// ln 2 in two parts, the first so short that its products with whole numbers are exact.
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -2.1219444e-4f;

  /// Added and taken away again, it rounds to a whole number.
  private static final float ROUND = 0x1.8p23f;

  private VectorBits() {}

  /// The sum of all lanes, by halves.
  static float sum(FloatVector a) {
    FloatVector v = a;
    if (LANES >= 16) {
      v = v.add(v.rearrange(BY_8));
    }
    if (LANES >= 8) {
      v = v.add(v.rearrange(BY_4));
    }
    if (LANES >= 4) {
      v = v.add(v.rearrange(BY_2));
    }
    return v.add(v.rearrange(BY_1)).lane(0);
  }

  /// `e^x` to a relative error of 2⁻²², zero and infinity where single precision ends: with `x = n
  /// ln 2 + r`, the series of `e^r` to the seventh power (its rest is below 6e-9 for |r| up to half
  /// of ln 2), scaled by two halves of `2^n`.
  static FloatVector exp(FloatVector x) {
    FloatVector in = x.max(-104f).min(89f);
    FloatVector n = in.fma(LOG2_E, ROUND).sub(ROUND);
    FloatVector r =
        n.fma(FloatVector.broadcast(F, -LN2_LOW), n.fma(FloatVector.broadcast(F, -LN2_HIGH), in));
    FloatVector series = r.fma(1f / 5040, 1f / 720);
    series = series.fma(r, FloatVector.broadcast(F, 1f / 120));
    series = series.fma(r, FloatVector.broadcast(F, 1f / 24));
    series = series.fma(r, FloatVector.broadcast(F, 1f / 6));
    series = series.fma(r, FloatVector.broadcast(F, 0.5f));
    series = series.fma(r, FloatVector.broadcast(F, 1f));
    series = series.fma(r, FloatVector.broadcast(F, 1f));
    IntVector power = (IntVector) n.convert(VectorOperators.F2I, 0);
    IntVector half = power.lanewise(VectorOperators.ASHR, 1);
    return series.mul(twoTo(half)).mul(twoTo(power.sub(half)));
  }

  private static FloatVector twoTo(IntVector power) {
    return power.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
  }

  static FloatVector load(MemorySegment segment, Precision precision, long index) {
    return switch (precision) {
      case BF16 -> loadBf16(segment, index);
      case F16 -> f16ToFloat(loadUnsigned16(segment, index));
      case F32 -> FloatVector.fromMemorySegment(F, segment, 4 * index, ORDER);
    };
  }

  static void store(FloatVector value, MemorySegment segment, Precision precision, long index) {
    switch (precision) {
      case BF16 -> storeBf16(value, segment, index);
      case F16 -> storeLow16(floatToF16(value), segment, index);
      case F32 -> value.intoMemorySegment(segment, 4 * index, ORDER);
    }
  }

  /// Converts the numbers `from` to `from + n` of `segment` into the start of `floats`; `n` is a
  /// multiple of the vector length.
  static void toFloats(
      MemorySegment segment, Precision precision, long from, float[] floats, int n) {
    switch (precision) {
      case BF16 -> {
        for (int j = 0; j < n; j += F.length()) {
          loadBf16(segment, from + j).intoArray(floats, j);
        }
      }
      case F16 -> {
        for (int j = 0; j < n; j += F.length()) {
          f16ToFloat(loadUnsigned16(segment, from + j)).intoArray(floats, j);
        }
      }
      case F32 ->
          MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * from, floats, 0, n);
    }
  }

  /// Rounds the first `n` numbers of `floats` into the numbers from `from` on of `segment`.
  static void fromFloats(
      float[] floats, MemorySegment segment, Precision precision, long from, int n) {
    switch (precision) {
      case BF16 -> {
        for (int j = 0; j < n; j += F.length()) {
          storeBf16(FloatVector.fromArray(F, floats, j), segment, from + j);
        }
      }
      case F16 -> {
        for (int j = 0; j < n; j += F.length()) {
          FloatVector value = FloatVector.fromArray(F, floats, j);
          storeLow16(floatToF16(value), segment, from + j);
        }
      }
      case F32 ->
          MemorySegment.copy(floats, 0, segment, ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * from, n);
    }
  }

  static IntVector loadUnsigned16(MemorySegment segment, long index) {
    return (IntVector)
        ShortVector.fromMemorySegment(S, segment, 2 * index, ORDER)
            .convertShape(VectorOperators.ZERO_EXTEND_S2I, I, 0);
  }

  static void storeLow16(IntVector bits, MemorySegment segment, long index) {
    ((ShortVector) bits.convertShape(VectorOperators.I2S, S, 0))
        .intoMemorySegment(segment, 2 * index, ORDER);
  }

  static FloatVector loadBf16(MemorySegment segment, long index) {
    return loadUnsigned16(segment, index).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  static void storeBf16(FloatVector value, MemorySegment segment, long index) {
    IntVector bits = value.reinterpretAsInts();
    IntVector lsb = bits.lanewise(VectorOperators.LSHR, 16).and(1);
    IntVector rounded = bits.add(lsb).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
    VectorMask<Integer> nan = value.test(VectorOperators.IS_NAN).cast(I);
    storeLow16(rounded.blend(0x7FC0, nan), segment, index);
  }

  /// Binary16 by scaling: the exponent is rebased with an exact multiplication, which also makes
  /// subnormal numbers normal.
  private static FloatVector f16ToFloat(IntVector half) {
    IntVector magnitude = half.and(0x7FFF);
    IntVector sign = half.and(0x8000).lanewise(VectorOperators.LSHL, 16);
    IntVector shifted = magnitude.lanewise(VectorOperators.LSHL, 13);
    IntVector finite = shifted.reinterpretAsFloats().mul(0x1.0p112f).reinterpretAsInts();
    VectorMask<Integer> special = magnitude.compare(VectorOperators.GE, 0x7C00);
    return finite.blend(shifted.or(0x7F800000), special).or(sign).reinterpretAsFloats();
  }

  /// Binary16 rounded to nearest even: numbers below the smallest normal one are rounded by adding
  /// a number whose unit in the last place is binary16's smallest step.
  private static IntVector floatToF16(FloatVector value) {
    IntVector bits = value.reinterpretAsInts();
    IntVector sign = bits.lanewise(VectorOperators.LSHR, 16).and(0x8000);
    IntVector magnitude = bits.and(0x7FFFFFFF);
    IntVector odd = magnitude.lanewise(VectorOperators.LSHR, 13).and(1);
    IntVector normal =
        magnitude.add(odd).add(0xFFF - (112 << 23)).lanewise(VectorOperators.LSHR, 13);
    IntVector small = magnitude.reinterpretAsFloats().add(0.5f).reinterpretAsInts().sub(0x3F000000);
    IntVector result =
        normal
            .blend(small, magnitude.compare(VectorOperators.LT, 0x38800000))
            .blend(0x7C00, magnitude.compare(VectorOperators.GE, 0x477FF000));
    // Float.floatToFloat16 keeps the upper bits of a NaN's payload
    IntVector nan = magnitude.lanewise(VectorOperators.LSHR, 13).and(0x3FF).or(0x7E00);
    return result.blend(nan, magnitude.compare(VectorOperators.GT, 0x7F800000)).or(sign);
  }
}
