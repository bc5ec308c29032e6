package io.spillway.reservoir.liquid;

/// What the liquid answers to one recording.
///
/// @param neurons neurons of the liquid
/// @param counts spikes of each neuron in each segment, `[segments * neurons]`
/// @param spikes spikes in all
/// @param inputSpikes input spikes that came in
/// @param additions weights that were added: synaptic operations
public record LiquidResponse(
    int neurons, float[] counts, long spikes, long inputSpikes, long additions) {
  /// Spikes a neuron and step.
  public double rate(int steps) {
    return spikes / (double) neurons / steps;
  }
}
