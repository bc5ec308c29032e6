package io.spillway.reservoir.learn;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.protocol.Splits;
import java.util.random.RandomGenerator;

/// The trained networks that the reservoir is compared with: one recurrent layer whose every weight
/// learns by backpropagation through time, and a linear readout of the mean activity.
///
/// [Cell.Spiking] has the liquid's own neuron with a rectangular surrogate gradient, [Cell.Tanh] is
/// a plain recurrent network.
///
/// **Source:** the published baselines' neuron, surrogate and sizes.
public final class RecurrentBaseline {
  /// The neuron of the hidden layer.
  public sealed interface Cell {
    /// Leak, threshold and half the width of the surrogate `1 / (2 w)`.
    record Spiking(double leak, double threshold, double width) implements Cell {
      public Spiking {
        if (!(width > 0) || !(threshold > 0)) {
          throw SpillwayException.badInput("threshold %s, surrogate width %s", threshold, width);
        }
      }
    }

    /// `h = tanh(W x + U h)`.
    record Tanh() implements Cell {}
  }

  private final Cell cell;
  private final int hidden;
  private final int classes;
  private final Projection.Parameter input; // [inputs][hidden]
  private final Projection.Parameter recurrent; // [hidden][hidden], from row to column
  private final Projection.Parameter readout; // [classes][hidden]
  private final Projection.Parameter bias;
  private int steps;

  public RecurrentBaseline(Cell cell, int inputs, int hidden, int classes, RandomGenerator random) {
    this.cell = cell;
    this.hidden = hidden;
    this.classes = classes;
    input = new Projection.Parameter(inputs * hidden);
    recurrent = new Projection.Parameter(hidden * hidden);
    readout = new Projection.Parameter(classes * hidden);
    bias = new Projection.Parameter(classes);
    input.fill(random, 1 / Math.sqrt(inputs) * (cell instanceof Cell.Spiking ? 3 : 1));
    recurrent.fill(random, 1 / Math.sqrt(hidden));
    readout.fill(random, 1 / Math.sqrt(hidden));
  }

  /// Numbers that are learned.
  public long parameters() {
    return (long) input.value.length
        + recurrent.value.length
        + readout.value.length
        + bias.value.length;
  }

  /// The class of one recording.
  public int predict(SpikeFrames frames) {
    return Dense.argmax(
        run(frames, new float[frames.steps()][hidden], new float[frames.steps()][hidden]));
  }

  /// Trains over all recordings for some epochs.
  public void train(
      SpikeFrames[] frames,
      int[] labels,
      int epochs,
      int batch,
      double rate,
      RandomGenerator random) {
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] order = Splits.shuffled(labels.length, random);
      for (int from = 0; from < order.length; from += batch) {
        int to = Math.min(order.length, from + batch);
        for (int k = from; k < to; k++) {
          learn(frames[order[k]], labels[order[k]], 1f / (to - from));
        }
        steps++;
        for (Projection.Parameter p :
            new Projection.Parameter[] {input, recurrent, readout, bias}) {
          p.adam(rate, steps);
        }
      }
    }
  }

  /// Scores; `m` gets the membranes (or sums), `s` the spikes (or activities) of every step.
  private float[] run(SpikeFrames frames, float[][] m, float[][] s) {
    float[] mean = new float[hidden];
    for (int t = 0; t < frames.steps(); t++) {
      float[] now = m[t];
      for (int k = frames.start(t); k < frames.start(t + 1); k++) {
        int at = frames.input(k) * hidden;
        for (int j = 0; j < hidden; j++) {
          now[j] += input.value[at + j];
        }
      }
      for (int i = 0; t > 0 && i < hidden; i++) {
        float before = s[t - 1][i];
        if (before != 0) {
          int at = i * hidden;
          for (int j = 0; j < hidden; j++) {
            now[j] += before * recurrent.value[at + j];
          }
        }
      }
      switch (cell) {
        case Cell.Spiking c -> {
          for (int j = 0; j < hidden; j++) {
            if (t > 0) {
              now[j] += (float) c.leak() * m[t - 1][j] * (1 - s[t - 1][j]);
            }
            s[t][j] = now[j] > c.threshold() ? 1 : 0;
          }
        }
        case Cell.Tanh _ -> {
          for (int j = 0; j < hidden; j++) {
            s[t][j] = (float) Math.tanh(now[j]);
          }
        }
      }
      Dense.axpy(1f / frames.steps(), s[t], mean);
    }
    float[] scores = bias.value.clone();
    for (int c = 0; c < classes; c++) {
      scores[c] += Dense.dot(readout.value, c * hidden, mean, 0, hidden) * 10;
    }
    return scores;
  }

  /// Adds the gradients of the cross-entropy of one recording; returns the loss.
  double learn(SpikeFrames frames, int label, float weight) {
    int n = frames.steps();
    float[][] m = new float[n][hidden];
    float[][] s = new float[n][hidden];
    float[] scores = run(frames, m, s);
    float[] slope = new float[classes];
    double loss = Dense.crossEntropy(scores, label, slope);
    float[] mean = new float[hidden];
    for (float[] row : s) {
      Dense.axpy(1f / n, row, mean);
    }
    float[] outer = new float[hidden];
    for (int c = 0; c < classes; c++) {
      float g = slope[c];
      bias.gradient[c] += weight * g;
      for (int j = 0; j < hidden; j++) {
        readout.gradient[c * hidden + j] += weight * g * 10 * mean[j];
        outer[j] += g * 10 * readout.value[c * hidden + j] / n;
      }
    }
    back(frames, m, s, outer, weight);
    return loss;
  }

  private void back(SpikeFrames frames, float[][] m, float[][] s, float[] outer, float weight) {
    int n = frames.steps();
    float[] later = new float[hidden]; // d loss / d membrane of the step after
    float[] activity = new float[hidden];
    for (int t = n - 1; t >= 0; t--) {
      float[] g = new float[hidden];
      for (int j = 0; j < hidden; j++) {
        activity[j] = outer[j];
      }
      if (t + 1 < n) {
        for (int i = 0; i < hidden; i++) {
          activity[i] += Dense.dot(recurrent.value, i * hidden, later, 0, hidden);
          if (s[t][i] != 0) {
            int at = i * hidden;
            float factor = weight * s[t][i];
            for (int j = 0; j < hidden; j++) {
              recurrent.gradient[at + j] += factor * later[j];
            }
          }
        }
      }
      switch (cell) {
        case Cell.Spiking c -> {
          float leak = (float) c.leak();
          for (int j = 0; j < hidden; j++) {
            float total = activity[j] - leak * m[t][j] * later[j];
            boolean near = Math.abs(m[t][j] - c.threshold()) < c.width();
            g[j] = (near ? total / (float) (2 * c.width()) : 0) + leak * (1 - s[t][j]) * later[j];
          }
        }
        case Cell.Tanh _ -> {
          for (int j = 0; j < hidden; j++) {
            g[j] = activity[j] * (1 - s[t][j] * s[t][j]);
          }
        }
      }
      for (int k = frames.start(t); k < frames.start(t + 1); k++) {
        int at = frames.input(k) * hidden;
        for (int j = 0; j < hidden; j++) {
          input.gradient[at + j] += weight * g[j];
        }
      }
      later = g;
    }
  }
}
