package io.spillway.simulator.predict;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.yaml.Yaml;
import io.spillway.simulator.system.Direction;
import org.junit.jupiter.api.Test;

/// Predictions followed by hand, counter by counter.
class ExactPredictionsTest {
  private static DirectionPredictor of(String yaml) {
    return DirectionPredictor.of(Yaml.parse(yaml, Direction.class, "test"), 2);
  }

  /// What the predictor says before each outcome (`T` taken, `N` not), as a string like the
  /// outcomes.
  private static String said(DirectionPredictor p, long pc, String outcomes) {
    StringBuilder said = new StringBuilder();
    for (int i = 0; i < outcomes.length(); i++) {
      boolean truth = outcomes.charAt(i) == 'T';
      int slot = i & DirectionPredictor.SLOTS - 1;
      boolean taken = p.predict(pc, slot);
      said.append(taken ? 'T' : 'N');
      if (taken != truth) {
        p.repair(pc, slot, truth);
      }
      p.train(pc, slot, truth);
    }
    return said.toString();
  }

  private static long wrong(String said, String outcomes, int from) {
    long n = 0;
    for (int i = from; i < said.length(); i++) {
      n += said.charAt(i) == outcomes.charAt(i) ? 0 : 1;
    }
    return n;
  }

  @Test
  void aTwoBitCounterNeedsTwoSurprisesToTurn() {
    // given a counter at 0; then it moves 1 2 3 3 2 3 2 1 0 and says taken from 2 on
    assertThat(said(of("bimodal"), 0x4000, "TTTTNTNNN")).isEqualTo("NNTTTTTTN");
  }

  @Test
  void branchesATableApartShareABimodalCounter() {
    // given 16 counters, indexed by the address over 4
    DirectionPredictor p = of("{type: bimodal, counters: 16}");
    said(p, 0x4000, "TTT");
    // when another branch maps to the same counter, then it is predicted like the first, its
    // neighbour is not
    assertThat(said(p, 0x4000 + 16 * 4, "T")).isEqualTo("T");
    assertThat(said(p, 0x4004, "T")).isEqualTo("N");
  }

  @Test
  void alternationDefeatsACounterAndNotAHistory() {
    String outcomes = "TN".repeat(200);
    // given one counter: it moves between 0 and 1 and never says taken
    assertThat(said(of("bimodal"), 0x4000, outcomes)).isEqualTo("N".repeat(400));
    // given a history: once every pattern of 13 bits that occurs has been seen, nothing is wrong
    assertThat(wrong(said(of("gshare"), 0x4000, outcomes), outcomes, 60)).isZero();
  }

  @Test
  void onlyLongHistoriesSeeALongPeriod() {
    // given one taken in 40, which the last 13 outcomes do not tell
    String outcomes = ("T" + "N".repeat(39)).repeat(500);
    // when each has learned for half of the time
    long gshare = wrong(said(of("gshare"), 0x4000, outcomes), outcomes, 10_000);
    long tage = wrong(said(of("tage"), 0x4000, outcomes), outcomes, 10_000);
    // then gshare misses every taken one of the other half and TAGE none
    assertThat(gshare).isEqualTo(250);
    assertThat(tage).isZero();
  }
}
