package io.spillway.kernels;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The readable twin of [VectorAdam]: one parameter at a time, in the order that [AdamStep] states.
public final class ScalarAdam implements AdamKernel {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED;

  @Override
  public void update(AdamStep k, AdamBuffers b, long from, long to) {
    boolean split = b.layout() == MasterLayout.SPLIT;
    MemorySegment momentum = b.momentum();
    MemorySegment variance = b.variance();
    for (long i = from; i < to; i++) {
      float p;
      float v = variance.get(F32, 4 * i);
      if (split) {
        p = SplitMaster.join(b.weight().get(U16, 2 * i), b.master().get(U16, 2 * i), v);
        v = SplitMaster.untag(v);
      } else {
        p = b.master().get(F32, 4 * i);
      }
      float m = momentum.get(F32, 4 * i);
      float g = b.gradientPrecision().get(b.gradient(), i) * k.gradientScale();
      p = p * k.decay();
      g = Math.fma(k.coupledDecay(), p, g);
      m = Math.fma(k.oneMinusBeta1(), g - m, m);
      v = Math.fma(k.beta2(), v, (k.oneMinusBeta2() * g) * g);
      float denominator = Math.fma((float) Math.sqrt(v), k.inverseRootCorrection2(), k.epsilon());
      p = Math.fma(-k.stepSize(), m / denominator, p);
      momentum.set(F32, 4 * i, m);
      if (split) {
        b.master().set(U16, 2 * i, SplitMaster.low(p));
        variance.set(F32, 4 * i, SplitMaster.tag(p, v));
      } else {
        b.master().set(F32, 4 * i, p);
        variance.set(F32, 4 * i, v);
      }
      b.weightPrecision().set(b.weight(), i, p);
    }
  }
}
