package io.spillway.reservoir.learn;

import io.spillway.reservoir.liquid.SpikeFrames;
import java.util.Arrays;

/// How many steps of the input's past can be read from a liquid's spikes: the sum, over delays of 0
/// to 15 steps, of the share of variance of the number of input spikes so many steps ago that a
/// linear readout of the present spikes explains on recordings it was not fitted to.
///
/// Neurons are gathered into at most 128 groups whose spikes are added up. Half of the recordings
/// fit the readout, the other half judge it.
///
/// **Source:** Jaeger's short-term memory capacity, on recordings in place of a random signal.
public final class MemoryCapacity {
  private static final int DELAYS = 16;
  private static final int GROUPS = 128;
  private static final double PENALTY = .01;

  private final int groups;
  private final int neurons;
  private final int steps;
  private final float[][][] state; // [recordings][steps][groups + 1], the last is 1
  private final float[][] input; // [recordings][steps]

  public MemoryCapacity(int neurons, int recordings, int steps) {
    this.neurons = neurons;
    this.steps = steps;
    groups = Math.min(GROUPS, neurons);
    state = new float[recordings][steps][groups + 1];
    input = new float[recordings][steps];
    for (float[][] recording : state) {
      for (float[] row : recording) {
        row[groups] = 1;
      }
    }
  }

  /// A spike of the liquid; recordings may come from several threads, each from one.
  public void spike(int recording, int step, int neuron) {
    state[recording][step][(int) ((long) neuron * groups / neurons)]++;
  }

  /// The input spikes of a recording.
  public void inputs(int recording, SpikeFrames frames) {
    for (int t = 0; t < steps; t++) {
      input[recording][t] = frames.start(t + 1) - frames.start(t);
    }
  }

  /// The capacity, 0 to 16 steps.
  public double capacity() {
    int n = groups + 1;
    double[][] gram = new double[n][];
    for (int i = 0; i < n; i++) {
      gram[i] = new double[i + 1];
    }
    double[][] right = new double[DELAYS][n];
    for (int r = 0; r < state.length; r += 2) {
      for (int t = DELAYS - 1; t < steps; t++) {
        float[] row = state[r][t];
        for (int i = 0; i < n; i++) {
          for (int j = 0; row[i] != 0 && j <= i; j++) {
            gram[i][j] += row[i] * row[j];
          }
          for (int d = 0; d < DELAYS; d++) {
            right[d][i] += row[i] * input[r][t - d];
          }
        }
      }
    }
    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += gram[i][i];
    }
    for (int i = 0; i < n; i++) {
      gram[i][i] += PENALTY * trace / n + 1e-6;
    }
    Cholesky cholesky = Cholesky.of(gram);
    double total = 0;
    for (int d = 0; d < DELAYS; d++) {
      total += Math.max(0, explained(cholesky.solve(right[d]), d));
    }
    return total;
  }

  /// Share of variance explained on the other half.
  private double explained(double[] weights, int delay) {
    double[] targets = new double[(state.length / 2) * Math.max(0, steps - DELAYS + 1)];
    double error = 0;
    int next = 0;
    for (int r = 1; r < state.length; r += 2) {
      for (int t = DELAYS - 1; t < steps; t++) {
        double y = 0;
        for (int i = 0; i < weights.length; i++) {
          y += weights[i] * state[r][t][i];
        }
        double target = input[r][t - delay];
        error += (target - y) * (target - y);
        targets[next++] = target;
      }
    }
    double mean = Arrays.stream(targets).average().orElse(0);
    double variance = Arrays.stream(targets).map(v -> (v - mean) * (v - mean)).sum();
    return variance == 0 ? 0 : 1 - error / variance;
  }
}
