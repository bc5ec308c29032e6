package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.tensor.Torch;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class StrategiesTest {
  private static final int STEPS = 4;
  private static final Strategy.DistriFusion DISTRIFUSION =
      new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, false);
  private static final Denoiser MODEL = Rig.dit();
  private static float[] alone = new float[0];

  @BeforeAll
  static void renderAlone() {
    Torch.threads(1);
    alone =
        Rig.render(MODEL, Rig.job(new Strategy.Single(), false, 0, STEPS), 1).getFirst().image();
  }

  static Stream<Arguments> exact() {
    return Stream.of(2, 4, 8)
        .flatMap(n ->
            Stream.of(
                    new Strategy.SequenceParallel(n, 1),
                    new Strategy.SequenceParallel(1, n),
                    new Strategy.SequenceParallel(n / 2, 2),
                    new Strategy.TensorParallel(),
                    new Strategy.DistriFusion(Sync.FULL_SYNC, false))
                .map(s -> Arguments.of(s, n)));
  }

  @ParameterizedTest
  @MethodSource("exact")
  void exactStrategiesEqualOneDeviceToRounding(Strategy strategy, int ranks) {
    for (RankRenderer.Outcome rank : Rig.render(MODEL, Rig.job(strategy, false, 0, STEPS), ranks)) {
      assertThat(Rig.distance(rank.image(), alone)).isLessThan(1e-4);
    }
  }

  static Stream<Arguments> displaced() {
    return Stream.of(2, 4, 8)
        .flatMap(n ->
            Stream.of(
                    DISTRIFUSION,
                    new Strategy.DistriFusion(Sync.STALE_GN, true),
                    new Strategy.Pcpp(0.3, 0, false),
                    new Strategy.Pcpp(0.3, 4, true),
                    new Strategy.Pcpp(0, 3, false),
                    new Strategy.Turns(0.3))
                .map(s -> Arguments.of(s, n)));
  }

  @ParameterizedTest
  @MethodSource("displaced")
  void displacedStrategiesEqualOneDeviceWhenEveryStepIsSynchronised(Strategy strategy, int ranks) {
    for (RankRenderer.Outcome rank :
        Rig.render(MODEL, Rig.job(strategy, false, STEPS, STEPS), ranks)) {
      assertThat(Rig.distance(rank.image(), alone)).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @MethodSource("displaced")
  void displacedStepsStayNearAndAllRanksAgree(Strategy strategy, int ranks) {
    List<RankRenderer.Outcome> all = Rig.render(MODEL, Rig.job(strategy, false, 1, STEPS), ranks);
    double distance = Rig.distance(all.getFirst().image(), alone);
    assertThat(distance).isGreaterThan(1e-6).isLessThan(2);
    for (RankRenderer.Outcome rank : all) {
      assertThat(rank.image()).isEqualTo(all.getFirst().image());
    }
  }

  @Test
  void partialConditioningOfEverythingEqualsDistriFusionOnTwoRanks() {
    float[] whole = Rig.render(MODEL, Rig.job(DISTRIFUSION, false, 1, STEPS), 2).getFirst().image();
    float[] partial =
        Rig.render(MODEL, Rig.job(new Strategy.Pcpp(1, 0, false), false, 1, STEPS), 2)
            .getFirst()
            .image();
    assertThat(Rig.distance(partial, whole)).isLessThan(1e-4);
    assertThat(Rig.distance(partial, alone)).isGreaterThan(1e-3);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4, 8})
  void turnsOfEveryTokenEqualDistriFusion(int ranks) {
    float[] whole =
        Rig.render(MODEL, Rig.job(DISTRIFUSION, false, 1, STEPS), ranks).getFirst().image();
    float[] turns =
        Rig.render(MODEL, Rig.job(new Strategy.Turns(1), false, 1, STEPS), ranks)
            .getFirst()
            .image();
    assertThat(Rig.distance(turns, whole)).isLessThan(1e-4);
    assertThat(Rig.distance(turns, alone)).isGreaterThan(1e-3);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void thePipelineEqualsOneDeviceWhileSynchronous(int stages) {
    Job job = Rig.job(new Strategy.PipeFusion(4), false, STEPS, STEPS);
    for (RankRenderer.Outcome rank : Rig.render(MODEL, job, stages)) {
      assertThat(Rig.distance(rank.image(), alone)).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void thePipelinesImageDependsOnItsPatchesAlone(int stages) {
    Job job = Rig.job(new Strategy.PipeFusion(4), false, 1, STEPS);
    float[] one = Rig.render(MODEL, job, 1).getFirst().image();
    for (RankRenderer.Outcome rank : Rig.render(MODEL, job, stages)) {
      assertThat(Rig.distance(rank.image(), one)).isLessThan(1e-4);
    }
    assertThat(Rig.distance(one, alone)).isGreaterThan(1e-4).isLessThan(1);
  }

  @Test
  void guidanceSplitComposesWithEveryStrategy() {
    for (Strategy s :
        List.of(
            new Strategy.Single(),
            new Strategy.SequenceParallel(2, 2),
            new Strategy.TensorParallel(),
            new Strategy.DistriFusion(Sync.FULL_SYNC, false))) {
      int ranks = s instanceof Strategy.Single ? 2 : 8;
      for (RankRenderer.Outcome rank : Rig.render(MODEL, Rig.job(s, true, 0, STEPS), ranks)) {
        assertThat(Rig.distance(rank.image(), alone)).isLessThan(1e-4);
      }
    }
    Job together = Rig.job(new Strategy.Pcpp(0.5, 2, true), false, 1, STEPS);
    Job split = Rig.job(new Strategy.Pcpp(0.5, 2, true), true, 1, STEPS);
    assertThat(
            Rig.distance(
                Rig.render(MODEL, split, 8).getFirst().image(),
                Rig.render(MODEL, together, 4).getFirst().image()))
        .isLessThan(1e-4);
    Job pipe = Rig.job(new Strategy.PipeFusion(4), true, STEPS, STEPS);
    assertThat(Rig.distance(Rig.render(MODEL, pipe, 4).getFirst().image(), alone)).isLessThan(1e-4);
  }

  @Test
  void naivePatchesAndNoSyncAreWorseThanDistriFusion() {
    double naive =
        Rig.distance(
            Rig.render(MODEL, Rig.job(new Strategy.NaivePatches(), false, 0, STEPS), 4)
                .getFirst()
                .image(),
            alone);
    double stale =
        Rig.distance(
            Rig.render(MODEL, Rig.job(DISTRIFUSION, false, 1, STEPS), 4).getFirst().image(), alone);
    assertThat(naive).isGreaterThan(stale);
  }

  static Stream<Arguments> counted() {
    return Stream.of(2, 4, 8)
        .flatMap(n ->
            Stream.of(
                    new Strategy.NaivePatches(),
                    DISTRIFUSION,
                    new Strategy.DistriFusion(Sync.NO_SYNC, false),
                    new Strategy.Pcpp(0.3, 0, false),
                    new Strategy.Pcpp(0.3, 3, true),
                    new Strategy.Pcpp(0, 0, false),
                    new Strategy.Turns(0.3),
                    new Strategy.SequenceParallel(n, 1),
                    new Strategy.SequenceParallel(1, n),
                    new Strategy.SequenceParallel(2, n / 2),
                    new Strategy.TensorParallel())
                .map(s -> Arguments.of(s, n)));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void aPipelinesBytesEqualTheFormula(int ranks) {
    Strategy pipeline = new Strategy.PipeFusion(4);
    List<RankRenderer.Outcome> all = Rig.render(MODEL, Rig.job(pipeline, false, 1, STEPS), ranks);
    WireBytes formula = new WireBytes(pipeline, ranks, 4, 2, 4);
    for (int r = 0; r < ranks; r++) {
      assertThat(all.get(r).displacedReceived())
          .isEqualTo(formula.received(MODEL.sites(Rig.ROWS, Rig.COLUMNS), r));
    }
  }

  @ParameterizedTest
  @MethodSource("counted")
  void bytesOnTheWireEqualTheFormula(Strategy strategy, int ranks) {
    List<RankRenderer.Outcome> all = Rig.render(MODEL, Rig.job(strategy, false, 1, STEPS), ranks);
    WireBytes formula = new WireBytes(strategy, ranks, 4, 2, 4);
    for (int r = 0; r < ranks; r++) {
      assertThat(all.get(r).displacedReceived())
          .isEqualTo(formula.received(MODEL.sites(Rig.ROWS, Rig.COLUMNS), r));
    }
  }

  @Test
  void sevenTenthsFewerBytesThanDistriFusionOnEightRanks() {
    List<io.spillway.diffusion.model.Site> sites = MODEL.sites(Rig.ROWS, Rig.COLUMNS);
    long whole = new WireBytes(DISTRIFUSION, 8, 4, 2, 4).mostReceived(sites);
    long partial = new WireBytes(new Strategy.Pcpp(0.3, 0, false), 8, 4, 2, 4).mostReceived(sites);
    assertThat(partial).isLessThan(whole * 3 / 10);
  }
}
