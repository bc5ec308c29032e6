package io.spillway.reservoir.liquid;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.crossbar.Converters;
import io.spillway.reservoir.crossbar.DeviceModel;
import java.util.Arrays;

/// The liquid simulated by its spikes: each input spike and each spike of a neuron adds one row of
/// a crossbar, silence costs only the leak. Safe for use by several threads at once.
///
/// [DenseLiquid] is its scalar twin and gives the same spikes.
///
/// **Source:** the published reservoir; events and wiring as in docs/design/reservoir.md.
public final class Liquid implements Simulator {
  private final LiquidConfig config;
  private final Framing framing;
  private final Synapses synapses;
  private final BlockRows input;
  private final BlockRows recurrent;
  private final Dynamics dynamics;

  public Liquid(LiquidConfig config, Framing framing) {
    this(config, framing, new Synapses(config, framing));
  }

  /// A liquid on a device that has no preset's name.
  public Liquid(LiquidConfig config, Framing framing, DeviceModel device) {
    this(config, framing, new Synapses(config, framing, device));
  }

  Liquid(LiquidConfig config, Framing framing, Synapses synapses) {
    this.config = config;
    this.framing = framing;
    this.synapses = synapses;
    this.dynamics = new Dynamics(config, synapses.model());
    boolean noisy = dynamics.noisy();
    int n = config.neurons();
    input =
        BlockRows.of(framing.inputs(), n, synapses::inputWeight, synapses::inputVariance, noisy);
    recurrent = BlockRows.of(n, n, synapses::recurrentWeight, synapses::recurrentVariance, noisy);
  }

  @Override
  public LiquidConfig config() {
    return config;
  }

  @Override
  public Framing framing() {
    return framing;
  }

  /// The crossbar of the inputs.
  public io.spillway.reservoir.crossbar.Crossbar inputCrossbar() {
    return synapses.input();
  }

  /// The crossbar of the recurrent connections.
  public io.spillway.reservoir.crossbar.Crossbar recurrentCrossbar() {
    return synapses.recurrent();
  }

  /// The dense twin on the same conductances.
  public DenseLiquid dense() {
    return new DenseLiquid(config, framing, synapses);
  }

  @Override
  public LiquidResponse run(SpikeFrames frames, long recording, SpikeSink sink) {
    if (frames.inputs() != framing.inputs()) {
      throw SpillwayException.badInput(
          "frames of %d inputs for a liquid of %d", frames.inputs(), framing.inputs());
    }
    Dynamics.State state = dynamics.begin(recording);
    int[] fired = new int[config.neurons()];
    int firing = 0;
    long additions = 0;
    for (int t = 0; t < frames.steps(); t++) {
      state.clear();
      int tile = -1;
      for (int k = frames.start(t); k < frames.start(t + 1); k++) {
        int row = frames.input(k);
        tile = state.enter(tile, row, 0);
        input.add(row, state.part(), state.variance());
        additions += (long) input.blocks(row) * BlockRows.WIDTH;
      }
      state.leave(tile);
      tile = -1;
      for (int k = 0; k < firing; k++) {
        tile = state.enter(tile, fired[k], 1);
        recurrent.add(fired[k], state.part(), state.variance());
        additions += (long) recurrent.blocks(fired[k]) * BlockRows.WIDTH;
      }
      state.leave(tile);
      firing = state.step(t, frames.steps(), fired, sink);
    }
    return state.response(frames.size(), additions);
  }

  /// What sparse and dense simulation share: the neuron itself, its noise and converters.
  static final class Dynamics {
    private final LiquidConfig config;
    private final Converters converters;
    private final int tileRows;
    private final boolean converted;
    private final boolean noisy;

    Dynamics(LiquidConfig config, DeviceModel model) {
      this.config = config;
      this.converters = model.converters();
      this.tileRows = model.tile();
      this.converted = converters.adcBits() > 0 || converters.outputBound() > 0;
      this.noisy = model.read().sigma(model.gMax()) > 0 || model.read().sigma(model.gMax() / 2) > 0;
    }

    boolean noisy() {
      return noisy;
    }

    State begin(long recording) {
      return new State(recording);
    }

    final class State {
      private final int n = config.neurons();
      private final int padded = (n + BlockRows.WIDTH - 1) / BlockRows.WIDTH * BlockRows.WIDTH;
      private final long seed;
      private final float[] current = new float[padded];
      private final float[] part = converted ? new float[padded] : current;
      private final float[] variance = new float[padded];
      private final float[] membrane = new float[padded];
      private final float[] lift = new float[padded];
      private final boolean[] spiked = new boolean[padded];
      private final float[] counts = new float[config.segments() * n];
      private final float leak = (float) config.leak();
      private final float threshold = (float) config.threshold();
      private final float jump;
      private final float decay;
      private long counter;
      private long spikes;
      private boolean silent = true;

      State(long recording) {
        seed = config.seed() * 0x632BE59BD9B4E019L + recording * 0xD1B54A32D192ED03L;
        switch (config.adaptation()) {
          case Adaptation.None _ -> {
            jump = 0;
            decay = 0;
          }
          case Adaptation.Rising rising -> {
            jump = (float) rising.jump();
            decay = (float) rising.decay();
          }
        }
      }

      float[] part() {
        return part;
      }

      float[] variance() {
        return variance;
      }

      void clear() {
        if (!silent || converted) {
          Arrays.fill(current, 0);
          Arrays.fill(variance, 0);
        }
        silent = true;
      }

      /// Moves to the macro of `row`; results of the one before are converted first.
      int enter(int tile, int row, int array) {
        silent = false;
        if (!converted) {
          return 0;
        }
        int next = row / tileRows + array * 1_000_000;
        if (tile >= 0 && tile != next) {
          convert();
        }
        return next;
      }

      void leave(int tile) {
        if (converted && tile >= 0) {
          convert();
        }
      }

      private void convert() {
        readNoise(part);
        for (int j = 0; j < n; j++) {
          current[j] += (float) converters.output(part[j]);
          part[j] = 0;
        }
        Arrays.fill(variance, 0);
      }

      private void readNoise(float[] values) {
        if (noisy) {
          ReadNoise.add(values, variance, n, seed, counter);
        }
        counter += padded;
      }

      /// One step of every neuron; returns how many fired and lists them.
      int step(int t, int steps, int[] fired, SpikeSink sink) {
        if (!converted && !silent) {
          readNoise(current);
        }
        int firing = 0;
        int segment = t * config.segments() / steps * n;
        for (int j = 0; j < n; j++) {
          float m = spiked[j] ? current[j] : leak * membrane[j] + current[j];
          membrane[j] = m;
        }
        for (int j = 0; j < n; j++) {
          boolean fires = membrane[j] > threshold + lift[j];
          spiked[j] = fires;
          if (fires) {
            fired[firing++] = j;
            counts[segment + j]++;
          }
        }
        if (jump > 0) {
          for (int j = 0; j < n; j++) {
            lift[j] = decay * lift[j] + (spiked[j] ? jump : 0);
          }
        }
        for (int k = 0; k < firing; k++) {
          sink.spike(t, fired[k]);
        }
        spikes += firing;
        return firing;
      }

      LiquidResponse response(long inputSpikes, long additions) {
        return new LiquidResponse(n, counts, spikes, inputSpikes, additions);
      }
    }
  }
}
