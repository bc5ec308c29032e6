package io.spillway.simulator.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.units.Hertz;
import io.spillway.simulator.system.SystemFiles;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The protocol between first-level data caches, followed by hand: states of one line in two or
/// three cores after each access. Cycles of 250 ps, default memory side of gem5.
class CoherenceTest {
  private static final long CYCLE = 250_000;
  private static final long STEP = 10_000 * CYCLE;
  private static final long LINE = 0x4000;
  private static final long PC = 0x10000;

  private MemorySystem a;
  private MemorySystem b;
  private MemorySystem c;
  private long now;

  @BeforeEach
  void threeCores() {
    a = new MemorySystem(SystemFiles.load("minor").at(Hertz.parse("4 GHz")));
    a.frames().reserve(0, 1 << 20);
    b = a.sibling();
    c = a.sibling();
    now = STEP;
  }

  private long load(MemorySystem core, long address) {
    now += STEP;
    return (core.load(address, 8, now, PC) - now) / CYCLE;
  }

  private long store(MemorySystem core, long address) {
    now += STEP;
    return (core.store(address, 8, now, PC) - now) / CYCLE;
  }

  private String states() {
    return "" + a.coherence(LINE) + b.coherence(LINE) + c.coherence(LINE);
  }

  @Test
  void theStatesFollowTheProtocol() {
    // given a line that nobody holds
    assertThat(states()).isEqualTo("III");
    // when one reads, then it has it alone; when others read, then all share
    load(a, LINE);
    assertThat(states()).isEqualTo("EII");
    load(b, LINE + 8);
    assertThat(states()).isEqualTo("SSI");
    load(c, LINE + 16);
    assertThat(states()).isEqualTo("SSS");
    // when one writes, then it alone has it, modified
    store(b, LINE);
    assertThat(states()).isEqualTo("IMI");
    assertThat(b.dataCounts().upgrades).isEqualTo(1);
    assertThat(a.dataCounts().invalidations + c.dataCounts().invalidations).isEqualTo(2);
    // when another reads, then the modification goes down and both share
    load(a, LINE);
    assertThat(states()).isEqualTo("SSI");
    assertThat(b.dataCounts().snoopWritebacks).isEqualTo(1);
    // when a third writes without a copy, then both others lose theirs
    store(c, LINE);
    assertThat(states()).isEqualTo("IIM");
    // when yet another writes, then the modified line goes down and changes hands
    store(a, LINE);
    assertThat(states()).isEqualTo("MII");
    assertThat(c.dataCounts().snoopWritebacks).isEqualTo(1);
  }

  @Test
  void aStoreToAnExclusiveLineIsSilentAndToASharedOneIsNot() {
    // given a line that one core has alone and a line that two share
    load(a, LINE);
    load(a, LINE + 0x40);
    load(b, LINE + 0x40);
    // when both are written
    long alone = store(a, LINE);
    long together = store(a, LINE + 0x40);
    // then the first is a hit of two cycles; the second asks below: 2 tags + 1 crossbar + 20 second
    // level + 1 crossbar + 2 response + 2 for the rest of the line
    assertThat(alone).isEqualTo(2);
    assertThat(together).isEqualTo(28);
    assertThat(a.dataCounts().upgrades).isEqualTo(1);
    assertThat(states()).isEqualTo("MII");
  }

  @Test
  void aModifiedLineThatLeavesIsWrittenBack() {
    // given a modified line in a two-way cache
    store(a, LINE);
    // when two others of its set come
    load(a, LINE + 0x4000);
    load(a, LINE + 0x8000);
    load(a, LINE + 0x4000);
    // then it was written back once and another core reads it from the second level, alone
    assertThat(a.dataCounts().dirtyEvictions).isEqualTo(1);
    assertThat(a.coherence(LINE)).isEqualTo('I');
    load(b, LINE);
    assertThat(b.servedBy()).isEqualTo(2);
    assertThat(a.dramReads()).isEqualTo(3);
  }

  @Test
  void aModifiedLineComesLaterThanAnUnmodifiedOne() {
    // given one line modified and one only read by another core, both in the second level
    load(a, LINE);
    store(a, LINE);
    load(a, LINE + 0x40);
    // when they are read
    long modified = load(b, LINE);
    long clean = load(b, LINE + 0x40);
    // then the first takes a crossbar round and the other cache's hit more: 1 + 1 + 2
    assertThat(modified - clean).isEqualTo(4);
  }

  @Test
  void falseSharingIsSlowerThanPadding() {
    // given two cores that write in turn, 1000 times each
    long shared = 0;
    long padded = 0;
    store(a, LINE);
    store(b, LINE + 8);
    store(a, LINE + 0x1000);
    store(b, LINE + 0x1040);
    for (int i = 0; i < 1000; i++) {
      // when their words lie in one line, or in two
      shared += store(a, LINE) + store(b, LINE + 8);
      padded += store(a, LINE + 0x1000) + store(b, LINE + 0x1040);
    }
    // then padding makes every store a hit of two cycles, sharing none
    assertThat(padded).isEqualTo(4 * 1000);
    assertThat(shared).isGreaterThan(10 * padded);
    assertThat(b.dataCounts().invalidations).isEqualTo(1000);
  }

  @Test
  void aLineOnItsWayCanBeTakenAway() {
    // given a miss of one core that is under way
    now += STEP;
    a.load(LINE, 8, now, PC);
    // when another core writes the line meanwhile
    b.store(LINE, 8, now + CYCLE, PC);
    // then the first does not keep it
    now += STEP;
    load(a, LINE + 0x8000);
    assertThat(states()).isEqualTo("IMI");
  }
}
