package io.spillway.simulator.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.yaml.Yaml;
import io.spillway.simulator.system.Dram;
import org.junit.jupiter.api.Test;

/// DDR3-1600 access times in nanoseconds, from its command timings.
class DramTimingTest {
  private static final long NS = 1_000_000;
  private static final long START = 1000 * NS;

  private static DramController dram() {
    return new DramController(Yaml.parse("{}", Dram.class, "test"), 4);
  }

  private static double read(DramController dram, long line, long time) {
    return (dram.read(line, time, 0, false, 0, 0, line * 64) - time) / (double) NS;
  }

  @Test
  void aClosedRowCostsActivateColumnBurstAndController() {
    // given all rows closed, when a line is read, then 13.75 + 13.75 + 5 + 20
    assertThat(read(dram(), 0, START)).isEqualTo(52.5);
  }

  @Test
  void anOpenRowCostsColumnBurstAndController() {
    // given a row that was opened
    DramController dram = dram();
    read(dram, 0, START);
    // when its next line is read, then 13.75 + 5 + 20
    assertThat(read(dram, 1, START + 200 * NS)).isEqualTo(38.75);
    assertThat(dram.rowHits()).isEqualTo(1);
  }

  @Test
  void anotherRowOfTheBankMustPrechargeFirst() {
    // given a row open in bank 0 for longer than tRAS
    DramController dram = dram();
    read(dram, 0, START);
    // when another row of the same bank is read: 16 banks of 128 lines further
    // then 13.75 more than for a closed row
    assertThat(read(dram, 16 * 128, START + 200 * NS)).isEqualTo(66.25);
  }

  @Test
  void burstsOfOneRowFollowEachOther() {
    // given an open row
    DramController dram = dram();
    read(dram, 0, START);
    double first = read(dram, 1, START + 200 * NS);
    // when two lines are read at once, then the second comes one burst later
    assertThat(read(dram, 2, START + 200 * NS) - first).isEqualTo(5.0);
  }

  @Test
  void aReadIsAnsweredFromTheWriteQueue() {
    // given a line that waits to be written
    DramController dram = dram();
    dram.write(77, START, 0, true);
    // when it is read, then only the controller's front end is paid
    assertThat(read(dram, 77, START + NS)).isEqualTo(10.0);
  }

  @Test
  void refreshHoldsAccessesUp() {
    // given a read that comes when the first refresh starts, 7800 - 13.75 ns
    // when it is served, then it waits for precharge and refresh: 13.75 + 260 more
    assertThat(read(dram(), 0, 7_786_250_000L)).isEqualTo(52.5 + 273.75);
  }
}
