package io.spillway.reservoir.liquid;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.crossbar.Converters;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.tensor.ComputeDevice;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

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

  /// The same liquid in batches of recordings on a device of libtorch.
  public TorchLiquid on(ComputeDevice device) {
    return new TorchLiquid(this, synapses, dynamics, device);
  }

  /// Weights that the spikes of one recording add: synaptic operations.
  ///
  /// @param counts spikes of each neuron in each segment; those of the last step feed nothing
  /// @param last neurons that fire in the last step
  long additions(SpikeFrames frames, float[] counts, int[] last) {
    long blocks = 0;
    for (int k = 0; k < frames.size(); k++) {
      blocks += input.blocks(frames.input(k));
    }
    int n = config.neurons();
    for (int k = 0; k < counts.length; k++) {
      blocks += (long) counts[k] * recurrent.blocks(k % n);
    }
    for (int j : last) {
      blocks -= recurrent.blocks(j);
    }
    return blocks * BlockRows.WIDTH;
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
    Dynamics.State state = dynamics.begin(recording, frames.steps());
    int[] fired = new int[config.neurons()];
    int firing = 0;
    long additions = 0;
    for (int k = 0; k < frames.size(); k++) {
      additions += (long) input.blocks(frames.input(k)) * BlockRows.WIDTH;
    }
    boolean ahead = !dynamics.converted();
    if (ahead) {
      // nothing feeds back into the inputs: all their currents are found at once
      input.drive(frames, state.currents(), state.variances(), state.padded());
    }
    for (int t = 0; t < frames.steps(); t++) {
      state.begin(t, ahead && frames.start(t) < frames.start(t + 1));
      int tile = -1;
      for (int k = frames.start(t); !ahead && k < frames.start(t + 1); k++) {
        int row = frames.input(k);
        tile = state.enter(tile, row, 0);
        input.add(row, state.part(), state.variances(), state.offset());
      }
      state.leave(tile);
      tile = -1;
      for (int k = 0; k < firing; k++) {
        tile = state.enter(tile, fired[k], 1);
        recurrent.add(fired[k], state.part(), state.variances(), state.offset());
        additions += (long) recurrent.blocks(fired[k]) * BlockRows.WIDTH;
      }
      state.leave(tile);
      firing = state.step(t, frames.steps(), fired, sink);
    }
    return state.response(frames.size(), additions);
  }

  /// What sparse and dense simulation share: the neuron itself, its noise and converters.
  static final class Dynamics {
    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

    private final LiquidConfig config;
    private final Converters converters;
    private final int tileRows;
    private final boolean converted;
    private final boolean noisy;
    private final float outputVariance;

    Dynamics(LiquidConfig config, DeviceModel model) {
      this.config = config;
      this.converters = model.converters();
      this.tileRows = model.tile();
      this.converted =
          converters.adcBits() > 0 || converters.outputBound() > 0 || converters.outputNoise() > 0;
      this.noisy =
          model.read().sigma(model.gMax()) > 0
              || model.read().sigma(model.gMax() / 2) > 0
              || converters.outputNoise() > 0;
      this.outputVariance = (float) (converters.outputNoise() * converters.outputNoise());
    }

    boolean noisy() {
      return noisy;
    }

    /// Whether results pass converters macro by macro.
    boolean converted() {
      return converted;
    }

    State begin(long recording, int steps) {
      return new State(recording, steps);
    }

    /// The neurons during one recording. Currents and variances lie in one row a step, `[steps *
    /// padded]`; with converters one row serves every step.
    final class State {
      private final int n = config.neurons();
      private final int padded = (n + BlockRows.WIDTH - 1) / BlockRows.WIDTH * BlockRows.WIDTH;
      private final long seed;
      private final float[] current;
      private final float[] part;
      private final float[] variance;
      private final float[] membrane = new float[padded];
      private final float[] keep = new float[padded];
      private final float[] bar = new float[padded];
      private final boolean[] spiked = new boolean[padded];
      private final float[] counts = new float[config.segments() * n];
      private final float leak = (float) config.leak();
      private final float threshold = (float) config.threshold();
      private final float jump;
      private final float decay;
      private int offset;
      private int counter;
      private long spikes;
      private boolean silent = true;

      State(long recording, int steps) {
        seed = ReadNoise.seed(config.seed(), recording);
        current = new float[converted ? padded : steps * padded];
        part = converted ? new float[padded] : current;
        variance = new float[converted || !noisy ? padded : steps * padded];
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
        Arrays.fill(bar, threshold);
        // lanes beyond the last neuron never fire
        Arrays.fill(bar, n, padded, Float.POSITIVE_INFINITY);
        Arrays.fill(keep, leak);
      }

      float[] currents() {
        return current;
      }

      float[] part() {
        return part;
      }

      float[] variances() {
        return variance;
      }

      int padded() {
        return padded;
      }

      int offset() {
        return offset;
      }

      void begin(int t, boolean driven) {
        silent = !driven;
        if (converted) {
          Arrays.fill(current, 0);
        } else {
          offset = t * padded;
        }
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
        if (outputVariance > 0) {
          // noises add up in their variances: the cells' and the converter's are drawn as one
          for (int j = 0; j < n; j++) {
            variance[j] += outputVariance;
          }
        }
        readNoise(part);
        for (int j = 0; j < n; j++) {
          current[j] += (float) converters.output(part[j]);
          part[j] = 0;
        }
        Arrays.fill(variance, 0);
      }

      private void readNoise(float[] values) {
        if (noisy) {
          ReadNoise.add(values, offset, variance, padded, seed, counter);
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
        for (int j = 0; j < padded; j += SPECIES.length()) {
          FloatVector m =
              FloatVector.fromArray(SPECIES, membrane, j)
                  .mul(FloatVector.fromArray(SPECIES, keep, j))
                  .add(FloatVector.fromArray(SPECIES, current, offset + j));
          m.intoArray(membrane, j);
          long fires =
              m.compare(VectorOperators.GT, FloatVector.fromArray(SPECIES, bar, j)).toLong();
          while (fires != 0) {
            fired[firing++] = j + Long.numberOfTrailingZeros(fires);
            fires &= fires - 1;
          }
        }
        if (jump > 0) {
          adapt(fired, firing);
        }
        Arrays.fill(keep, leak);
        for (int k = 0; k < firing; k++) {
          keep[fired[k]] = 0; // the reset: nothing of this membrane stays
          counts[segment + fired[k]]++;
          sink.spike(t, fired[k]);
        }
        spikes += firing;
        return firing;
      }

      private void adapt(int[] fired, int firing) {
        Arrays.fill(spiked, false);
        for (int k = 0; k < firing; k++) {
          spiked[fired[k]] = true;
        }
        for (int j = 0; j < n; j++) {
          bar[j] = threshold + decay * (bar[j] - threshold) + (spiked[j] ? jump : 0);
        }
      }

      LiquidResponse response(long inputSpikes, long additions) {
        return new LiquidResponse(n, counts, spikes, inputSpikes, additions);
      }
    }
  }
}
