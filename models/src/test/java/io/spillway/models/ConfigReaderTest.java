package io.spillway.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigReaderTest {
  @TempDir Path folder;

  private static final String LLAMA_31_8B =
      """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": false,
       "eos_token_id": [128001, 128008, 128009], "hidden_size": 4096, "intermediate_size": 14336,
       "max_position_embeddings": 131072, "num_attention_heads": 32, "num_hidden_layers": 32,
       "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
       "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
       "tie_word_embeddings": false, "vocab_size": 128256}
      """;

  private DecoderConfig read(String json) throws Exception {
    Files.writeString(folder.resolve("config.json"), json);
    return ConfigReader.read(folder);
  }

  @Test
  void readsLlama31AndCountsItsParameters() throws Exception {
    DecoderConfig config = read(LLAMA_31_8B);

    // the size that the model's card gives: 8.03 billion
    assertThat(config.parameters()).isEqualTo(8_030_261_248L);
    assertThat(config.ropeScaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 8192));
    assertThat(config.endTokens()).containsExactly(128001, 128008, 128009);
    assertThat(config.headDim()).isEqualTo(128);
  }

  @Test
  void writesWhatItReads() throws Exception {
    for (DecoderConfig config : DecoderReferenceTest.shapes()) {
      assertThat(read(ConfigReader.write(config, "float32"))).isEqualTo(config);
    }
  }

  @Test
  void namesWhatIsWrong() {
    assertBad(LLAMA_31_8B.replace("\"llama\"", "\"rwkv\""), "model_type 'rwkv' is not supported");
    assertBad(LLAMA_31_8B.replace("\"vocab_size\": 128256", "\"x\": 1"), "vocab_size is missing");
    assertBad(
        LLAMA_31_8B.replace("\"num_key_value_heads\": 8", "\"num_key_value_heads\": 7"),
        "must be a multiple of num_key_value_heads 7");
    assertBad(LLAMA_31_8B.replace("\"llama3\"", "\"yarn\""), "type 'yarn' is not supported");
    assertBad(LLAMA_31_8B.replace("4096", "\"wide\""), "hidden_size is \"wide\"");
    assertBad("[]", "an object was expected");
    assertBad("{", "config.json:");
  }

  private void assertBad(String json, String message) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            SpillwayException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
        .hasMessageContaining(message)
        .message()
        .satisfies(m -> assertThat(m.lines()).hasSize(1));
  }

  @Test
  void frequenciesOfLongRopeChangeBeyondTheFirstLength() {
    RopeScaling scaling =
        new RopeScaling.LongRope(List.of(1.0, 1.0, 1.0, 1.0), List.of(2.0, 2.0, 2.0, 2.0), 64);
    Rope rope = new Rope(DecoderReferenceTest.shape(Family.PHI3, scaling, false, false, 0, 8));

    assertThat(rope.frequencies(64)[0]).isEqualTo(1.0);
    assertThat(rope.frequencies(65)[0]).isEqualTo(0.5);
    // sqrt(1 + ln(128/64)/ln 64)
    assertThat(rope.scale()).isCloseTo(1.0801, org.assertj.core.data.Offset.offset(1e-4));
  }
}
