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
import jdk.incubator.vector.VectorSpecies;

/// Loads and stores of 16-bit numbers as single-precision vectors, with the rounding of
/// [Precision].
final class VectorBits {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private VectorBits() {}

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
