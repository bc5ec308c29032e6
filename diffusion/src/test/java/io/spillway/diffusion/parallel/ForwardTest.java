package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.sampling.FlowEuler;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Steps as a recording needs them (fixed places, exchanges awaited before the step, packing in the
/// last step too) give the same image and the same bytes. On a GPU bench/gpu/diffusion.sh --graph
/// holds the recording itself against this.
final class ForwardTest {
  private static final int STEPS = 9;

  @ParameterizedTest
  @CsvSource({"dit,1", "dit,2", "dit,4", "unet,1", "unet,2", "unet,4"})
  void recordableStepsGiveTheSameImageAndBytes(String name, int ranks) throws Exception {
    List<Strategy> strategies =
        ranks == 1
            ? List.of(new Strategy.Single())
            : List.of(
                new Strategy.NaivePatches(),
                new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, false),
                new Strategy.DistriFusion(Sync.NO_SYNC, false),
                new Strategy.DistriFusion(Sync.SEPARATE_GN, false),
                new Strategy.Pcpp(0.3, 0, false),
                new Strategy.Pcpp(0.3, 4, false));
    try (Denoiser model = name.equals("dit") ? Rig.dit() : Rig.unet()) {
      for (Strategy strategy : strategies) {
        same(model, strategy, ranks, "without a graph, the device is no GPU");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"turns", "distrifusion-x", "pcpp-x", "ulysses", "ring", "tensor", "pipefusion"})
  void othersSayWhyTheyAreNotRecorded(String name) throws Exception {
    try (Denoiser model = Rig.dit()) {
      Strategy strategy = Strategy.named(name, 2, 0.3, 4, Sync.CORRECTED_ASYNC_GN);
      same(model, strategy, 2, "wait within");
    }
  }

  @Test
  void statisticsThatAreWaitedForCannotBeRecorded() throws Exception {
    try (Denoiser model = Rig.unet()) {
      for (Sync sync : List.of(Sync.SYNC_GN, Sync.FULL_SYNC)) {
        same(model, new Strategy.DistriFusion(sync, false), 2, "wait within");
      }
    }
  }

  @Test
  void fewStepsAreNotWorthARecording() throws Exception {
    try (Denoiser model = Rig.dit()) {
      Job job = job(new Strategy.Pcpp(0.3, 0, false), 5, true);
      assertThat(Rig.render(model, job, 2).getFirst().recording()).isEqualTo("too few steps");
    }
  }

  private static Job job(Strategy strategy, int steps, boolean recorded) {
    return new Job(
        strategy, false, 1, steps, new FlowEuler(1), 2.5, Rig.ROWS, Rig.COLUMNS, recorded);
  }

  private static void same(Denoiser model, Strategy strategy, int ranks, String how) {
    List<RankRenderer.Outcome> plain = Rig.render(model, job(strategy, STEPS, false), ranks);
    List<RankRenderer.Outcome> other = Rig.render(model, job(strategy, STEPS, true), ranks);
    IntStream.range(0, ranks)
        .forEach(r -> {
          RankRenderer.Outcome a = plain.get(r);
          RankRenderer.Outcome b = other.get(r);
          assertThat(b.recording()).as(strategy.label()).contains(how);
          assertThat(Rig.distance(b.image(), a.image())).as(strategy.label()).isLessThan(1e-5);
          assertThat(List.of(b.sent(), b.received(), b.displacedReceived()))
              .as(strategy.label())
              .isEqualTo(List.of(a.sent(), a.received(), a.displacedReceived()));
        });
  }
}
