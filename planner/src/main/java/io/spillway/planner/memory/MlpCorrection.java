package io.spillway.planner.memory;

import io.spillway.platform.Seeds;
import java.util.List;
import java.util.random.RandomGenerator;

/// The paper's learned estimator as a correction: a multi-layer perceptron with rectified units,
/// trained with Adam on standardised features.
///
/// **Source:** Pipette's layer widths and optimizer; here it predicts the logarithm of measured
/// over analytic memory instead of the memory itself, so that a few dozen rows suffice.
public final class MlpCorrection implements MemoryCorrection {
  private static final int[] HIDDEN = {64, 48, 24, 12};
  private static final int EPOCHS = 1500;

  private final double[] mean;
  private final double[] deviation;
  // [layer][out][in + 1], the last column is the bias
  private final double[][][] weights;

  private MlpCorrection(double[] mean, double[] deviation, double[][][] weights) {
    this.mean = mean;
    this.deviation = deviation;
    this.weights = weights;
  }

  /// Trains on rows of features and their logarithms of measured over analytic memory.
  public static MlpCorrection train(List<double[]> features, double[] targets, Seeds seeds) {
    int width = features.getFirst().length;
    double[] mean = new double[width];
    double[] deviation = new double[width];
    for (double[] f : features) {
      for (int k = 0; k < width; k++) {
        mean[k] += f[k] / features.size();
      }
    }
    for (double[] f : features) {
      for (int k = 0; k < width; k++) {
        deviation[k] += (f[k] - mean[k]) * (f[k] - mean[k]) / features.size();
      }
    }
    for (int k = 0; k < width; k++) {
      deviation[k] = Math.max(1e-6, Math.sqrt(deviation[k]));
    }
    RandomGenerator random = seeds.stream("memory-mlp");
    double[][][] w = new double[HIDDEN.length + 1][][];
    int in = width;
    for (int l = 0; l < w.length; l++) {
      int out = l < HIDDEN.length ? HIDDEN[l] : 1;
      w[l] = new double[out][in + 1];
      for (double[] row : w[l]) {
        for (int k = 0; k < in; k++) {
          row[k] = random.nextGaussian() * Math.sqrt(2.0 / in) * (l == w.length - 1 ? 0.1 : 1);
        }
      }
      in = out;
    }
    MlpCorrection net = new MlpCorrection(mean, deviation, w);
    net.learn(features, targets);
    return net;
  }

  @Override
  public double factor(double[] features) {
    double[][] layers = forward(features);
    double out = layers[layers.length - 1][0];
    return Math.exp(Math.clamp(out, -KernelCorrection.BOUND, KernelCorrection.BOUND));
  }

  private double[][] forward(double[] features) {
    double[][] values = new double[weights.length + 1][];
    values[0] = new double[features.length];
    for (int k = 0; k < features.length; k++) {
      values[0][k] = Math.clamp((features[k] - mean[k]) / deviation[k], -3, 3);
    }
    for (int l = 0; l < weights.length; l++) {
      values[l + 1] = new double[weights[l].length];
      for (int o = 0; o < weights[l].length; o++) {
        double[] row = weights[l][o];
        double sum = row[row.length - 1];
        for (int k = 0; k < values[l].length; k++) {
          sum += row[k] * values[l][k];
        }
        values[l + 1][o] = l < weights.length - 1 ? Math.max(0, sum) : sum;
      }
    }
    return values;
  }

  private void learn(List<double[]> features, double[] targets) {
    double[][][] m = zeros();
    double[][][] v = zeros();
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
      double[][][] gradient = zeros();
      for (int i = 0; i < targets.length; i++) {
        double[][] values = forward(features.get(i));
        double[] delta = {2 * (values[weights.length][0] - targets[i]) / targets.length};
        for (int l = weights.length - 1; l >= 0; l--) {
          delta = backward(gradient[l], l, values[l], delta);
        }
      }
      double rate = epoch < EPOCHS / 2 ? 3e-3 : 3e-4;
      for (int l = 0; l < weights.length; l++) {
        for (int o = 0; o < weights[l].length; o++) {
          for (int k = 0; k < weights[l][o].length; k++) {
            double g = gradient[l][o][k] + 1e-3 * weights[l][o][k];
            m[l][o][k] = 0.9 * m[l][o][k] + 0.1 * g;
            v[l][o][k] = 0.999 * v[l][o][k] + 0.001 * g * g;
            double mHat = m[l][o][k] / (1 - Math.pow(0.9, epoch));
            double vHat = v[l][o][k] / (1 - Math.pow(0.999, epoch));
            weights[l][o][k] -= rate * mHat / (Math.sqrt(vHat) + 1e-8);
          }
        }
      }
    }
  }

  /// Adds the gradient of layer `l` and returns the one of its input.
  private double[] backward(double[][] gradient, int l, double[] input, double[] delta) {
    double[] before = new double[input.length];
    for (int o = 0; o < delta.length; o++) {
      double[] row = weights[l][o];
      for (int k = 0; k < input.length; k++) {
        gradient[o][k] += delta[o] * input[k];
        if (l == 0 || input[k] > 0) {
          before[k] += delta[o] * row[k];
        }
      }
      gradient[o][input.length] += delta[o];
    }
    return before;
  }

  private double[][][] zeros() {
    double[][][] z = new double[weights.length][][];
    for (int l = 0; l < z.length; l++) {
      z[l] = new double[weights[l].length][weights[l][0].length];
    }
    return z;
  }
}
