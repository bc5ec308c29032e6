package io.spillway.kernels;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
  private static final int BLOCK = 1024;

  /// Parameters of one call of the loop that runs over memory of any size. The virtual machine
  /// compiles a method for its entry by its number of calls; entered for one long loop it would run
  /// the first rounds of each call a hundred times slower, until the loop itself is replaced.
  private static final int CALL = 2048;

  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final ScalarAdam scalar = new ScalarAdam();

  @Override
  public void update(AdamStep k, AdamBuffers b, long from, long to) {
    long whole = from;
    if (ORDER == ByteOrder.LITTLE_ENDIAN) {
      whole = from + (to - from) / LANES * LANES;
      if (b.layout() == MasterLayout.FULL
          && b.gradientPrecision() == Precision.BF16
          && b.weightPrecision() == Precision.BF16) {
        for (long i = from; i < whole; i += CALL) {
          updateBf16(k, b, i, Math.min(whole, i + CALL));
        }
      } else {
        updateInBlocks(k, b, from, whole);
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

  /// One short loop over a block that lies in the first-level cache.
  private interface Pass {
    /// @param master `[BLOCK]`, the block's parameters in single precision
    /// @param gradient `[BLOCK]`, its gradients
    void run(AdamStep k, AdamBuffers b, float[] master, float[] gradient, long from, int n);
  }

  private static final Pass WIDEN_GRADIENT =
      (_, b, _, gradient, from, n) ->
          VectorBits.toFloats(b.gradient(), b.gradientPrecision(), from, gradient, n);
  private static final Pass READ_MASTER =
      (_, b, master, _, from, n) -> MemorySegment.copy(b.master(), F32, 4 * from, master, 0, n);
  private static final Pass WRITE_MASTER =
      (_, b, master, _, from, n) -> MemorySegment.copy(master, 0, b.master(), F32, 4 * from, n);
  private static final Pass ROUND_WEIGHT =
      (_, b, master, _, from, n) ->
          VectorBits.fromFloats(master, b.weight(), b.weightPrecision(), from, n);

  private static final Pass[] FULL = {
    WIDEN_GRADIENT, READ_MASTER, VectorAdam::updateBlock, WRITE_MASTER, ROUND_WEIGHT
  };
  private static final Pass[] SPLIT = {
    WIDEN_GRADIENT, VectorAdam::join, VectorAdam::updateTagged, VectorAdam::split
  };
  private static final Pass[] SPLIT_BF16 = {
    VectorAdam::join, VectorAdam::updateTaggedBf16, VectorAdam::split
  };

  /// Any formats: each block takes several passes through single precision. They are called through
  /// one interface by more classes than C2 inlines, so that each is compiled alone: in one method
  /// they exceed its limits, and vectors that leave the registers cost five times the work.
  private static void updateInBlocks(AdamStep k, AdamBuffers b, long from, long to) {
    Pass[] passes =
        b.layout() == MasterLayout.FULL
            ? FULL
            : b.gradientPrecision() == Precision.BF16 ? SPLIT_BF16 : SPLIT;
    float[] master = new float[BLOCK];
    float[] gradient = new float[BLOCK];
    for (long i = from; i < to; i += BLOCK) {
      int n = (int) Math.min(BLOCK, to - i);
      for (Pass pass : passes) {
        pass.run(k, b, master, gradient, i, n);
      }
    }
  }

  /// Parameters in `master`, gradient in `gradient`, moments in place; writes no weight.
  private static void updateBlock(
      AdamStep k, AdamBuffers b, float[] master, float[] gradient, long from, int n) {
    MemorySegment momentum = b.momentum();
    MemorySegment variance = b.variance();
    float scale = k.gradientScale();
    float decay = k.decay();
    float coupled = k.coupledDecay();
    float beta1 = k.oneMinusBeta1();
    float beta2 = k.beta2();
    float newSquare = k.oneMinusBeta2();
    float correction = k.inverseRootCorrection2();
    float epsilon = k.epsilon();
    float step = -k.stepSize();
    for (int j = 0; j < n; j += LANES) {
      long i = from + j;
      FloatVector p = FloatVector.fromArray(F, master, j).mul(decay);
      FloatVector m = FloatVector.fromMemorySegment(F, momentum, 4 * i, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(F, variance, 4 * i, ORDER);
      FloatVector g = FloatVector.fromArray(F, gradient, j).mul(scale);
      g = FloatVector.broadcast(F, coupled).fma(p, g);
      m = g.sub(m).fma(FloatVector.broadcast(F, beta1), m);
      v = v.fma(FloatVector.broadcast(F, beta2), g.mul(newSquare).mul(g));
      FloatVector denominator =
          v.sqrt().fma(FloatVector.broadcast(F, correction), FloatVector.broadcast(F, epsilon));
      p = m.div(denominator).fma(FloatVector.broadcast(F, step), p);
      p.intoArray(master, j);
      m.intoMemorySegment(momentum, 4 * i, ORDER);
      v.intoMemorySegment(variance, 4 * i, ORDER);
    }
  }

  /// As [#updateBlock] on a variance that has its tags, which go.
  private static void updateTagged(
      AdamStep k, AdamBuffers b, float[] master, float[] gradient, long from, int n) {
    MemorySegment momentum = b.momentum();
    MemorySegment variance = b.variance();
    float scale = k.gradientScale();
    float decay = k.decay();
    float coupled = k.coupledDecay();
    float beta1 = k.oneMinusBeta1();
    float beta2 = k.beta2();
    float newSquare = k.oneMinusBeta2();
    float correction = k.inverseRootCorrection2();
    float epsilon = k.epsilon();
    float step = -k.stepSize();
    for (int j = 0; j < n; j += LANES) {
      long i = from + j;
      FloatVector p = FloatVector.fromArray(F, master, j).mul(decay);
      FloatVector m = FloatVector.fromMemorySegment(F, momentum, 4 * i, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(F, variance, 4 * i, ORDER).abs();
      FloatVector g = FloatVector.fromArray(F, gradient, j).mul(scale);
      g = FloatVector.broadcast(F, coupled).fma(p, g);
      m = g.sub(m).fma(FloatVector.broadcast(F, beta1), m);
      v = v.fma(FloatVector.broadcast(F, beta2), g.mul(newSquare).mul(g));
      FloatVector denominator =
          v.sqrt().fma(FloatVector.broadcast(F, correction), FloatVector.broadcast(F, epsilon));
      p = m.div(denominator).fma(FloatVector.broadcast(F, step), p);
      p.intoArray(master, j);
      m.intoMemorySegment(momentum, 4 * i, ORDER);
      v.intoMemorySegment(variance, 4 * i, ORDER);
    }
  }

  /// As [#updateTagged] with bfloat16 gradients, which it reads itself.
  private static void updateTaggedBf16(
      AdamStep k, AdamBuffers b, float[] master, float[] gradient, long from, int n) {
    MemorySegment momentum = b.momentum();
    MemorySegment variance = b.variance();
    float scale = k.gradientScale();
    float decay = k.decay();
    float coupled = k.coupledDecay();
    float beta1 = k.oneMinusBeta1();
    float beta2 = k.beta2();
    float newSquare = k.oneMinusBeta2();
    float correction = k.inverseRootCorrection2();
    float epsilon = k.epsilon();
    float step = -k.stepSize();
    for (int j = 0; j < n; j += LANES) {
      long i = from + j;
      FloatVector p = FloatVector.fromArray(F, master, j).mul(decay);
      FloatVector m = FloatVector.fromMemorySegment(F, momentum, 4 * i, ORDER);
      FloatVector v = FloatVector.fromMemorySegment(F, variance, 4 * i, ORDER).abs();
      FloatVector g = VectorBits.loadBf16(b.gradient(), i).mul(scale);
      g = FloatVector.broadcast(F, coupled).fma(p, g);
      m = g.sub(m).fma(FloatVector.broadcast(F, beta1), m);
      v = v.fma(FloatVector.broadcast(F, beta2), g.mul(newSquare).mul(g));
      FloatVector denominator =
          v.sqrt().fma(FloatVector.broadcast(F, correction), FloatVector.broadcast(F, epsilon));
      p = m.div(denominator).fma(FloatVector.broadcast(F, step), p);
      p.intoArray(master, j);
      m.intoMemorySegment(momentum, 4 * i, ORDER);
      v.intoMemorySegment(variance, 4 * i, ORDER);
    }
  }

  /// Joins the halves of the parameters. The branches of [SplitMaster] are carries and borrows
  /// here.
  private static void join(
      AdamStep k, AdamBuffers b, float[] master, float[] gradient, long from, int n) {
    MemorySegment low = b.master();
    MemorySegment variance = b.variance();
    MemorySegment weight = b.weight();
    for (int j = 0; j < n; j += LANES) {
      long i = from + j;
      IntVector tagged = IntVector.fromMemorySegment(I, variance, 4 * i, ORDER);
      IntVector lower = VectorBits.loadUnsigned16(low, i);
      // lower + tag exceeds 0x8000 exactly if the weight was rounded up
      IntVector roundedUp =
          tagged
              .lanewise(VectorOperators.LSHR, 31)
              .add(lower)
              .add(0x7FFF)
              .lanewise(VectorOperators.LSHR, 16);
      VectorBits.loadUnsigned16(weight, i)
          .sub(roundedUp)
          .lanewise(VectorOperators.LSHL, 16)
          .or(lower)
          .reinterpretAsFloats()
          .intoArray(master, j);
    }
  }

  /// Splits the parameters into weights and lower halves and tags the variance.
  private static void split(
      AdamStep k, AdamBuffers b, float[] master, float[] gradient, long from, int n) {
    MemorySegment variance = b.variance();
    for (int j = 0; j < n; j += LANES) {
      long i = from + j;
      FloatVector p = FloatVector.fromArray(F, master, j);
      VectorBits.storeBf16(p, b.weight(), i);
      IntVector bits = p.reinterpretAsInts();
      VectorBits.storeLow16(bits, b.master(), i);
      // negative exactly if the lower 17 bits are an odd tie
      IntVector tie =
          bits.and(0x1FFFF).lanewise(VectorOperators.XOR, 0x18000).sub(1).and(0x80000000);
      IntVector.fromMemorySegment(I, variance, 4 * i, ORDER)
          .and(0x7FFFFFFF)
          .or(tie)
          .intoMemorySegment(variance, 4 * i, ORDER);
    }
  }

  /// The vector shape in use, for reports.
  public static String shape() {
    return I.vectorBitSize() + "-bit vectors";
  }
}
