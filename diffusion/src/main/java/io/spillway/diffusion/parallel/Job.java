package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.model.StagedDenoiser;
import io.spillway.diffusion.sampling.Sampler;
import io.spillway.platform.SpillwayException;

/// How images are made, whatever they show.
///
/// @param strategy how the ranks of one guidance branch share the image
/// @param splitGuidance whether half of the ranks compute the unconditional prediction
/// @param warmup the last synchronous step, counted from 0; -1 makes even the first one displaced,
///   which only strategies without stale values allow
/// @param guidance 1 for none; the prediction is u + guidance (c - u)
/// @param rows of the image or latent
/// @param columns of the image or latent
/// @param recorded whether displaced steps are recorded as a CUDA graph where that is possible
public record Job(
    Strategy strategy,
    boolean splitGuidance,
    int warmup,
    int steps,
    Sampler sampler,
    double guidance,
    int rows,
    int columns,
    boolean recorded) {
  /// Without a recording.
  public Job(
      Strategy strategy,
      boolean splitGuidance,
      int warmup,
      int steps,
      Sampler sampler,
      double guidance,
      int rows,
      int columns) {
    this(strategy, splitGuidance, warmup, steps, sampler, guidance, rows, columns, false);
  }

  public Job {
    if (steps < 1 || steps > 1000) {
      throw SpillwayException.badInput("%d steps: between 1 and 1000 are possible", steps);
    }
    if (warmup < 0) {
      throw SpillwayException.badInput(
          "warm-up %d: at least step 0 must be synchronous, so 0 or more", warmup);
    }
    if (!Double.isFinite(guidance)) {
      throw SpillwayException.badInput("guidance %s is no number", guidance);
    }
    if (splitGuidance && guidance == 1) {
      throw SpillwayException.badInput(
          "guidance split needs a guidance other than 1, which has two branches");
    }
  }

  /// Whether one forward pass computes both branches.
  public boolean guided() {
    return guidance != 1;
  }

  /// Ranks of one guidance branch.
  ///
  /// **Errors:** fewer than one rank, or an odd number with guidance split.
  public int branchRanks(int ranks) {
    if (ranks < 1) {
      throw SpillwayException.badInput("%d ranks: at least 1 is needed", ranks);
    }
    if (!splitGuidance) {
      return ranks;
    }
    if (ranks % 2 != 0) {
      throw SpillwayException.badInput(
          "%d ranks cannot be split between two guidance branches; take an even number", ranks);
    }
    return ranks / 2;
  }

  /// Checks that the model can be shared so.
  ///
  /// **Errors:** sizes that do not divide, more ranks than rows, heads that do not divide, a depth
  /// too small for the stages.
  public void check(Denoiser model, int ranks) {
    int n = branchRanks(ranks);
    int unit = model.rowMultiple();
    if (rows < 1 || columns < 1 || rows % unit != 0 || columns % unit != 0) {
      throw SpillwayException.badInput(
          "size %d x %d: rows and columns must be multiples of %d", rows, columns, unit);
    }
    switch (strategy) {
      case Strategy.Single _ -> {
        if (n != 1) {
          throw SpillwayException.badInput(
              "strategy single takes one rank a guidance branch, not %d", n);
        }
      }
      case Strategy.NaivePatches _, Strategy.DistriFusion _, Strategy.Pcpp _, Strategy.Turns _ ->
          checkStrips(n, unit, "ranks");
      case Strategy.SequenceParallel(int u, int r) -> {
        if (u * r != n) {
          throw SpillwayException.badInput(
              "a mesh of %d x %d needs %d ranks a guidance branch, there are %d", u, r, u * r, n);
        }
        checkStrips(n, unit, "ranks");
        checkHeads(model, u, "Ulysses");
      }
      case Strategy.PipeFusion(int patches) -> {
        if (!(model instanceof StagedDenoiser staged)) {
          throw SpillwayException.badInput(
              "strategy pipefusion needs a model that is a chain of equal blocks, such as DiT or"
                  + " PixArt; a UNet has skip connections");
        }
        if (n > staged.blocks()) {
          throw SpillwayException.badInput(
              "%d stages for %d blocks: take at most %d ranks",
              n, staged.blocks(), staged.blocks());
        }
        checkStrips(patches == 0 ? n : patches, unit, "patches");
      }
      case Strategy.TensorParallel _ -> checkHeads(model, n, "tensor parallelism");
    }
  }

  private void checkStrips(int strips, int unit, String what) {
    int units = rows / unit;
    if (strips > units) {
      throw SpillwayException.badInput(
          "%d %s for %d rows that can be parted (%d rows of %d): take at most %d",
          strips, what, units, rows, unit, units);
    }
    if (units % strips != 0) {
      throw SpillwayException.badInput(
          "%d rows cannot be cut into %d equal strips of whole units of %d rows; take a number that"
              + " divides %d",
          rows, strips, unit, units);
    }
  }

  private static void checkHeads(Denoiser model, int ranks, String what) {
    for (int heads : model.heads()) {
      if (heads % ranks != 0) {
        throw SpillwayException.badInput(
            "%s deals out heads: %d heads cannot be shared by %d ranks", what, heads, ranks);
      }
    }
  }
}
