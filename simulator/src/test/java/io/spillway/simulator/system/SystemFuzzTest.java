package io.spillway.simulator.system;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Yaml;
import io.spillway.simulator.memory.MemorySystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/// Any text is either a system that can be built or refused with one line. The test run replays the
/// inputs in `SystemFuzzTestInputs`; `JAZZER_FUZZ=1` searches for new ones.
final class SystemFuzzTest {
  private static String shipped() {
    try (InputStream in = SystemFiles.class.getResourceAsStream("/systems/o3.yaml")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /// Replaces one number or word of a system that ships, or takes any text at all.
  private static String text(FuzzedDataProvider data) {
    if (!data.consumeBoolean()) {
      return data.consumeRemainingAsString();
    }
    String whole = shipped();
    while (data.remainingBytes() > 4) {
      int at = data.consumeInt(0, whole.length() - 1);
      int end = Math.min(whole.length(), at + data.consumeInt(0, 12));
      whole = whole.substring(0, at) + data.consumeString(12) + whole.substring(end);
    }
    return whole;
  }

  @FuzzTest(maxDuration = "2m")
  void anyTextIsASystemOrRefused(FuzzedDataProvider data) {
    try {
      SystemDescription system = Yaml.parse(text(data), SystemDescription.class, "fuzz.yaml");
      if (system.levels().stream().mapToLong(l -> l.size().bytes()).sum() < 64 << 20) {
        new MemorySystem(system);
      }
    } catch (SpillwayException e) {
      if (String.valueOf(e.getMessage()).contains("\n")) {
        throw new AssertionError("more than one line: " + e.getMessage(), e);
      }
    }
  }
}
