package io.spillway.diffusion.model;

import org.bytedeco.pytorch.Tensor;

/// A denoiser that is a chain of equal blocks, so that its depth can be split into stages.
public interface StagedDenoiser extends Denoiser {
  /// What all blocks of one step share: embeddings of time and condition.
  interface Step {
    /// Tokens of the own strip before the first block.
    ///
    /// **Shapes:** the whole image [batch, channels, rows, columns] -> [batch, own tokens, D].
    Tensor embed(Tensor x, Cooperation ranks);

    /// One block.
    Tensor block(int index, Tensor tokens, Cooperation ranks);

    /// The prediction for the own strip.
    Tensor finish(Tensor tokens, int rows, int columns);
  }

  int blocks();

  /// Width of a token.
  int width();

  /// Rows of pixels or latents in a token.
  int patch();

  Step step(Tensor times, Condition condition);

  @Override
  default Tensor predict(Tensor x, Tensor times, Condition condition, Cooperation ranks) {
    Step step = step(times, condition);
    Tensor tokens = step.embed(x, ranks);
    for (int i = 0; i < blocks(); i++) {
      tokens = step.block(i, tokens, ranks);
    }
    int rows = Math.toIntExact(x.size(2));
    return step.finish(tokens, ranks.strip().rows(rows), Math.toIntExact(x.size(3)));
  }
}
