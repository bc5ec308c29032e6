package io.spillway.reservoir.liquid;

/// The liquid as its equation reads: every step multiplies every input and every neuron with every
/// weight, one number after the other. It exists to be compared with [Liquid].
public final class DenseLiquid implements Simulator {
  private final LiquidConfig config;
  private final Framing framing;
  private final Liquid.Dynamics dynamics;
  private final float[][] input; // [inputs][neurons]
  private final float[][] inputVariance;
  private final float[][] recurrent; // [neurons][neurons]
  private final float[][] recurrentVariance;

  DenseLiquid(LiquidConfig config, Framing framing, Synapses synapses) {
    this.config = config;
    this.framing = framing;
    this.dynamics = new Liquid.Dynamics(config, synapses.model());
    int n = config.neurons();
    input = matrix(framing.inputs(), n, synapses::inputWeight);
    inputVariance = matrix(dynamics.noisy() ? framing.inputs() : 0, n, synapses::inputVariance);
    recurrent = matrix(n, n, synapses::recurrentWeight);
    recurrentVariance = matrix(dynamics.noisy() ? n : 0, n, synapses::recurrentVariance);
  }

  private static float[][] matrix(int rows, int columns, BlockRows.Cell cell) {
    float[][] out = new float[rows][columns];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        out[i][j] = cell.at(i, j);
      }
    }
    return out;
  }

  @Override
  public LiquidConfig config() {
    return config;
  }

  @Override
  public Framing framing() {
    return framing;
  }

  /// The weights of the inputs, `[inputs][neurons]`, for comparisons with other engines.
  public float[][] inputWeights() {
    return input;
  }

  /// The recurrent weights, `[neurons][neurons]`.
  public float[][] recurrentWeights() {
    return recurrent;
  }

  @Override
  public LiquidResponse run(SpikeFrames frames, long recording, SpikeSink sink) {
    Liquid.Dynamics.State state = dynamics.begin(recording, frames.steps());
    int n = config.neurons();
    int[] fired = new int[n];
    int firing = 0;
    long additions = 0;
    for (int t = 0; t < frames.steps(); t++) {
      float[] x = new float[framing.inputs()];
      for (int k = frames.start(t); k < frames.start(t + 1); k++) {
        x[frames.input(k)] = 1;
      }
      float[] s = new float[n];
      for (int k = 0; k < firing; k++) {
        s[fired[k]] = 1;
      }
      state.begin(t, false);
      multiply(x, input, inputVariance, state, 0);
      multiply(s, recurrent, recurrentVariance, state, 1);
      additions += (long) (x.length + n) * n;
      firing = state.step(t, frames.steps(), fired, sink);
    }
    return state.response(frames.size(), additions);
  }

  private static void multiply(
      float[] x, float[][] weights, float[][] variances, Liquid.Dynamics.State state, int array) {
    float[] sum = state.part();
    float[] variance = state.variances();
    int offset = state.offset();
    boolean noisy = variances.length > 0;
    int tile = -1;
    for (int i = 0; i < x.length; i++) {
      if (x[i] != 0) {
        tile = state.enter(tile, i, array);
      }
      for (int j = 0; j < weights[i].length; j++) {
        sum[offset + j] += x[i] * weights[i][j];
        if (noisy) {
          variance[offset + j] += x[i] * variances[i][j];
        }
      }
    }
    state.leave(tile);
  }
}
