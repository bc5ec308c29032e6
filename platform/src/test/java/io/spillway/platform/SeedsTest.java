package io.spillway.platform;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SeedsTest {
  @Test
  void theSameSeedAndPurposeGiveTheSameStream() {
    assertThat(new Seeds(7).stream("placement").nextLong())
        .isEqualTo(new Seeds(7).stream("placement").nextLong());
  }

  @Test
  void purposesIndicesAndSeedsGiveDifferentStreams() {
    long base = new Seeds(7).stream("placement", 0).nextLong();
    assertThat(new Seeds(7).stream("placement", 1).nextLong()).isNotEqualTo(base);
    assertThat(new Seeds(7).stream("weights", 0).nextLong()).isNotEqualTo(base);
    assertThat(new Seeds(8).stream("placement", 0).nextLong()).isNotEqualTo(base);
  }
}
