package io.spillway.reservoir.learn;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.protocol.Splits;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/// A classifier trained by gradient on counts: linear, or with one hidden layer; cross-entropy and
/// Adam. The linear one is the published readout and the usual linear probe.
///
/// **Shapes:** layers `[out][in]` on scaled counts.
public final class GradientReadout implements Classifier {
  /// How to train.
  ///
  /// @param hidden units of the hidden layer, 0 for a linear classifier
  /// @param steps of Adam, however many passes over the recordings that takes
  /// @param batch recordings in a step
  /// @param rate of Adam
  /// @param decay share of each weight taken off a step, times the rate
  public record Settings(int hidden, int steps, int batch, double rate, double decay) {
    /// A linear probe.
    public static final Settings LINEAR = new Settings(0, 1000, 50, 1e-3, .1);

    /// One hidden layer.
    public static final Settings MLP = new Settings(128, 1000, 50, 1e-3, .1);

    public Settings {
      if (hidden < 0 || steps < 1 || batch < 1 || !(rate > 0) || !(decay >= 0)) {
        throw SpillwayException.badInput(
            "%d hidden units, %d steps, batch %d, rate %s, decay %s",
            hidden, steps, batch, rate, decay);
      }
    }
  }

  private final Scaling scaling;
  private final Layer[] layers;

  private GradientReadout(Scaling scaling, Layer[] layers) {
    this.scaling = scaling;
    this.layers = layers;
  }

  /// One layer of weights.
  private static final class Layer {
    final int in;
    final int out;
    final Projection.Parameter weights;
    final Projection.Parameter bias;

    Layer(int in, int out, RandomGenerator random) {
      this.in = in;
      this.out = out;
      weights = new Projection.Parameter(in * out);
      bias = new Projection.Parameter(out);
      weights.fill(random, 1 / Math.sqrt(in));
    }

    float[] forward(float[] x) {
      float[] y = bias.value.clone();
      for (int k = 0; k < out; k++) {
        y[k] += Dense.dot(weights.value, k * in, x, 0, in);
      }
      return y;
    }

    /// Adds this layer's gradients; units without a slope, as silent ones, have none.
    void gradients(float[] x, float[] slope) {
      for (int k = 0; k < out; k++) {
        float factor = slope[k];
        if (factor != 0) {
          bias.gradient[k] += factor;
          int at = k * in;
          for (int i = 0; i < in; i++) {
            weights.gradient[at + i] += factor * x[i];
          }
        }
      }
    }

    /// The gradient of this layer's input.
    float[] back(float[] slope) {
      float[] back = new float[in];
      for (int k = 0; k < out; k++) {
        int at = k * in;
        for (int i = 0; i < in; i++) {
          back[i] += slope[k] * weights.value[at + i];
        }
      }
      return back;
    }

    void step(Settings settings, int t) {
      float keep = (float) (1 - settings.rate() * settings.decay());
      for (int i = 0; i < weights.value.length; i++) {
        weights.value[i] *= keep;
      }
      weights.adam(settings.rate(), t);
      bias.adam(settings.rate(), t);
    }
  }

  /// Trains on counts.
  public static GradientReadout fit(
      Counts counts, int[] labels, int classes, Settings settings, RandomGenerator random) {
    if (counts.size() != labels.length || counts.size() < 1) {
      throw SpillwayException.badInput(
          "%d recordings with %d labels", counts.size(), labels.length);
    }
    Scaling scaling = Scaling.of(counts);
    int width = counts.width();
    Layer[] layers =
        settings.hidden() == 0
            ? new Layer[] {new Layer(width, classes, random)}
            : new Layer[] {
              new Layer(width, settings.hidden(), random),
              new Layer(settings.hidden(), classes, random)
            };
    GradientReadout model = new GradientReadout(scaling, layers);
    int steps = 0;
    float[] row = new float[width];
    while (steps < settings.steps()) {
      int[] order = Splits.shuffled(labels.length, random);
      for (int from = 0;
          from < order.length && steps < settings.steps();
          from += settings.batch()) {
        int to = Math.min(order.length, from + settings.batch());
        for (int k = from; k < to; k++) {
          counts.copy(order[k], row);
          model.learn(row, labels[order[k]], 1f / (to - from));
        }
        steps++;
        for (Layer layer : layers) {
          layer.step(settings, steps);
        }
      }
    }
    return model;
  }

  /// Adds the gradients of one recording; returns its loss. `row` is scaled in place.
  double learn(float[] row, int label, float weight) {
    scaling.apply(row);
    float[] hidden = layers[0].forward(row);
    float[] active = layers.length == 1 ? hidden : relu(hidden);
    float[] scores = layers.length == 1 ? hidden : layers[1].forward(active);
    float[] slope = new float[scores.length];
    double loss = Dense.crossEntropy(scores, label, slope);
    for (int c = 0; c < slope.length; c++) {
      slope[c] *= weight;
    }
    if (layers.length == 2) {
      layers[1].gradients(active, slope);
      slope = layers[1].back(slope);
      for (int k = 0; k < slope.length; k++) {
        slope[k] = hidden[k] > 0 ? slope[k] : 0;
      }
    }
    layers[0].gradients(row, slope);
    return loss;
  }

  private static float[] relu(float[] x) {
    float[] out = x.clone();
    for (int k = 0; k < out.length; k++) {
      out[k] = Math.max(0, out[k]);
    }
    return out;
  }

  @Override
  public float[] scores(float[] counts) {
    float[] row = counts.clone();
    scaling.apply(row);
    float[] out = layers[0].forward(row);
    return layers.length == 1 ? out : layers[1].forward(relu(out));
  }

  /// Numbers that were learned.
  public long parameters() {
    return Arrays.stream(layers).mapToLong(l -> (long) l.in * l.out + l.out).sum();
  }
}
