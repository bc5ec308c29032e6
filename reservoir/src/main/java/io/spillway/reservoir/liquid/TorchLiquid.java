package io.spillway.reservoir.liquid;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.crossbar.Converters;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// The liquid in batches of recordings on a device of libtorch: inputs and spikes are multiplied
/// with the whole matrices, the noise is [ReadNoise] counted out in 64-bit whole numbers. A device
/// with converters is read macro by macro, each result with noise of its own and rounded by the
/// converter before it is added up, as [Liquid] does.
///
/// Sums are taken in libtorch's order, so that a membrane within rounding of the threshold may fire
/// a step apart from [Liquid]; docs/results/reservoir.md has how seldom. One thread at a time.
///
/// **Shapes:** currents `[steps, batch, neurons]`; counts `[batch, segments * neurons]`.
public final class TorchLiquid implements AutoCloseable {
  private static final long MOST_NUMBERS = 48L << 20;
  private static final int LARGEST_BATCH = 256;

  private final Liquid liquid;
  private final LiquidConfig config;
  private final ComputeDevice device;
  private final boolean noisy;
  private final Converters converters;
  private final boolean converted;
  private final int tileRows;
  private final TensorHolder holder = new TensorHolder();
  private final Tensor input;
  private final Tensor recurrent;
  private final List<Tensor> variances = new ArrayList<>(); // of input and recurrent, if noisy

  TorchLiquid(Liquid liquid, Synapses synapses, Liquid.Dynamics dynamics, ComputeDevice device) {
    DeviceModel model = synapses.model();
    this.liquid = liquid;
    this.config = liquid.config();
    this.device = device;
    this.noisy = dynamics.noisy();
    this.converters = model.converters();
    this.converted = dynamics.converted();
    this.tileRows = model.tile();
    int n = config.neurons();
    int inputs = liquid.framing().inputs();
    input = matrix(inputs, n, synapses::inputWeight);
    recurrent = matrix(n, n, synapses::recurrentWeight);
    if (noisy) {
      variances.add(matrix(inputs, n, synapses::inputVariance));
      variances.add(matrix(n, n, synapses::recurrentVariance));
    }
  }

  private Tensor matrix(int rows, int columns, BlockRows.Cell cell) {
    float[] flat = new float[Math.multiplyExact(rows, columns)];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        flat[i * columns + j] = cell.at(i, j);
      }
    }
    try (TensorScope scope = TensorScope.open()) {
      return holder.hold(scope.keep(Tensors.to(Tensors.of(flat, rows, columns), device)));
    }
  }

  /// Recordings that fit one batch.
  public int batch() {
    long one =
        (long) liquid.framing().steps() * (liquid.framing().inputs() + 6L * config.neurons());
    return (int) Math.clamp(MOST_NUMBERS / one, 1, LARGEST_BATCH);
  }

  /// The answers to recordings `first`, `first + 1`, ...
  public List<LiquidResponse> run(List<SpikeFrames> frames, long first) {
    return run(frames, first, Simulator.SpikeSink.NONE);
  }

  /// The same; `sink` gets the spikes of the first recording.
  public List<LiquidResponse> run(List<SpikeFrames> frames, long first, Simulator.SpikeSink sink) {
    int steps = liquid.framing().steps();
    for (SpikeFrames f : frames) {
      if (f.inputs() != liquid.framing().inputs() || f.steps() != steps) {
        throw SpillwayException.badInput(
            "frames of %d inputs and %d steps for a liquid of %d and %d",
            f.inputs(), f.steps(), liquid.framing().inputs(), steps);
      }
    }
    try (TensorScope scope = TensorScope.open();
        NoGrad _ = NoGrad.begin()) {
      State state = new State(frames, first);
      for (int t = 0; t < steps; t++) {
        state.step(t, sink);
      }
      return state.responses(frames);
    }
  }

  @Override
  public void close() {
    holder.close();
  }

  /// One batch on its way through the steps.
  private final class State {
    private final int size;
    private final int n = config.neurons();
    private final int steps = liquid.framing().steps();
    private final Tensor inputs; // [steps, batch, inputs]
    private final Tensor currents; // [steps, batch, n]; unused with converters
    private final Tensor inputVariance;
    private final Tensor driven; // [steps, batch, 1]: whether inputs spike
    private final Tensor counts;
    private final TorchNoise noise;
    private Tensor membrane;
    private Tensor spikes;
    private Tensor bar;

    State(List<SpikeFrames> frames, long first) {
      size = frames.size();
      inputs = spikes(frames);
      driven = inputs.sum(2).gt(new Scalar(0)).unsqueeze(2);
      currents = converted ? zeros(0) : torch.matmul(inputs, input);
      inputVariance = noisy && !converted ? torch.matmul(inputs, variances.get(0)) : currents;
      membrane = zeros(size, n);
      spikes = zeros(size, n);
      bar = zeros(size, n).add(new Scalar(config.threshold()));
      counts = zeros(size, (long) config.segments() * n);
      noise = new TorchNoise(config.seed(), first, size, n, BlockRows.WIDTH, device);
    }

    private Tensor zeros(long... shape) {
      return torch.zeros(shape, Tensors.options(DType.F32, device));
    }

    /// Ones where inputs spike, `[steps, batch, inputs]`.
    private Tensor spikes(List<SpikeFrames> frames) {
      int width = liquid.framing().inputs();
      long[] at = new long[frames.stream().mapToInt(SpikeFrames::size).sum()];
      int next = 0;
      for (int k = 0; k < size; k++) {
        SpikeFrames f = frames.get(k);
        for (int t = 0; t < steps; t++) {
          for (int p = f.start(t); p < f.start(t + 1); p++) {
            at[next++] = ((long) t * size + k) * width + f.input(p);
          }
        }
      }
      Tensor places = Tensors.to(Tensors.of(at, at.length), device);
      return zeros((long) steps * size * width)
          .index_fill_(0, places, new Scalar(1f))
          .view(steps, size, width);
    }

    void step(int t, Simulator.SpikeSink sink) {
      try (TensorScope scope = TensorScope.open()) {
        Tensor current =
            converted
                ? converted(inputs.select(0, t), input, 0).add(converted(spikes, recurrent, 1))
                : current(t);
        Tensor keep = spikes.neg().add(new Scalar(1)).mul(new Scalar(config.leak()));
        membrane = scope.keep(membrane.mul(keep).add(current));
        spikes = scope.keep(Tensors.to(membrane.gt(bar), DType.F32));
        if (config.adaptation() instanceof Adaptation.Rising rising) {
          Scalar threshold = new Scalar(config.threshold());
          bar =
              scope.keep(
                  bar.sub(threshold)
                      .mul(new Scalar(rising.decay()))
                      .add(threshold)
                      .add(spikes.mul(new Scalar(rising.jump()))));
        }
        counts.narrow(1, (long) t * config.segments() / steps * n, n).add_(spikes);
        if (sink != Simulator.SpikeSink.NONE) {
          for (int j : fired(0)) {
            sink.spike(t, j);
          }
        }
      }
    }

    private Tensor current(int t) {
      Tensor current = currents.select(0, t).add(torch.matmul(spikes, recurrent));
      if (!noisy) {
        return current;
      }
      Tensor variance = inputVariance.select(0, t).add(torch.matmul(spikes, variances.get(1)));
      Tensor active = driven.select(0, t).logical_or(spikes.sum(1).gt(new Scalar(0)).unsqueeze(1));
      return current.add(variance.sqrt().mul(noise.next(active)));
    }

    /// The sum of what the macros of one array give, each read and converted by itself; a macro
    /// none of whose rows is driven gives nothing and draws no noise.
    ///
    /// @param driving `[batch, rows]`
    /// @param array 0 for the inputs, 1 for the recurrent connections
    private Tensor converted(Tensor driving, Tensor weights, int array) {
      Tensor sum = zeros(size, n);
      long rows = weights.size(0);
      for (long from = 0; from < rows; from += tileRows) {
        long count = Math.min(tileRows, rows - from);
        Tensor x = driving.narrow(1, from, count);
        Tensor part = torch.matmul(x, weights.narrow(0, from, count));
        if (noisy) {
          Tensor active = x.sum(1).gt(new Scalar(0)).unsqueeze(1);
          float own = (float) (converters.outputNoise() * converters.outputNoise());
          Tensor variance =
              torch
                  .matmul(x, variances.get(array).narrow(0, from, count))
                  .add(Tensors.to(active, DType.F32).mul(new Scalar(own)));
          part = part.add(variance.sqrt().mul(noise.next(active)));
        }
        sum = sum.add(output(part));
      }
      return sum;
    }

    /// [Converters#output] of every number.
    private Tensor output(Tensor part) {
      Tensor value = Tensors.to(part, DType.F64);
      double bound = converters.outputBound();
      if (bound > 0) {
        value =
            value.clamp(
                new ScalarOptional(new Scalar(-bound)), new ScalarOptional(new Scalar(bound)));
      }
      if (converters.adcBits() > 0) {
        Scalar lsb = new Scalar(converters.lsb());
        value = value.div(lsb).round().mul(lsb);
      }
      return Tensors.to(value, DType.F32);
    }

    private int[] fired(int recording) {
      long[] at = Tensors.longs(spikes.select(0, recording).nonzero());
      int[] out = new int[at.length];
      for (int k = 0; k < out.length; k++) {
        out[k] = (int) at[k];
      }
      return out;
    }

    List<LiquidResponse> responses(List<SpikeFrames> frames) {
      float[] all = Tensors.floats(counts);
      int width = config.segments() * n;
      List<LiquidResponse> out = new ArrayList<>();
      for (int k = 0; k < size; k++) {
        float[] row = java.util.Arrays.copyOfRange(all, k * width, (k + 1) * width);
        long total = 0;
        for (float c : row) {
          total += (long) c;
        }
        SpikeFrames f = frames.get(k);
        out.add(new LiquidResponse(n, row, total, f.size(), liquid.additions(f, row, fired(k))));
      }
      return out;
    }
  }
}
