package io.spillway.planner;

import io.spillway.platform.model.ModelShape;

/// What a training framework keeps of each layer for the backward pass, beside what every framework
/// must keep.
///
/// @param normInputs the inputs of both norms (a norm that works back from its output keeps none)
/// @param hiddenDropout the masks of dropout behind attention and feed-forward
/// @param scoreDropout the mask of dropout on the attention scores, and the scores behind it
/// @param activationInput the input of the activation function (a rectifier needs its output alone)
public record Keeps(
    boolean normInputs, boolean hiddenDropout, boolean scoreDropout, boolean activationInput) {

  /// As Megatron-LM trains the model with its published settings: GPT with dropout, the gated
  /// families without.
  public static Keeps of(ModelShape model) {
    boolean dropout = !model.gated();
    return new Keeps(true, dropout, dropout, true);
  }
}
