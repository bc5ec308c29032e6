package io.spillway.reservoir.learn;

import java.util.random.RandomGenerator;

/// The small trainable head on a frozen reservoir: `p = W c + b`, then `LayerNorm(p + V gelu(p) +
/// v)`.
///
/// **Source:** the published projection; written out with its gradients.
public final class Projection {
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final float EPSILON = 1e-5f;

  final int inputs;
  final int width;
  final Parameter w;
  final Parameter b;
  final Parameter v;
  final Parameter c;
  final Parameter gain;
  final Parameter shift;

  /// Numbers that learn by Adam.
  static final class Parameter {
    final float[] value;
    final float[] gradient;
    private final float[] first;
    private final float[] second;

    Parameter(int size) {
      value = new float[size];
      gradient = new float[size];
      first = new float[size];
      second = new float[size];
    }

    void fill(RandomGenerator random, double bound) {
      for (int i = 0; i < value.length; i++) {
        value[i] = (float) ((2 * random.nextDouble() - 1) * bound);
      }
    }

    /// One step of Adam, step number `t` from 1; the gradient is cleared.
    void adam(double rate, int t) {
      float scale = (float) (rate * Math.sqrt(1 - Math.pow(.999, t)) / (1 - Math.pow(.9, t)));
      for (int i = 0; i < value.length; i++) {
        float g = gradient[i];
        first[i] = .9f * first[i] + .1f * g;
        second[i] = .999f * second[i] + .001f * g * g;
        value[i] -= scale * first[i] / ((float) Math.sqrt(second[i]) + 1e-8f);
        gradient[i] = 0;
      }
    }
  }

  public Projection(int inputs, int width, RandomGenerator random) {
    this.inputs = inputs;
    this.width = width;
    w = new Parameter(width * inputs);
    b = new Parameter(width);
    v = new Parameter(width * width);
    c = new Parameter(width);
    gain = new Parameter(width);
    shift = new Parameter(width);
    w.fill(random, 1 / Math.sqrt(inputs));
    b.fill(random, 1 / Math.sqrt(inputs));
    v.fill(random, 1 / Math.sqrt(width));
    c.fill(random, 1 / Math.sqrt(width));
    java.util.Arrays.fill(gain.value, 1);
  }

  /// Numbers that are learned.
  public long parameters() {
    return (long) width * inputs + (long) width * width + 4L * width;
  }

  /// What a forward pass leaves for the backward pass.
  static final class Trace {
    final float[] input;
    final float[] p;
    final float[] active;
    final float[] normal;
    float inverse;
    final float[] out;
    final float[] kept;

    Trace(float[] input, int width) {
      this.input = input;
      p = new float[width];
      active = new float[width];
      normal = new float[width];
      out = new float[width];
      kept = new float[width];
    }
  }

  /// The embedding of one row of scaled counts.
  public float[] embed(float[] input) {
    return forward(input, null, 0).out;
  }

  Trace forward(
      float[] input, @org.jspecify.annotations.Nullable RandomGenerator random, double drop) {
    Trace t = new Trace(input, width);
    for (int k = 0; k < width; k++) {
      t.p[k] = b.value[k] + Dense.dot(w.value, k * inputs, input, 0, inputs);
      t.active[k] = gelu(t.p[k]);
    }
    float[] sum = new float[width];
    float mean = 0;
    for (int k = 0; k < width; k++) {
      t.kept[k] = random == null ? 1 : random.nextDouble() < drop ? 0 : (float) (1 / (1 - drop));
      float branch = c.value[k] + Dense.dot(v.value, k * width, t.active, 0, width);
      sum[k] = t.p[k] + t.kept[k] * branch;
      mean += sum[k] / width;
    }
    float variance = 0;
    for (int k = 0; k < width; k++) {
      variance += (sum[k] - mean) * (sum[k] - mean) / width;
    }
    t.inverse = (float) (1 / Math.sqrt(variance + EPSILON));
    for (int k = 0; k < width; k++) {
      t.normal[k] = (sum[k] - mean) * t.inverse;
      t.out[k] = gain.value[k] * t.normal[k] + shift.value[k];
    }
    return t;
  }

  /// Adds the gradients for `d` loss / `d` output.
  void backward(Trace t, float[] output) {
    float[] normal = new float[width];
    float mean = 0;
    float along = 0;
    for (int k = 0; k < width; k++) {
      gain.gradient[k] += output[k] * t.normal[k];
      shift.gradient[k] += output[k];
      normal[k] = output[k] * gain.value[k];
      mean += normal[k] / width;
      along += normal[k] * t.normal[k] / width;
    }
    float[] p = new float[width];
    float[] active = new float[width];
    for (int k = 0; k < width; k++) {
      float sum = t.inverse * (normal[k] - mean - t.normal[k] * along);
      p[k] += sum;
      float branch = sum * t.kept[k];
      c.gradient[k] += branch;
      for (int m = 0; m < width; m++) {
        v.gradient[k * width + m] += branch * t.active[m];
        active[m] += branch * v.value[k * width + m];
      }
    }
    for (int k = 0; k < width; k++) {
      float g = p[k] + active[k] * geluSlope(t.p[k]);
      b.gradient[k] += g;
      int at = k * inputs;
      for (int i = 0; i < inputs; i++) {
        w.gradient[at + i] += g * t.input[i];
      }
    }
  }

  void step(double rate, int t) {
    for (Parameter each : new Parameter[] {w, b, v, c, gain, shift}) {
      each.adam(rate, t);
    }
  }

  private static float gelu(float x) {
    double inner = SQRT_2_OVER_PI * (x + .044715 * x * x * x);
    return (float) (.5 * x * (1 + Math.tanh(inner)));
  }

  private static float geluSlope(float x) {
    double tanh = Math.tanh(SQRT_2_OVER_PI * (x + .044715 * x * x * x));
    double slope = SQRT_2_OVER_PI * (1 + 3 * .044715 * x * x);
    return (float) (.5 * (1 + tanh) + .5 * x * (1 - tanh * tanh) * slope);
  }
}
