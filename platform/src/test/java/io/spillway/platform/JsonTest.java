package io.spillway.platform;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class JsonTest {
  record Point(int x, int y) {}

  record Size(int width, int height) {}

  @Test
  void unknownKeysAreErrorsWithTheirPlace() {
    assertThatThrownBy(() -> Json.parse("{\"x\": 1,\n \"z\": 2}", Point.class, "point.json"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageStartingWith("point.json:2:")
        .hasMessageContaining("unknown key 'z', known: x, y");
    assertThatThrownBy(() -> Json.parse("{\"widht\": 1}", Size.class, "size.json"))
        .hasMessageContaining("did you mean 'width'?");
  }

  @Test
  void numbersThatJsonLacksAreNamed() {
    for (String token : new String[] {"NaN", "Infinity"}) {
      assertThatThrownBy(() -> Json.parse("{\"x\": " + token + "}", Point.class, "p"))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("'" + token + "' is no number that JSON has");
    }
  }

  @Test
  void trailingAndMissingContentAreErrors() {
    assertThatThrownBy(() -> Json.parse("{\"x\":1,\"y\":2} tail", Point.class, "p"))
        .isInstanceOf(SpillwayException.class);
    assertThatThrownBy(() -> Json.parse("null", Point.class, "p"))
        .isInstanceOf(SpillwayException.class);
    assertThatThrownBy(() -> Json.parse("", Point.class, "p"))
        .isInstanceOf(SpillwayException.class);
    assertThatThrownBy(() -> Json.parse("{\"x\":[1", Point.class, "p"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageStartingWith("p:1:")
        .hasMessageNotContaining("Source");
  }
}
