package io.spillway.simulator.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.system.Prefetcher;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Strides followed by hand: 64-byte lines, trust from 0 to 7, half of which (3.5) is enough.
class StrideTableTest {
  private static final Prefetcher USUAL = new Prefetcher(64, 4, 4, 3, 3, 0.5);

  private static List<Long> ahead(StrideTable table, long pc, long address) {
    long[] lines = new long[table.degree()];
    int n = table.ahead(pc, address, lines);
    return Arrays.stream(lines).limit(n).boxed().toList();
  }

  /// How many lines each access asks for.
  private static List<Integer> counts(StrideTable table, long pc, long... addresses) {
    List<Integer> counts = new ArrayList<>();
    for (long address : addresses) {
      counts.add(ahead(table, pc, address).size());
    }
    return counts;
  }

  @Test
  void aStrideIsTrustedOnceItWasSeenOftenEnough() {
    StrideTable table = new StrideTable(USUAL, 64);
    // trust: 3 when new, 2 with the first stride, then 3 and 4
    assertThat(counts(table, 0x100, 0x10000, 0x10080, 0x10100)).containsExactly(0, 0, 0);
    assertThat(ahead(table, 0x100, 0x10180))
        .containsExactly(0x10200L / 64, 0x10280L / 64, 0x10300L / 64, 0x10380L / 64);
  }

  @Test
  void linesStayInThePageOfTheAccess() {
    StrideTable table = new StrideTable(USUAL, 64);
    counts(table, 0x100, 0x10C00, 0x10D00, 0x10E00);
    // 0x11000 is another page
    assertThat(ahead(table, 0x100, 0x10F00)).isEmpty();
    StrideTable down = new StrideTable(USUAL, 64);
    counts(down, 0x100, 0x10500, 0x10400, 0x10300);
    assertThat(ahead(down, 0x100, 0x10200)).containsExactly(0x10100L / 64, 0x10000L / 64);
  }

  @Test
  void aStrideBelowALineAsksForWholeLines() {
    StrideTable table = new StrideTable(USUAL, 64);
    counts(table, 0x100, 0x10000, 0x10008, 0x10010);
    assertThat(ahead(table, 0x100, 0x10018)).containsExactly(0x401L, 0x402L, 0x403L, 0x404L);
    StrideTable down = new StrideTable(USUAL, 64);
    counts(down, 0x100, 0x10318, 0x10310, 0x10308);
    assertThat(ahead(down, 0x100, 0x10300)).containsExactly(0x40BL, 0x40AL, 0x409L, 0x408L);
  }

  @Test
  void trustIsLostStepByStepAndTheStrideOnlyWithIt() {
    StrideTable table = new StrideTable(USUAL, 64);
    long at = 0x10000;
    for (int i = 0; i < 12; i++) { // trust rises to 7 and no further
      at += 0x40;
      ahead(table, 0x100, at);
    }
    // four jumps: 6 (out of the page), 5 and 4 still follow what they saw; 3 does not and takes the
    // new stride
    long[] jumps = {0x20000, 0x20400, 0x20500, 0x20D00};
    assertThat(counts(table, 0x100, jumps)).containsExactly(0, 2, 4, 0);
    // the new stride of 0x800 again: 4
    assertThat(ahead(table, 0x100, 0x21500)).containsExactly(0x21D00L / 64);
  }

  @Test
  void theSameAddressAgainIsNoStride() {
    StrideTable table = new StrideTable(USUAL, 64);
    assertThat(counts(table, 0x100, 0x10000, 0x10000, 0x10000, 0x10000, 0x10000)).containsOnly(0);
    // trust fell to 0: four strides bring 0 1 2 3, a fifth 4
    assertThat(counts(table, 0x100, 0x10040, 0x10080, 0x100C0, 0x10100, 0x10140))
        .containsExactly(0, 0, 0, 0, 4);
  }

  @Test
  void instructionsKeepTheirOwnStridesUntilTheirSetIsFull() {
    // given two sets of two ways, chosen by the address over 2 and that over 4
    StrideTable table = new StrideTable(new Prefetcher(4, 2, 1, 3, 7, 0.5), 64);
    long[] sameSet = {0x00, 0x06, 0x08};
    counts(table, sameSet[0], 0x10000, 0x10040);
    counts(table, sameSet[1], 0x20000, 0x20080);
    counts(table, 0x02, 0x30000, 0x30100); // the other set
    assertThat(ahead(table, sameSet[0], 0x10080)).containsExactly(0x100C0L / 64);
    assertThat(ahead(table, sameSet[1], 0x20100)).containsExactly(0x20180L / 64);
    assertThat(ahead(table, 0x02, 0x30200)).containsExactly(0x30300L / 64);
    // when a third comes, then one of the two is forgotten, and nothing of the other set
    assertThat(counts(table, sameSet[2], 0x40000)).containsExactly(0);
    // trust starts at 7: the second access already follows
    assertThat(ahead(table, sameSet[2], 0x40040)).containsExactly(0x40080L / 64);
    assertThat(ahead(table, 0x02, 0x30300)).containsExactly(0x30400L / 64);
    // the one that was kept still follows, the other starts anew
    int first = ahead(table, sameSet[0], 0x100C0).size();
    int second = first == 1 ? 0 : ahead(table, sameSet[1], 0x20180).size();
    assertThat(first + second).isEqualTo(1);
  }

  @Test
  void trustOnTheThresholdIsEnough() {
    // trust from 0 to 7, of which 4 is enough; 5 when new
    StrideTable table = new StrideTable(new Prefetcher(64, 4, 1, 3, 5, 4.0 / 7), 64);
    // 4: follows what it saw and keeps the old stride, so the same stride again costs trust (3) and
    // is taken; then 4
    assertThat(counts(table, 0x100, 0x10000, 0x10040, 0x10080, 0x100C0))
        .containsExactly(0, 1, 0, 1);
  }

  @Test
  void setsAreChosenByBothHalvesOfTheHash() {
    // given four sets of one way; the set is (pc / 2) xor (pc / 8), modulo 4
    StrideTable table = new StrideTable(new Prefetcher(4, 1, 1, 3, 7, 0.5), 64);
    long[] sets = {0x00, 0x0A, 0x14, 0x1E}; // 0 xor 0, 5 xor 1, 10 xor 2, 15 xor 3: all set 0
    for (long pc : sets) {
      counts(table, pc, 0x10000);
    }
    // the last alone is left
    assertThat(counts(table, sets[3], 0x10040)).containsExactly(1);
    assertThat(counts(table, sets[0], 0x10040)).containsExactly(0);
    for (long pc : List.of(0x00L, 0x02L, 0x04L, 0x06L)) { // sets 0 to 3
      counts(table, pc, 0x20000);
    }
    for (long pc : List.of(0x00L, 0x02L, 0x04L, 0x06L)) {
      assertThat(counts(table, pc, 0x20040)).containsExactly(1);
    }
    // the last set is full and takes another all the same: 6 xor 1 is set 3
    assertThat(counts(table, 0x0C, 0x30000, 0x30040)).containsExactly(0, 1);
  }

  @Test
  void victimsAreDrawnEvenly() {
    // given one set of four ways
    StrideTable table = new StrideTable(new Prefetcher(4, 4, 1, 3, 7, 0.5), 64);
    int kept = 0;
    int rounds = 4000;
    long pc = 0x1000;
    for (int i = 0; i < rounds; i++) {
      long watched = pc;
      counts(table, watched, 0x10000);
      counts(table, pc + 2, 0x20000);
      counts(table, pc + 4, 0x30000);
      // it follows at once if it is still there
      kept += ahead(table, watched, 0x10040).size();
      pc += 6;
    }
    // two more came, each with one chance in four to take its place
    assertThat(kept / (double) rounds).isBetween(0.5625 - 0.03, 0.5625 + 0.03);
  }
}
