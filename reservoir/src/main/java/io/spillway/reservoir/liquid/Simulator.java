package io.spillway.reservoir.liquid;

/// Runs a liquid over a recording.
public sealed interface Simulator permits Liquid, DenseLiquid {
  /// Receives each spike of the liquid.
  @FunctionalInterface
  interface SpikeSink {
    /// Ignores spikes.
    SpikeSink NONE = (step, neuron) -> {};

    void spike(int step, int neuron);
  }

  LiquidConfig config();

  Framing framing();

  /// The answer to one recording.
  ///
  /// @param recording number that the noise of reading depends on
  LiquidResponse run(SpikeFrames frames, long recording, SpikeSink sink);

  /// The answer without a look at the spikes.
  default LiquidResponse run(SpikeFrames frames, long recording) {
    return run(frames, recording, SpikeSink.NONE);
  }
}
