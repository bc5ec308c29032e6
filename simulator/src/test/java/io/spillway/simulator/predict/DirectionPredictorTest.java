package io.spillway.simulator.predict;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.yaml.Yaml;
import io.spillway.simulator.system.Direction;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DirectionPredictorTest {
  static Stream<DirectionPredictor> all() {
    return Stream.of("tournament", "bimodal", "gshare", "tage")
        .map(name -> DirectionPredictor.of(Yaml.parse(name, Direction.class, "test"), 2));
  }

  static Stream<DirectionPredictor> withHistory() {
    return Stream.of("tournament", "gshare", "tage")
        .map(name -> DirectionPredictor.of(Yaml.parse(name, Direction.class, "test"), 2));
  }

  private static int misses(DirectionPredictor p, int from, int to, int period) {
    int wrong = 0;
    for (int i = 0; i < to; i++) {
      boolean truth = i % period == 0;
      int slot = i & DirectionPredictor.SLOTS - 1;
      boolean said = p.predict(0x4000, slot);
      if (said != truth) {
        p.repair(0x4000, slot, truth);
        wrong += i >= from ? 1 : 0;
      }
      p.train(0x4000, slot, truth);
    }
    return wrong;
  }

  @ParameterizedTest
  @MethodSource("all")
  void aBranchThatIsAlwaysTakenIsLearned(DirectionPredictor p) {
    // given a branch with one outcome, when it has run 100 times, then it is predicted
    assertThat(misses(p, 100, 1000, 1)).isZero();
  }

  @ParameterizedTest
  @MethodSource("withHistory")
  void aPeriodOfFiveIsLearnedFromHistory(DirectionPredictor p) {
    // given one taken in five, when 2000 have run, then history tells them apart
    assertThat(misses(p, 2000, 4000, 5)).isZero();
  }

  @ParameterizedTest
  @MethodSource("all")
  void aWrongPathLeavesNoTrace(DirectionPredictor p) {
    // given a trained predictor and its next prediction
    misses(p, 0, 500, 5);
    boolean expected = p.predict(0x4000, 600);
    p.undo(0x4000, 600);
    // when other branches were predicted and taken back, newest first
    for (int i = 0; i < 40; i++) {
      p.predict(0x5000 + i * 4, 700 + i);
    }
    for (int i = 39; i >= 0; i--) {
      p.undo(0x5000 + i * 4, 700 + i);
    }
    // then it says the same
    assertThat(p.predict(0x4000, 601)).isEqualTo(expected);
  }
}
