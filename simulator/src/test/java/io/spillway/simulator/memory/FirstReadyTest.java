package io.spillway.simulator.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.yaml.Yaml;
import io.spillway.simulator.system.Dram;
import org.junit.jupiter.api.Test;

/// First ready, first come, first served, against bank timings of DDR3-1600 worked by hand: tRCD,
/// tRP, tCL 13.75 ns, tRAS 35, tRTP 7.5, a burst 5, activates of a rank 6 apart, two ranks of eight
/// banks, 128 lines a row.
class FirstReadyTest {
  private static final long NS = 1_000_000;

  /// Lines of bank 0: its rows 0 and 1; of the bank beside it; of the first bank of rank 1.
  private static final long ROW = 0;

  private static final long OTHER_ROW = 16 * 128;
  private static final long NEXT_BANK = 128;
  private static final long OTHER_RANK = 8 * 128;

  private final Dram description = Yaml.parse("{}", Dram.class, "test");
  private final DramScheduler scheduler = new DramScheduler(description);
  private final DramController controller = new DramController(description, 4);

  /// Adds a read whose id is its line.
  private void arrives(long... lines) {
    for (long line : lines) {
      scheduler.addRead(line, line);
    }
  }

  /// Decides once; returns the column time in ns if `line` was chosen, else -1.
  private double chooses(long line, long nanoseconds) {
    long column = scheduler.decide(nanoseconds * NS, line);
    return column < 0 ? -1 : column / (double) NS;
  }

  @Test
  void aReadOfTheOpenRowGoesBeforeAnOlderOneOfAnotherRow() {
    arrives(ROW);
    assertThat(chooses(ROW, 1000)).isEqualTo(1013.75);

    arrives(OTHER_ROW, ROW + 1, ROW + 2);

    assertThat(chooses(ROW + 1, 1000)).isEqualTo(1018.75);
    assertThat(chooses(ROW + 2, 1000)).isEqualTo(1023.75);
    // tRAS holds the row until 1035, then precharge and activate
    assertThat(chooses(OTHER_ROW, 1000)).isEqualTo(1062.5);
  }

  @Test
  void theRowClosesBehindItsLastReadWhereAnotherRowIsAwaited() {
    arrives(ROW);
    chooses(ROW, 1000);
    arrives(OTHER_ROW, ROW + 1);
    chooses(ROW + 1, 1000);
    // chosen late, it finds the row closed since 1035 + 13.75 and only activates
    assertThat(chooses(OTHER_ROW, 1100)).isEqualTo(1113.75);
  }

  @Test
  void theRowStaysOpenWhereNothingAwaitsAnother() {
    arrives(ROW);
    chooses(ROW, 1000);
    arrives(OTHER_ROW);
    assertThat(chooses(OTHER_ROW, 1100)).isEqualTo(1127.5);
  }

  @Test
  void aRowOpenedBehindTheBurstsGoesBeforeAnOpenRowThatLeavesAGap() {
    arrives(OTHER_RANK);
    chooses(OTHER_RANK, 500);
    arrives(ROW, ROW + 1, ROW + 2, ROW + 3);
    for (int i = 0; i < 4; i++) {
      assertThat(chooses(ROW + i, 1000)).isEqualTo(1013.75 + 5 * i);
    }

    arrives(OTHER_RANK + 1, NEXT_BANK);

    // activated at 1006 it is ready when the bus is free; the other rank costs 2.5 ns more
    assertThat(chooses(NEXT_BANK, 1000)).isEqualTo(1033.75);
    assertThat(chooses(OTHER_RANK + 1, 1000)).isEqualTo(1041.25);
  }

  @Test
  void ofClosedRowsTheOneThatOpensSoonestGoesFirst() {
    arrives(ROW);
    chooses(ROW, 1000);

    arrives(OTHER_ROW, NEXT_BANK);

    // the bank beside it may be activated 6 ns after the first
    assertThat(chooses(NEXT_BANK, 1000)).isEqualTo(1019.75);
    assertThat(chooses(OTHER_ROW, 1000)).isEqualTo(1062.5);
  }

  @Test
  void aRowIsClosedAfterSixteenAccesses() {
    for (int i = 0; i < 17; i++) {
      arrives(ROW + i);
    }
    for (int i = 0; i < 16; i++) {
      assertThat(chooses(ROW + i, 1000)).isEqualTo(1013.75 + 5 * i);
    }
    // the last column command at 1088.75, 7.5 to the precharge, 13.75 to the activate and again
    assertThat(chooses(ROW + 16, 1000)).isEqualTo(1123.75);
  }

  @Test
  void readsGoBeforeWritesUntilTooManyWait() {
    for (int i = 0; i < 54; i++) {
      scheduler.addWrite(OTHER_RANK + i);
    }
    arrives(ROW);
    assertThat(chooses(ROW, 1000)).isPositive();

    scheduler.addWrite(OTHER_RANK + 54); // above 85 % of 64
    arrives(ROW + 1, ROW + 2);

    assertThat(chooses(ROW + 1, 1000)).isPositive();
    int written = 0;
    while (chooses(ROW + 2, 1000) < 0) {
      written++;
    }
    assertThat(written).isEqualTo(16);
  }

  @Test
  void whatFindsTheQueueFullIsNotChosen() {
    // 32 reads of as many rows of one bank, then one of the row that is open
    arrives(ROW);
    chooses(ROW, 1000);
    for (int i = 1; i <= 32; i++) {
      arrives(OTHER_ROW * i);
    }
    arrives(ROW + 1);
    assertThat(chooses(OTHER_ROW, 1000)).isPositive();
  }

  @Test
  void alternatingRowsAreServedRowByRow() {
    // in the order of arrival each of these would change the row
    long last = 0;
    for (int i = 0; i < 8; i++) {
      for (long row : new long[] {ROW, OTHER_ROW}) {
        last = controller.read(row + i, 1000 * NS, 0, false, 0, 0, 0);
      }
    }
    assertThat(controller.rowHits()).isEqualTo(14);
    // eight bursts of row 0, its precharge 7.5 after the last column command at 1048.75, activate,
    // eight bursts of the other row: the last column command at 1118.75, and 13.75 + 5 + 20
    assertThat(last / (double) NS).isEqualTo(1157.5);
  }

  @Test
  void aReadThatIsToldOfLateIsServedByItsTime() {
    long early = controller.read(ROW, 1000 * NS, 0, false, 0, 0, 0);
    DramController late = new DramController(description, 4);
    late.read(OTHER_ROW, 2000 * NS, 0, false, 0, 0, 0);
    assertThat(late.read(ROW, 1000 * NS, 0, false, 0, 0, 0)).isEqualTo(early);
  }
}
