package io.spillway.simulator.system;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Yaml;
import io.spillway.simulator.memory.MemorySystem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SystemFilesTest {
  static Stream<String> names() {
    return SystemFiles.NAMES.stream();
  }

  private static String minor() throws IOException {
    try (InputStream in = SystemFiles.class.getResourceAsStream("/systems/minor.yaml")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void everyShippedSystemCanBeBuilt(String name) {
    SystemDescription system = SystemFiles.load(name);
    assertThat(system.name()).isEqualTo(name);
    assertThat(new MemorySystem(system).depth()).isBetween(2, 3);
    Technology.named(system.core().technology());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ways: 2, tag: 2|ways: 0, tag: 2|ways is 0",
        "ways: 2, tag: 2|ways: 3, tag: 2|do not divide",
        "size: 32 KiB, ways: 2|size: 24 KiB, ways: 2|must be a power of two",
        "size: 32 KiB, ways: 2|size: 0 B, ways: 2|size is 0",
        "fast: 4 GHz|fast: 0 Hz|between 1 MHz and 10 THz",
        "clock: 1 GHz|clock: 0 GHz|clock of 0 Hz",
        "clock: 1 GHz|clock: 1 parsec|is no clock rate",
        "mshrs: 4|mshrs: 0|mshrs is 0",
        "type: in-order|type: sideways|unknown type 'sideways'",
        "latency: 9|latency: 0|latency is 0",
        "interval: 9|interval: -1|interval is -1",
        "classes: [integer-multiply]|classes: [integer-juggle]|integer-juggle",
        "width: 64|width: 63|must be a power of two",
        "mshrs: 4|mshrs: 4, prefetcher: {threshold: -0.1}|threshold is -0.1",
        "mshrs: 4|mshrs: 4, prefetcher: {threshold: 1.5}|threshold is 1.5",
        "name: l2|nmae: l2|unknown key 'nmae'",
      })
  void impossibleSystemsAreRefusedInOneLine(String good, String bad, String message)
      throws IOException {
    String text = minor();
    assertThat(text).contains(good);
    assertThatThrownBy(
            () -> Yaml.parse(text.replace(good, bad), SystemDescription.class, "bad.yaml"))
        .isInstanceOfSatisfying(
            SpillwayException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT);
              assertThat(e.getMessage()).contains(message).startsWith("bad.yaml:");
              assertThat(e.getMessage().lines()).hasSize(1);
            });
  }

  @Test
  void aMemoryThatNeverTurnsToWritesIsRefused() {
    assertThatThrownBy(() -> Yaml.parse("{writes_per_switch: 0}", Dram.class, "bad.yaml"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("writes_per_switch is 0");
  }

  @Test
  void anUnknownNameIsSaidWithTheNearest() {
    assertThatThrownBy(() -> SystemFiles.load("minro"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("minor");
  }

  @Test
  void brokenTextNeverEscapesAsAnotherError() throws IOException {
    // given the text with one character changed, at every third place
    String text = minor();
    String replacements = "{}[]:-,0x\t%";
    for (int i = 0; i < text.length(); i += 3) {
      char c = replacements.charAt(i / 3 % replacements.length());
      String broken = text.substring(0, i) + c + text.substring(i + 1);
      try {
        Yaml.parse(broken, SystemDescription.class, "fuzz.yaml");
      } catch (SpillwayException e) {
        // then it is either fine or refused with a place
        assertThat(e.getMessage()).startsWith("fuzz.yaml");
      }
    }
  }
}
