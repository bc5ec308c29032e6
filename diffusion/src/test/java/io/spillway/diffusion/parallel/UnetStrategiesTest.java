package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.tensor.Torch;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Convolutions with halos and group norms, which a DiT lacks.
final class UnetStrategiesTest {
  private static final int STEPS = 3;
  private static final Denoiser MODEL = Rig.unet();
  private static float[] alone = new float[0];

  @BeforeAll
  static void renderAlone() {
    Torch.threads(1);
    alone =
        Rig.render(MODEL, Rig.job(new Strategy.Single(), false, 0, STEPS), 1).getFirst().image();
  }

  static Stream<Arguments> synchronous() {
    return Stream.of(2, 4, 8)
        .flatMap(n ->
            Stream.of(
                    new Strategy.SequenceParallel(Math.min(n, 4), n / Math.min(n, 4)),
                    new Strategy.SequenceParallel(1, n),
                    new Strategy.DistriFusion(Sync.FULL_SYNC, false),
                    new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, false),
                    new Strategy.Pcpp(0.3, 2, true),
                    new Strategy.Turns(0.2))
                .map(s -> Arguments.of(s, n)));
  }

  @ParameterizedTest
  @MethodSource("synchronous")
  void strategiesEqualOneDeviceWhenSynchronous(Strategy strategy, int ranks) {
    for (RankRenderer.Outcome rank :
        Rig.render(MODEL, Rig.job(strategy, false, STEPS, STEPS), ranks)) {
      assertThat(Rig.distance(rank.image(), alone)).isLessThan(1e-4);
    }
  }

  static Stream<Arguments> displaced() {
    return Stream.of(2, 4, 8)
        .flatMap(n ->
            Stream.of(
                    new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, false),
                    new Strategy.DistriFusion(Sync.STALE_GN, false),
                    new Strategy.DistriFusion(Sync.SEPARATE_GN, false),
                    new Strategy.DistriFusion(Sync.NO_SYNC, false),
                    new Strategy.Pcpp(0.3, 0, false),
                    new Strategy.Pcpp(0.3, 3, true),
                    new Strategy.Turns(0.2),
                    new Strategy.SequenceParallel(2, n / 2))
                .map(s -> Arguments.of(s, n)));
  }

  @ParameterizedTest
  @MethodSource("displaced")
  void bytesEqualTheFormulaAndImagesStayNear(Strategy strategy, int ranks) {
    List<RankRenderer.Outcome> all = Rig.render(MODEL, Rig.job(strategy, false, 0, STEPS), ranks);
    WireBytes formula = new WireBytes(strategy, ranks, 4, 2, 4);
    for (int r = 0; r < ranks; r++) {
      assertThat(all.get(r).displacedReceived())
          .isEqualTo(formula.received(MODEL.sites(Rig.ROWS, Rig.COLUMNS), r));
      assertThat(all.get(r).image()).isEqualTo(all.getFirst().image());
    }
    assertThat(Rig.distance(all.getFirst().image(), alone)).isFinite();
  }
}
