package io.spillway.longcontext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "locret",
        "locret+ada",
        "snapkv+ada:0.5",
        "h2o+merge",
        "random+ada+merge:0.25",
        "infllm",
        "infllm:128"
      })
  void namesReadBack(String name) {
    assertThat(Policy.named(name).label()).isEqualTo(name);
  }

  @Test
  void aWrapperKeepsWhatItsPolicyDoes() {
    Policy wrapped = Policy.named("h2o+ada+merge");
    assertThat(wrapped.stabilizer(64)).isEqualTo(32);
    assertThat(wrapped.keepsRecentAtEnd()).isTrue();
    assertThat(wrapped.evicts()).isTrue();
    assertThat(wrapped.mergedSlots(64, 1)).isEqualTo(8);
    assertThat(wrapped.headFloor()).isEqualTo(0.2);
    assertThat(Policy.named("locret+ada").needsHeads()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "lru|unknown policy 'lru'",
        "locret+adda|unknown wrapper '+adda'",
        "locret+ada:x|needs a number after the colon",
        "locret+ada:1.5|share of each head is 1.5 in '+ada:1.5', it must be from 0 to 1",
        "locret+merge:-1|share of merged entries is -1.0 in '+merge:-1.0', it must be from 0 to 0.9",
        "full+merge|evicts nothing",
        "infllm+ada|evicts nothing",
        "sirllm+ada|gives all heads the same scores",
        "oracle+ada|oracle takes no",
        "infllm:0|out of range",
        "infllm:x|needs a number",
        "infllm:1.5|whole number"
      })
  void wrongNamesAreToldInOneLine(String name, String message) {
    assertThatThrownBy(() -> Policy.named(name))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("\n");
  }
}
