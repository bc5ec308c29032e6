package io.spillway.platform.yaml;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Hertz;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Any text is either bound or refused with one line. The test run replays the inputs in
/// `YamlFuzzTestInputs`; `JAZZER_FUZZ=1` searches for new ones.
final class YamlFuzzTest {
  record Inner(Bytes size, @Default("2") int ways) {}

  record Document(
      String name,
      Optional<Hertz> clock,
      List<Inner> levels,
      @Default("{}") Map<String, Double> limits) {}

  @FuzzTest(maxDuration = "5m")
  void anyTextIsBoundOrRefusedWithOneLine(FuzzedDataProvider data) {
    String text = data.consumeRemainingAsString();
    try {
      Yaml.parse(text, Document.class, "fuzz.yaml");
    } catch (SpillwayException e) {
      if (e.getMessage().contains("\n")) {
        throw new AssertionError("more than one line: " + e.getMessage(), e);
      }
    }
  }
}
