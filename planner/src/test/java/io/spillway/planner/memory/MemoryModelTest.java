package io.spillway.planner.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Recompute;
import io.spillway.planner.cost.StageTimes;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import io.spillway.platform.model.Models;
import org.junit.jupiter.api.Test;

/// The sums of Korthikanti et al. and Megatron-LM's bytes of state, worked by hand.
final class MemoryModelTest {
  private static final Accelerator A100 = Accelerators.named("A100-80");
  private static final MemoryModel BARE =
      new MemoryModel(new MemoryConstants(1, 0, 0, 0), new NoCorrection());

  private static final int H = 1024;
  private static final int HEADS = 16;
  private static final int S = 2048;
  private static final int LAYERS = 8;
  private static final ModelShape GPT = ModelShape.gpt("m", H, LAYERS, HEADS, 32_000, S);
  private static final double SBH = 2.0 * S * H; // micro-batches of 2

  private static Job job(Precision precision, boolean flash) {
    return new Job(GPT, 64, S, precision, flash);
  }

  private static Parallel cut(
      int tp, int pp, int dp, int cp, int virtualStages, boolean along, Recompute recompute) {
    return new Parallel(
        tp,
        pp,
        dp,
        cp,
        1,
        virtualStages,
        2,
        along,
        recompute,
        false,
        false,
        Parallel.even(LAYERS, pp * virtualStages));
  }

  private static double activations(Job job, Parallel cut, int stage) {
    return BARE.analytic(job, cut, stage, A100).activations();
  }

  private static void same(double actual, double expected) {
    assertThat(actual).isCloseTo(expected, within(1e-9 * Math.abs(expected)));
  }

  @Test
  void aLayerKeeps34BytesAnElementAndFiveAScore() {
    double scores = 5.0 * HEADS * S / H;
    Job job = job(Precision.BF16, false);
    same(
        activations(job, cut(1, 1, 1, 1, 1, false, Recompute.NONE), 0),
        LAYERS * SBH * (34 + scores));
    // over 4 ranks: norms and dropouts stay whole unless they are cut along the sequence
    same(
        activations(job, cut(4, 1, 1, 1, 1, false, Recompute.NONE), 0),
        LAYERS * SBH * (10 + (24 + scores) / 4));
    same(
        activations(job, cut(4, 1, 1, 1, 1, true, Recompute.NONE), 0),
        LAYERS * SBH * (34 + scores) / 4);
    // two ranks share each sequence
    same(
        activations(job, cut(1, 1, 1, 2, 1, false, Recompute.NONE), 0),
        LAYERS * SBH / 2 * (34 + scores));
  }

  @Test
  void whatIsComputedAgainIsNotKept() {
    double scores = 5.0 * HEADS * S / H;
    Job job = job(Precision.BF16, false);
    same(activations(job, cut(1, 1, 1, 1, 1, false, Recompute.SELECTIVE), 0), LAYERS * SBH * 34);
    same(
        activations(job(Precision.BF16, true), cut(1, 1, 1, 1, 1, false, Recompute.NONE), 0),
        LAYERS * SBH * 34);
    // the inputs of all layers, and one layer while it is computed again
    same(
        activations(job, cut(1, 1, 1, 1, 1, false, Recompute.FULL), 0),
        LAYERS * SBH * 2 + SBH * (34 + scores));
    same(
        activations(job, cut(4, 1, 1, 1, 1, true, Recompute.FULL), 0),
        (LAYERS * SBH * 2 + SBH * (34 + scores)) / 4);
  }

  @Test
  void fullPrecisionTakesFourBytesAndMasksOne() {
    same(
        activations(job(Precision.FP32, false), cut(1, 1, 1, 1, 1, false, Recompute.NONE), 0),
        LAYERS * SBH * (18 + 48 + 9.0 * HEADS * S / H));
    same(
        activations(job(Precision.TF32, false), cut(1, 1, 1, 1, 1, false, Recompute.SELECTIVE), 0),
        LAYERS * SBH * (18 + 48));
  }

  @Test
  void gatedModelsAndMixturesKeepWhatTheirWidthsSay() {
    // no dropout: 8 bytes for norms and inputs; queries and context, fewer keys and values; the
    // gate, the value and the input of the activation
    ModelShape llama = Models.find("llama-3-8b");
    Parallel plain = Parallel.of(1, 1, 1, 1, 32);
    double elements = 2048.0 * 4096;
    same(
        activations(new Job(llama, 8, 2048, Precision.BF16, true), plain, 0),
        32 * elements * (8 + 2 * (2 * 4096 + 2 * 1024) / 4096.0 + 3 * 2 * 14336 / 4096.0));
    // a fused attention keeps no scores; another keeps them, without masks
    same(
        activations(new Job(llama, 8, 2048, Precision.BF16, false), plain, 0)
            - activations(new Job(llama, 8, 2048, Precision.BF16, true), plain, 0),
        32 * 2.0 * 2048 * 2048 * 32);
    ModelShape mixtral = Models.find("mixtral-8x7b");
    same(
        activations(new Job(mixtral, 8, 2048, Precision.BF16, true), plain, 0),
        32 * elements * (8 + 2 * (2 * 4096 + 2 * 1024) / 4096.0 + 3 * 2 * 2 * 14336 / 4096.0));
  }

  @Test
  void earlierStagesHoldMoreMicroBatches() {
    Job job = job(Precision.BF16, true);
    for (int stage = 0; stage < 4; stage++) {
      same(
          activations(job, cut(1, 4, 1, 1, 1, false, Recompute.NONE), stage),
          2 * (4 - stage) * SBH * 34);
    }
    // only two micro-batches: 64 sequences over 16 replicas in twos
    same(activations(job, cut(1, 4, 16, 1, 1, false, Recompute.NONE), 0), 2 * 2 * SBH * 34);
    // interleaved: (p - stage) (1 + (p - 1) / (p v)), at least one
    same(
        activations(job, cut(1, 4, 1, 1, 2, false, Recompute.NONE), 1),
        2 * 3 * (1 + 3.0 / 8) * SBH * 34);
    same(activations(job, cut(1, 4, 16, 1, 2, false, Recompute.NONE), 0), 2 * 2 * SBH * 34);
  }

  @Test
  void statesByPrecisionAndWhetherTheyAreCut() {
    Parallel whole = Parallel.of(1, 1, 4, 2, LAYERS);
    Parallel shared =
        new Parallel(
            1, 1, 4, 2, 1, 1, 2, false, Recompute.NONE, true, false, Parallel.even(LAYERS, 1));
    double[][] expected = {{18, 6 + 12 / 8.0}, {20, 4 + 16 / 8.0}, {16, 8 + 8 / 8.0}};
    Precision[][] precisions = {
      {Precision.BF16, Precision.FP8}, {Precision.FP16}, {Precision.FP32, Precision.TF32}
    };
    for (int i = 0; i < expected.length; i++) {
      for (Precision precision : precisions[i]) {
        same(MemoryModel.stateBytes(job(precision, true), whole), expected[i][0]);
        same(MemoryModel.stateBytes(job(precision, true), shared), expected[i][1]);
      }
    }
    same(
        BARE.analytic(job(Precision.BF16, true), whole, 0, A100).states(),
        18 * StageTimes.stageParameters(job(Precision.BF16, true), whole, 0));
  }

  @Test
  void logitsLieOnTheLastStageAndBuffersOnEach() {
    Job job = job(Precision.BF16, true);
    MemoryModel model =
        new MemoryModel(new MemoryConstants(1.5, 2e9, 5e8, 1e8), new NoCorrection());
    Parallel cut = cut(2, 2, 1, 2, 1, false, Recompute.NONE);
    assertThat(model.analytic(job, cut, 0, A100).logits()).isZero();
    MemoryUse last = model.analytic(job, cut, 1, A100);
    same(last.logits(), 2.0 * S / 2 * 32_000 / 2 * 16);
    same(last.activations(), 1.5 * activations(job, cut, 1));
    same(last.buffers(), 2e9 + 2 * 1e8);
    same(last.total(), last.states() + last.activations() + last.logits() + last.buffers());
    // a card without links of its own; collectives of more than eight need no more
    Accelerator plain = Accelerators.named("RTX-3090");
    same(
        model.analytic(job, cut(16, 1, 1, 1, 1, false, Recompute.NONE), 0, plain).buffers(),
        5e8 + 8 * 1e8);
  }

  @Test
  void theFullestStageIsSaidWithTheCorrection() {
    Job job = job(Precision.BF16, true);
    Parallel cut = cut(1, 4, 1, 1, 1, false, Recompute.NONE);
    MemoryUse use = BARE.predict(job, cut, A100);
    double most = 0;
    int where = -1;
    for (int stage = 0; stage < 4; stage++) {
      double total = BARE.analytic(job, cut, stage, A100).total();
      if (total > most) {
        most = total;
        where = stage;
      }
    }
    same(use.total(), most);
    assertThat(use.stage()).isEqualTo(where);
    // a vocabulary so large that the last stage is the fullest
    ModelShape wordy = ModelShape.gpt("w", 64, LAYERS, 4, 500_000, S);
    MemoryUse last = BARE.predict(new Job(wordy, 64, S, Precision.BF16, true), cut, A100);
    assertThat(last.stage()).isEqualTo(3);
  }

  @Test
  void whatTheCorrectionLooksAt() {
    assertThat(
            MemoryModel.features(
                job(Precision.BF16, true),
                new Parallel(
                    2,
                    4,
                    8,
                    1,
                    1,
                    1,
                    16,
                    false,
                    Recompute.NONE,
                    false,
                    false,
                    Parallel.even(LAYERS, 4)),
                A100))
        .containsExactly(
            new double[] {1, 2, 3, 4, 10, Math.log(A100.memory().gib()) / Math.log(2)},
            within(1e-12));
  }
}
