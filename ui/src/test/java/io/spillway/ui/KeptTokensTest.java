package io.spillway.ui;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class KeptTokensTest {
  @Test
  void sharesFollowTwoEvictions() {
    // given one layer of two heads that read five tokens
    KeptTokens kept = new KeptTokens(1, 2);
    // when head 0 keeps tokens 0, 2, 4 and head 1 keeps 0, 1, 4
    kept.evicted(0, new long[] {0, 2, 4, 0, 1, 4}, 5);
    assertThat(kept.shares(5)).containsExactly(100, 50, 50, 0, 100);
    // and two more tokens come, after which head 0 keeps 0, 4, 6 and head 1 keeps 1, 4, 5
    kept.evicted(0, new long[] {0, 2, 4, 1, 2, 3}, 7);
    assertThat(kept.shares(7)).containsExactly(50, 50, 0, 0, 100, 50, 50);
  }
}
