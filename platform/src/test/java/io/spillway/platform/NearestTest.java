package io.spillway.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class NearestTest {
  @Test
  void countsSwappedNeighboursAsOneEdit() {
    assertThat(Nearest.distance("memroy", "memory")).isEqualTo(1);
    assertThat(Nearest.distance("kitten", "sitting")).isEqualTo(3);
    assertThat(Nearest.distance("", "abc")).isEqualTo(3);
  }

  @Test
  void namesTheNearestOrListsTheKnown() {
    assertThat(Nearest.hint("bandwith", List.of("latency", "bandwidth")))
        .isEqualTo("did you mean 'bandwidth'?");
    assertThat(Nearest.hint("xyzzy", List.of("latency", "bandwidth")))
        .isEqualTo("known: bandwidth, latency");
  }
}
