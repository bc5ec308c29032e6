package io.spillway.platform.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class YamlTest {
  enum Order {
    IN_ORDER,
    OUT_OF_ORDER
  }

  record Cache(Bytes size, int ways, @Default("2") int hitLatency) {
    Cache {
      if (ways < 1) {
        throw SpillwayException.badInput("ways is %d, at least 1 is needed", ways);
      }
    }
  }

  sealed interface Policy permits Lru, RandomPolicy {}

  record Lru() implements Policy {}

  record RandomPolicy(@Default("7") long seed) implements Policy {}

  record Core(
      String name,
      Order order,
      Optional<Double> gigahertz,
      List<Cache> caches,
      @Default("{}") Map<String, Integer> limits,
      @Default("lru") Policy replacement) {}

  @Test
  void bindsRecordsListsMapsUnitsAndPolicies() {
    Core core =
        Yaml.parse(
            """
            name: cryo
            order: out-of-order
            caches:
              - {size: 32 KiB, ways: 8}
              - size: 512 KiB
                ways: 16
                hit_latency: 10
            limits: {rob: 96}
            replacement: {type: random-policy, seed: 3}
            """,
            Core.class,
            "core.yaml");

    assertThat(core)
        .isEqualTo(
            new Core(
                "cryo",
                Order.OUT_OF_ORDER,
                Optional.empty(),
                List.of(
                    new Cache(new Bytes(32 << 10), 8, 2), new Cache(new Bytes(512 << 10), 16, 10)),
                Map.of("rob", 96),
                new RandomPolicy(3)));
  }

  @Test
  void anUnknownKeyShowsFileLineColumnAndTheNearestKnownKey() {
    fails(
        "size: 32 KiB\nwyas: 8\n",
        "c.yaml:2:1: unknown key 'wyas' in the document, did you mean 'ways'?");
  }

  @Test
  void aMissingKeyIsNamed() {
    fails("size: 32 KiB\n", "c.yaml:1:1: key 'ways' is missing in the document");
  }

  @Test
  void aValueOfTheWrongKindIsNamedWithWhatWasExpected() {
    fails(
        "size: 32 KiB\nways: many\n", "c.yaml:2:7: 'ways' is 'many', a whole number was expected");
    fails("size: [1]\nways: 8\n", "c.yaml:1:7: 'size' must be a value of Bytes");
    fails("size: 32 kib\nways: 8\n", "c.yaml:1:7: 'size': '32 kib' is no amount of memory");
    fails("size: 32 KiB\nways:\n", "c.yaml:2:6: 'ways' is empty, a whole number was expected");
  }

  @Test
  void aRecordsOwnCheckIsShownWhereItsBlockBegins() {
    fails("size: 32 KiB\nways: 0\n", "c.yaml:1:1: the document: ways is 0, at least 1 is needed");
  }

  @Test
  void malformedDuplicateAndEmptyDocumentsAreOneLine() {
    fails("size: [32\n", "c.yaml:");
    fails("size: 1\nsize: 2\nways: 8\n", "c.yaml:2:1: key 'size' is given twice in the document");
    fails("", "c.yaml: the file is empty");
    fails(
        "- 1\n", "c.yaml:1:1: the document must be a block with the keys size, ways, hit_latency");
  }

  private static void fails(String text, String message) {
    assertThatThrownBy(() -> Yaml.parse(text, Cache.class, "c.yaml"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageStartingWith(message)
        .hasMessageNotContaining("\n");
  }
}
