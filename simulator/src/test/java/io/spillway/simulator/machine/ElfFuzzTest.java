package io.spillway.simulator.machine;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.SpillwayException;
import io.spillway.simulator.TinyElf;
import java.nio.file.Path;

/// Any bytes are either a program or refused with one line. The test run replays the inputs in
/// `ElfFuzzTestInputs`; `JAZZER_FUZZ=1` searches for new ones.
final class ElfFuzzTest {
  @FuzzTest(maxDuration = "2m")
  void anyBytesAreAProgramOrRefused(FuzzedDataProvider data) {
    byte[] elf = new TinyElf().writeAndExit(TinyElf.DATA, 0, 0).build();
    boolean damaged = data.consumeBoolean();
    byte[] bytes;
    if (damaged) {
      while (data.remainingBytes() > 2) {
        elf[data.consumeInt(0, Math.min(elf.length, 400) - 1)] = data.consumeByte();
      }
      bytes = elf;
    } else {
      bytes = data.consumeRemainingAsBytes();
    }
    try {
      ElfImage.parse(Path.of("fuzz"), bytes);
    } catch (SpillwayException e) {
      if (String.valueOf(e.getMessage()).contains("\n")) {
        throw new AssertionError("more than one line: " + e.getMessage(), e);
      }
    }
  }
}
