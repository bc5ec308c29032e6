package io.spillway.models;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Files on which the native library would end the process.
final class TokenizerFileTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{\"model\": 1}",
        "{\"model\": {\"type\": \"BPE\"}, \"decoder\": 3}",
        "{\"model\": {\"type\": \"BPE\"}, \"decoder\": {\"kind\": \"BPE\"}}",
        "{\"model\": {\"type\": \"BPE\"}, \"normalizer\": \"Lowercase\"}",
        "{\"model\": {\"type\": \"BPE\"}, \"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [7]}}",
        "{\"model\": {\"type\": \"BPE\"}, \"added_tokens\": [{\"id\": -1, \"content\": \"a\"}]}",
        "{\"model\": {\"type\": \"BPE\"}, \"decoder\": not JSON}"
      })
  void whatWouldEndTheProcessIsRefusedBefore(String json) {
    assertThatThrownBy(() -> Tokenizer.ofJson(json, Path.of("tokenizer.json")))
        .isInstanceOfSatisfying(
            SpillwayException.class,
            e ->
                org.assertj.core.api.Assertions.assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
        .hasMessageContaining("tokenizer.json")
        .hasMessageNotContaining("\n");
  }
}
