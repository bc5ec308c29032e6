package io.spillway.simulator.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.yaml.Yaml;
import io.spillway.simulator.system.SystemDescription;
import io.spillway.simulator.system.SystemFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// How a second level of eight ways relates to a first level of two. Lines 32 KiB apart share a set
/// in both.
class InclusionTest {
  private static final long APART = 0x8000;
  private static final long A = 0x4000;

  private long now;

  private static MemorySystem withSecondLevel(String inclusion) throws IOException {
    try (InputStream in = SystemFiles.class.getResourceAsStream("/systems/minor.yaml")) {
      String yaml =
          new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
              .replace("{name: l2,", "{name: l2, inclusion: " + inclusion + ",");
      MemorySystem memory =
          new MemorySystem(Yaml.parse(yaml, SystemDescription.class, "minor.yaml"));
      memory.frames().reserve(0, 1 << 22);
      return memory;
    }
  }

  private int load(MemorySystem memory, long address) {
    now += 1_000_000_000L;
    memory.load(address, 8, now, 0x10000);
    return memory.servedBy();
  }

  /// Keeps A in use above while eight other lines of its set pass through the second level.
  private char keptAbove(String inclusion) throws IOException {
    MemorySystem memory = withSecondLevel(inclusion);
    load(memory, A);
    for (int i = 1; i <= 8; i++) {
      load(memory, A + i * APART);
      load(memory, A);
    }
    // the last line must have arrived before anybody looks
    memory.load(A + 64, 8, now += 1_000_000_000L, 0x10000);
    memory.load(A + 64, 8, now += 1_000_000_000L, 0x10000);
    return memory.coherence(A);
  }

  @Test
  void anInclusiveLevelTakesItsLinesAlong() throws IOException {
    // given a line that stays in use above, when it has left the second level, which the access
    // after
    // that of the ninth line finds, then it has left above too
    MemorySystem memory = withSecondLevel("inclusive");
    load(memory, A);
    int served = 1;
    for (int i = 1; i <= 9; i++) {
      load(memory, A + i * APART);
      served = Math.max(served, load(memory, A));
    }
    assertThat(served).isEqualTo(3);
  }

  @Test
  void aMostlyInclusiveLevelLeavesThemAbove() throws IOException {
    assertThat(keptAbove("mostly-inclusive")).isEqualTo('E');
    MemorySystem memory = withSecondLevel("mostly-inclusive");
    load(memory, A);
    for (int i = 1; i <= 8; i++) {
      load(memory, A + i * APART);
      assertThat(load(memory, A)).isEqualTo(1);
    }
  }

  @Test
  void anExclusiveLevelAddsItsWaysToThoseAbove() throws IOException {
    // given ten lines of one set, two ways above and eight below
    MemorySystem exclusive = withSecondLevel("exclusive");
    MemorySystem mostly = withSecondLevel("mostly-inclusive");
    // when they are read three times over
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 10; i++) {
        load(exclusive, A + i * APART);
        load(mostly, A + i * APART);
      }
    }
    // then the exclusive pair holds all of them and the other pair none until its turn comes again
    assertThat(exclusive.dramReads()).isEqualTo(10);
    assertThat(mostly.dramReads()).isEqualTo(30);
  }

  @Test
  void aReaderTakesALineOutOfAnExclusiveLevel() throws IOException {
    MemorySystem memory = withSecondLevel("exclusive");
    // given a line that two others pushed out of the first level
    assertThat(load(memory, A)).isEqualTo(3);
    load(memory, A + APART);
    load(memory, A + 2 * APART);
    load(memory, A + 2 * APART);
    // when it is read again, then it comes from the second level, and then from the first
    assertThat(load(memory, A)).isEqualTo(2);
    assertThat(load(memory, A)).isEqualTo(1);
  }
}
