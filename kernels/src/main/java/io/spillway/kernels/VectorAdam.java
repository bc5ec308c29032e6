package io.spillway.kernels;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The fused Adam pass on the Vector API: reads gradient, master and moments once, writes master,
/// moments and the rounded weight once. Gives the bits of [ScalarAdam].
///
/// The JVM has no streaming store, so each written weight line is read first: the pass moves 30
/// bytes a parameter (14 read, 14 written, 2 fetched for the weight) with a full master.
public final class VectorAdam implements AdamKernel {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int LANES = F.length();

  private final ScalarAdam scalar = new ScalarAdam();

  @Override
  public void update(AdamStep k, AdamBuffers b, long from, long to) {
    long whole = from;
    if (ORDER == ByteOrder.LITTLE_ENDIAN) {
      whole = from + (to - from) / LANES * LANES;
      if (b.layout() == MasterLayout.SPLIT) {
        updateSplit(k, b, from, whole);
      } else if (b.gradientPrecision() == Precision.BF16 && b.weightPrecision() == Precision.BF16) {
        updateBf16(k, b, from, whole);
      } else {
        updateMixed(k, b, from, whole);
      }
    }
    scalar.update(k, b, whole, to);
  }

  /// Full master, bfloat16 gradient and weight.
  private static void updateBf16(AdamStep k, AdamBuffers b, long from, long to) {
    MemorySegment master = b.master();
    MemorySegment momentum = b.momentum();
    MemorySegment variance = b.variance();
    MemorySegment gradient = b.gradient();
    MemorySegment weight = b.weight();
    float scale = k.gradientScale();
    float decay = k.decay();
    float coupled = k.coupledDecay();
    float beta1 = k.oneMinusBeta1();
    float beta2 = k.beta2();
    float newSquare = k.oneMinusBeta2();
    float correction = k.inverseRootCorrection2();
    float epsilon = k.epsilon();
    float step = -k.stepSize();
    for (long i = from; i < to; i += LANES) {
      FloatVector p = FloatVector.fromMemorySegment(F, master, 4 * i, ORDER).mul(decay);
      FloatVector m = FloatVector.fromMemorySegment(F, momentum, 4 * i, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(F, variance, 4 * i, ORDER);
      FloatVector g = VectorBits.loadBf16(gradient, i).mul(scale);
      g = FloatVector.broadcast(F, coupled).fma(p, g);
      m = g.sub(m).fma(FloatVector.broadcast(F, beta1), m);
      v = v.fma(FloatVector.broadcast(F, beta2), g.mul(newSquare).mul(g));
      FloatVector denominator =
          v.sqrt().fma(FloatVector.broadcast(F, correction), FloatVector.broadcast(F, epsilon));
      p = m.div(denominator).fma(FloatVector.broadcast(F, step), p);
      p.intoMemorySegment(master, 4 * i, ORDER);
      m.intoMemorySegment(momentum, 4 * i, ORDER);
      v.intoMemorySegment(variance, 4 * i, ORDER);
      VectorBits.storeBf16(p, weight, i);
    }
  }

  /// Full master, any gradient and weight format.
  private static void updateMixed(AdamStep k, AdamBuffers b, long from, long to) {
    MemorySegment master = b.master();
    MemorySegment momentum = b.momentum();
    MemorySegment variance = b.variance();
    MemorySegment gradient = b.gradient();
    MemorySegment weight = b.weight();
    Precision gradients = b.gradientPrecision();
    Precision weights = b.weightPrecision();
    float scale = k.gradientScale();
    float decay = k.decay();
    float coupled = k.coupledDecay();
    float beta1 = k.oneMinusBeta1();
    float beta2 = k.beta2();
    float newSquare = k.oneMinusBeta2();
    float correction = k.inverseRootCorrection2();
    float epsilon = k.epsilon();
    float step = -k.stepSize();
    for (long i = from; i < to; i += LANES) {
      FloatVector p = FloatVector.fromMemorySegment(F, master, 4 * i, ORDER).mul(decay);
      FloatVector m = FloatVector.fromMemorySegment(F, momentum, 4 * i, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(F, variance, 4 * i, ORDER);
      FloatVector g = VectorBits.load(gradient, gradients, i).mul(scale);
      g = FloatVector.broadcast(F, coupled).fma(p, g);
      m = g.sub(m).fma(FloatVector.broadcast(F, beta1), m);
      v = v.fma(FloatVector.broadcast(F, beta2), g.mul(newSquare).mul(g));
      FloatVector denominator =
          v.sqrt().fma(FloatVector.broadcast(F, correction), FloatVector.broadcast(F, epsilon));
      p = m.div(denominator).fma(FloatVector.broadcast(F, step), p);
      p.intoMemorySegment(master, 4 * i, ORDER);
      m.intoMemorySegment(momentum, 4 * i, ORDER);
      v.intoMemorySegment(variance, 4 * i, ORDER);
      VectorBits.store(p, weight, weights, i);
    }
  }

  /// Split master, bfloat16 weight, any gradient format. The branches of [SplitMaster] are carries
  /// and borrows here.
  private static void updateSplit(AdamStep k, AdamBuffers b, long from, long to) {
    MemorySegment low = b.master();
    MemorySegment momentum = b.momentum();
    MemorySegment variance = b.variance();
    MemorySegment gradient = b.gradient();
    MemorySegment weight = b.weight();
    Precision gradients = b.gradientPrecision();
    float scale = k.gradientScale();
    float decay = k.decay();
    float coupled = k.coupledDecay();
    float beta1 = k.oneMinusBeta1();
    float beta2 = k.beta2();
    float newSquare = k.oneMinusBeta2();
    float correction = k.inverseRootCorrection2();
    float epsilon = k.epsilon();
    float step = -k.stepSize();
    for (long i = from; i < to; i += LANES) {
      IntVector tagged =
          FloatVector.fromMemorySegment(F, variance, 4 * i, ORDER).reinterpretAsInts();
      IntVector lower = VectorBits.loadUnsigned16(low, i);
      // lower + tag exceeds 0x8000 exactly if the weight was rounded up
      IntVector roundedUp =
          tagged
              .lanewise(VectorOperators.LSHR, 31)
              .add(lower)
              .add(0x7FFF)
              .lanewise(VectorOperators.LSHR, 16);
      FloatVector p =
          VectorBits.loadUnsigned16(weight, i)
              .sub(roundedUp)
              .lanewise(VectorOperators.LSHL, 16)
              .or(lower)
              .reinterpretAsFloats()
              .mul(decay);
      FloatVector v = tagged.and(0x7FFFFFFF).reinterpretAsFloats();
      FloatVector m = FloatVector.fromMemorySegment(F, momentum, 4 * i, ORDER);
      FloatVector g = VectorBits.load(gradient, gradients, i).mul(scale);
      g = FloatVector.broadcast(F, coupled).fma(p, g);
      m = g.sub(m).fma(FloatVector.broadcast(F, beta1), m);
      v = v.fma(FloatVector.broadcast(F, beta2), g.mul(newSquare).mul(g));
      FloatVector denominator =
          v.sqrt().fma(FloatVector.broadcast(F, correction), FloatVector.broadcast(F, epsilon));
      p = m.div(denominator).fma(FloatVector.broadcast(F, step), p);
      m.intoMemorySegment(momentum, 4 * i, ORDER);
      VectorBits.storeBf16(p, weight, i);
      IntVector bits = p.reinterpretAsInts();
      // negative exactly if the lower 17 bits are an odd tie
      IntVector tag =
          bits.and(0x1FFFF).lanewise(VectorOperators.XOR, 0x18000).sub(1).and(0x80000000);
      v.reinterpretAsInts()
          .and(0x7FFFFFFF)
          .or(tag)
          .reinterpretAsFloats()
          .intoMemorySegment(variance, 4 * i, ORDER);
      VectorBits.storeLow16(bits, low, i);
    }
  }

  /// The vector shape in use, for reports.
  public static String shape() {
    return I.vectorBitSize() + "-bit vectors";
  }
}
