package io.spillway.simulator.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.units.Hertz;
import io.spillway.simulator.system.SystemFiles;
import org.junit.jupiter.api.Test;

/// Latencies of the default system of gem5, in cycles of 250 ps.
class LoadHitLatencyTest {
  private static final long CYCLE = 250_000;
  private static final long LATER = 1_000_000 * CYCLE;

  private static MemorySystem minor() {
    return new MemorySystem(SystemFiles.load("minor").at(Hertz.parse("4 GHz")));
  }

  @Test
  void aHitInTheFirstLevelTakesTwoCycles() {
    // given a line that arrived long ago
    MemorySystem memory = minor();
    memory.load(0x1000, 8, 0, 0x10000);
    // when it is loaded again
    long done = memory.load(0x1008, 8, LATER, 0x10000);
    // then tags and data, read at once, take two cycles
    assertThat(done - LATER).isEqualTo(2 * CYCLE);
    assertThat(memory.servedBy()).isEqualTo(1);
  }

  @Test
  void aHitInTheSecondLevelTakesTwentySixCycles() {
    // given a line that two others of its set pushed out of the two-way first level
    MemorySystem memory = minor();
    memory.frames().reserve(0, 1 << 20);
    for (int i = 0; i < 3; i++) {
      memory.load(0x1000 + i * 0x4000L, 8, i * 10_000 * CYCLE, 0x10000);
    }
    // when it is loaded again
    long done = memory.load(0x1000, 8, LATER, 0x10000);
    // then: 2 tags + 1 crossbar + 20 second level + 1 crossbar + 2 response
    assertThat(done - LATER).isEqualTo(26 * CYCLE);
    assertThat(memory.servedBy()).isEqualTo(2);
  }

  @Test
  void aLoadToALineOnItsWayJoinsTheMiss() {
    // given a miss that is under way
    MemorySystem memory = minor();
    long first = memory.load(0x2000, 8, LATER, 0x10000);
    // when another word of the line is asked for
    long second = memory.load(0x2010, 8, LATER + CYCLE, 0x10000);
    // then it comes when the crossbar has carried the rest of the line, two cycles later
    assertThat(second - first).isEqualTo(2 * CYCLE);
    assertThat(memory.dramReads()).isEqualTo(1);
  }

  @Test
  void theFifthMissWaitsForAFreeRegister() {
    // given four misses at once, which is all that the first level can keep in flight
    MemorySystem memory = minor();
    long earliest = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      earliest = Math.min(earliest, memory.load(0x8000 + i * 64L, 8, LATER, 0x10000));
    }
    // when a line that is present is asked for meanwhile
    memory.load(0x8000, 8, LATER + CYCLE, 0x10000);
    // then the cache takes no access until a register is free
    assertThat(memory.dataCounts().blocked).isEqualTo(1);
  }

  @Test
  void aCycleOfTheCacheBeginsAtItsEdge() {
    // given a 100 GHz core in front of a 4 GHz cache that holds the line
    MemorySystem memory =
        new MemorySystem(SystemFiles.load("paper-core").at(Hertz.parse("100 GHz")));
    memory.load(0x1000, 8, 0, 0x10000);
    // when a load comes 10 ps after an edge
    long done = memory.load(0x1000, 8, LATER + 10_000, 0x10000);
    // then it waits for the next edge and takes two cycles of the cache: 740 ps
    assertThat(done - LATER - 10_000).isEqualTo(740_000);
  }

  @Test
  void aCacheWhoseRegistersAreAllPromisedTakesNothingBeforeTheNextIsFree() {
    // given four misses on their way and a fifth that waits for the first of their registers
    MemorySystem memory = minor();
    memory.frames().reserve(0, 1 << 20);
    for (int i = 0; i < 5; i++) {
      memory.load(0x1000 + i * 0x40L, 8, LATER, 0x10000);
    }
    // when it is asked from when on it takes another
    long takes = memory.takes(LATER);
    // then that is when the second register is free, although the fifth miss has not begun
    long fifth = memory.load(0x1000 + 4 * 0x40L, 8, LATER, 0x10000);
    assertThat(takes).isGreaterThan(LATER).isLessThan(fifth);
    assertThat(memory.takes(takes)).isEqualTo(takes);
    assertThat(memory.takes(takes - 1)).isEqualTo(takes);
  }
}
