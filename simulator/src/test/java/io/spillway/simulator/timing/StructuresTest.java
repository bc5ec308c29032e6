package io.spillway.simulator.timing;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.system.Core;
import io.spillway.simulator.system.SystemFiles;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class StructuresTest {
  @Test
  void slotsAreTakenOutOfOrder() {
    // given two units a cycle, both of cycle 5 taken
    Slots slots = new Slots(2);
    assertThat(slots.first(5)).isEqualTo(5);
    assertThat(slots.first(5)).isEqualTo(5);
    // when a third is wanted, then it moves on, and an earlier cycle is still free
    assertThat(slots.first(5)).isEqualTo(6);
    assertThat(slots.first(4)).isEqualTo(4);
  }

  @Test
  void aFullQueueWaitsForItsEarliestRelease() {
    // given a queue of three whose entries leave at 30, 10 and 20
    ReleaseCalendar heap = new ReleaseCalendar(3);
    for (long release : new long[] {30, 10, 20}) {
      assertThat(heap.room(1)).isEqualTo(1);
      heap.add(release);
    }
    // when a fourth wants in at 2, then it gets the place that is free first
    assertThat(heap.room(2)).isEqualTo(10);
    heap.add(40);
    assertThat(heap.room(2)).isEqualTo(20);
  }

  @Test
  void aViolationMakesTheLoadWait() {
    // given a load that passed store number 7
    StoreSets sets = new StoreSets(1024, 1000);
    sets.fetched(0x100, 7);
    assertThat(sets.waitsFor(0x200)).isEqualTo(-1);
    sets.violation(0x200, 7);
    // when the store is fetched again as number 9, then the load waits for it
    sets.fetched(0x100, 9);
    assertThat(sets.waitsFor(0x200)).isEqualTo(9);
  }

  @Test
  void aStalledUnitTakesNothingUntilItsOldestLeaves() {
    // given two integer units of one cycle
    Core core = SystemFiles.load("paper-in-order-baseline").core();
    UnitTable table = new UnitTable(core.units());
    TimedInstruction add =
        new TimedInstruction(Objects.requireNonNull(Decoder.decode(0x13)), table);
    UnitPipelines units = new UnitPipelines(table.units);
    // when an operation in each waits at the end until cycle 30
    assertThat(units.choose(add, 10)).isEqualTo(10);
    assertThat(units.enter(add, 10)).isEqualTo(11);
    units.leave(30);
    assertThat(units.choose(add, 11)).isEqualTo(11);
    assertThat(units.enter(add, 11)).isEqualTo(12);
    units.leave(30);
    // then the next enters as the first leaves
    assertThat(units.choose(add, 12)).isEqualTo(30);
    assertThat(units.enter(add, 30)).isEqualTo(31);
  }
}
