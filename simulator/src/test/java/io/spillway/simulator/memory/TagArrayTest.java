package io.spillway.simulator.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.system.CacheLevel.Replacement;
import org.junit.jupiter.api.Test;

/// Which line of a full set of four leaves.
class TagArrayTest {
  private static TagArray full(Replacement replacement) {
    TagArray tags = new TagArray(1, 4, replacement);
    for (long line = 10; line < 14; line++) {
      int way = tags.victim(line);
      assertThat(tags.line(way)).isEqualTo(-1);
      tags.put(way, line);
    }
    return tags;
  }

  private static long leaves(TagArray tags) {
    return tags.line(tags.victim(99));
  }

  @Test
  void leastRecentlyUsed() {
    TagArray tags = full(Replacement.LRU);
    // when the two oldest are used again, then the third oldest leaves
    tags.touch(tags.find(10));
    tags.touch(tags.find(11));
    assertThat(leaves(tags)).isEqualTo(12);
  }

  @Test
  void firstInFirstOut() {
    TagArray tags = full(Replacement.FIFO);
    // when the oldest is used again, then it leaves all the same
    tags.touch(tags.find(10));
    assertThat(leaves(tags)).isEqualTo(10);
  }

  @Test
  void reReferenceInterval() {
    TagArray tags = full(Replacement.SRRIP);
    // given all predicted at 2; when two are used, they go to 0
    tags.touch(tags.find(10));
    tags.touch(tags.find(12));
    // then all age by one and the first at 3 leaves; a line used since stays two rounds longer
    assertThat(leaves(tags)).isEqualTo(11);
    tags.put(tags.find(11), 20);
    assertThat(leaves(tags)).isEqualTo(13);
  }

  @Test
  void randomRepeats() {
    TagArray one = full(Replacement.RANDOM);
    TagArray other = full(Replacement.RANDOM);
    for (long line = 100; line < 200; line++) {
      int way = one.victim(line);
      assertThat(way).isEqualTo(other.victim(line)).isBetween(0, 3);
      one.put(way, line);
      other.put(way, line);
    }
  }
}
