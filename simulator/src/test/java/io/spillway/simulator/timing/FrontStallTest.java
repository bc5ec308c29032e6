package io.spillway.simulator.timing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// A branch that executes in cycle 100; what follows it is fetched from 103 on, decoded a cycle
/// after it was sent and renamed a cycle after that.
class FrontStallTest {
  private final FrontStall stall = new FrontStall();

  private long renamed(long sent) {
    long at = sent < stall.until ? stall.send(sent) : sent;
    return at < stall.until ? stall.rename(at, at + 2) : at + 2;
  }

  @Test
  void aSquashOfOneCycleBlocksNothing() {
    stall.squash(100, 1);
    assertThat(renamed(103)).isEqualTo(105);
    assertThat(renamed(104)).isEqualTo(106);
  }

  @Test
  void eachStageGoesOnACycleAfterTheNext() {
    // the buffer is squashed from 101 to 105; dispatch hears that it is over in 107, rename in 108
    stall.squash(100, 5);
    assertThat(renamed(103)).as("waits in rename").isEqualTo(108);
    assertThat(renamed(103)).as("in the same group").isEqualTo(108);
    assertThat(renamed(104)).as("waits in decode, which goes on in 109").isEqualTo(110);
    assertThat(renamed(105)).as("behind it").isEqualTo(111);
    assertThat(renamed(106)).as("fetch hears in 111 that decode has sent both").isEqualTo(113);
    assertThat(renamed(112)).isEqualTo(114);
  }

  @Test
  void fetchIsToldAtOnceByADecodeThatHoldsNothing() {
    stall.squash(100, 5);
    assertThat(renamed(106)).isEqualTo(112);
    assertThat(renamed(111)).isEqualTo(113);
  }

  @Test
  void whatComesAfterTheStallIsNotHeld() {
    stall.squash(100, 2);
    assertThat(renamed(140)).isEqualTo(142);
  }
}
