package io.spillway.planner.cost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Recompute;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import io.spillway.platform.model.Models;
import org.junit.jupiter.api.Test;

/// Times of layers on an A100, worked by hand: half of the peak rate for products, eight trips of
/// the scores, a millisecond a layer.
final class ComputeCostTest {
  private static final Accelerator A100 = Accelerators.named("A100-80");
  private static final double FLOPS = A100.rate(Precision.BF16).flopsPerSecond() * 0.5;
  private static final double BYTES = A100.memoryBandwidth().bytesPerSecond();
  private static final Calibration ROUND = new Calibration(0.5, 8, 1e-3, 1, 1, 1, "by hand");

  private static final double H = 1024;
  private static final int S = 2048;
  private static final ModelShape GPT = ModelShape.gpt("m", 1024, 8, 16, 32_000, S);

  private static ComputeCost cost(
      ModelShape model, boolean flash, int tp, int cp, boolean along, Recompute recompute) {
    return new ComputeCost(
        new Job(model, 64, S, Precision.BF16, flash),
        new Parallel(
            tp,
            1,
            1,
            cp,
            1,
            1,
            2,
            along,
            recompute,
            false,
            false,
            Parallel.even(model.layers(), 1)),
        ROUND);
  }

  private static void same(double actual, double expected) {
    assertThat(actual).isCloseTo(expected, within(1e-9 * expected));
  }

  /// 12 h² parameters and 5 h biases of the feed-forward layer, attention over pairs of tokens, 11
  /// trips of the residual and 3.5 of 4 h.
  private static double gptForward(double tokens, double tp, double cut) {
    double pairs = tokens * S / tp;
    return 2 * tokens * (12 * H * H + 5 * H) / tp / FLOPS
        + 4 * pairs * H / FLOPS
        + pairs * 16 * 2 * 8 / BYTES
        + (11 * tokens * H / cut + 3.5 * tokens * 4 * H / tp) * 2 / BYTES
        + 1e-3;
  }

  @Test
  void aLayerForward() {
    same(cost(GPT, false, 1, 1, false, Recompute.NONE).layerForward(A100), gptForward(2 * S, 1, 1));
    same(cost(GPT, false, 4, 1, false, Recompute.NONE).layerForward(A100), gptForward(2 * S, 4, 1));
    same(cost(GPT, false, 4, 1, true, Recompute.NONE).layerForward(A100), gptForward(2 * S, 4, 4));
    same(cost(GPT, false, 1, 2, false, Recompute.NONE).layerForward(A100), gptForward(S, 1, 1));
  }

  @Test
  void aLayerBackwardIsTwiceForwardAndWhatIsComputedAgain() {
    double forward = gptForward(2 * S, 1, 1);
    double pairs = 2.0 * S * S;
    same(cost(GPT, false, 1, 1, false, Recompute.NONE).layerBackward(A100), 2 * forward);
    same(
        cost(GPT, false, 1, 1, false, Recompute.SELECTIVE).layerBackward(A100),
        2 * forward + 4 * pairs * H / FLOPS + pairs * 16 * 2 * 8 / BYTES);
    ComputeCost full = cost(GPT, false, 1, 1, false, Recompute.FULL);
    same(full.layerBackward(A100), 3 * forward);
    assertThat(full.repeatsForward()).isTrue();
    assertThat(cost(GPT, false, 1, 1, false, Recompute.SELECTIVE).repeatsForward()).isFalse();
  }

  @Test
  void gatedModelsMixturesAndFusedAttention() {
    double tokens = 2 * S;
    // the causal half at seven tenths of the rate
    double attention = 2 * tokens * S * 4096 / (0.7 * FLOPS);
    double projections = 2 * tokens * 4096 * (2 * 4096 + 2 * 1024) / FLOPS;
    double residual = 11 * tokens * 4096 * 2 / BYTES;
    same(
        cost(Models.find("llama-3-8b"), true, 1, 1, false, Recompute.NONE).layerForward(A100),
        projections
            + 2 * tokens * 3 * 4096 * 14336 / FLOPS
            + attention
            + residual
            + 3.5 * 1.5 * tokens * 14336 * 2 / BYTES
            + 1e-3);
    // two experts a token
    same(
        cost(Models.find("mixtral-8x7b"), true, 1, 1, false, Recompute.NONE).layerForward(A100),
        projections
            + 2 * tokens * 2 * 3 * 4096 * 14336 / FLOPS
            + attention
            + residual
            + 3.5 * 1.5 * tokens * 2 * 14336 * 2 / BYTES
            + 1e-3);
  }

  @Test
  void fewTokensWaitForTheWeights() {
    ComputeCost one =
        new ComputeCost(
            new Job(GPT, 1, 1, Precision.BF16, true), Parallel.of(2, 1, 1, 1, 8), ROUND);
    double weights = 32_000 * H / 2 * 2 / BYTES;
    same(one.logitsForward(A100), weights + 12.0 * 32_000 / 2 / BYTES);
  }

  @Test
  void theEndsOfTheModelAndTheStep() {
    ComputeCost cost = cost(GPT, true, 2, 1, false, Recompute.NONE);
    double tokens = 2 * S;
    double logits = 2 * tokens * 32_000 * H / 2 / FLOPS + 12 * tokens * 32_000 / 2 / BYTES;
    same(cost.logitsForward(A100), logits);
    same(cost.logitsBackward(A100), 2 * logits);
    same(cost.embedding(A100), 3 * tokens * H * 2 / BYTES);
    same(cost.optimizerStep(A100, 1e9), 20e9 / BYTES);
    same(cost.residualBytes(), tokens * H * 2);
    same(cost.tokens(), tokens);
  }
}
