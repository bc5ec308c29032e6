package io.spillway.platform.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import io.spillway.testkit.Cases;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class HuggingFaceConfigTest {
  /// The sizes of meta-llama/Meta-Llama-3-8B.
  private static final String LLAMA =
      """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096,
       "intermediate_size": 14336, "num_attention_heads": 32, "num_hidden_layers": 32,
       "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 8192,
       "tie_word_embeddings": false, "rope_theta": 500000.0}
      """;

  @Test
  void readsLlama() {
    assertThat(parse(LLAMA).parameters()).isEqualTo(8_030_261_248L);
  }

  @Test
  void readsGpt2WithItsOwnKeys() {
    ModelShape shape =
        parse(
            """
            {"model_type": "gpt2", "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024,
             "n_inner": null, "vocab_size": 50257}
            """);
    assertThat(shape.parameters()).isEqualTo(124_439_808L);
  }

  @Test
  void readsQwen3WithTiedEmbeddings() {
    // Qwen3-0.6B: 596,049,920 elements on Hugging Face without the shared output layer
    ModelShape shape =
        parse(
            """
            {"model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "head_dim": 128,
             "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8,
             "vocab_size": 151936, "max_position_embeddings": 40960, "tie_word_embeddings": true,
             "attention_bias": false}
            """);
    assertThat(shape.parameters()).isEqualTo(596_049_920L);
  }

  @Test
  void readsMixtral() {
    ModelShape shape =
        parse(
            """
            {"model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336,
             "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
             "num_local_experts": 8, "num_experts_per_tok": 2, "vocab_size": 32000,
             "max_position_embeddings": 32768}
            """);
    assertThat(shape).isEqualTo(Models.find("mixtral-8x7b").withName("m"));
  }

  @Test
  void readsPythia() {
    // EleutherAI/pythia-160m: 162,322,944 parameters, model card
    ModelShape shape =
        parse(
            """
            {"model_type": "gpt_neox", "hidden_size": 768, "intermediate_size": 3072,
             "num_attention_heads": 12, "num_hidden_layers": 12, "vocab_size": 50304,
             "max_position_embeddings": 2048, "tie_word_embeddings": false}
            """);
    assertThat(shape.parameters()).isEqualTo(162_322_944L);
  }

  @Test
  void errorsNameTheKey() {
    fails(
        LLAMA.replace("\"llama\"", "\"lama\""),
        "model_type 'lama' is not supported, did you mean 'llama'?");
    fails(LLAMA.replace("\"hidden_size\": 4096,", ""), "c.json: key 'hidden_size' is missing");
    fails(
        LLAMA.replace("4096", "-1"),
        "c.json: 'hidden_size' is -1, a whole number above 0 is needed");
    fails(
        LLAMA.replace("4096", "\"x\""),
        "c.json: 'hidden_size' is \"x\", a whole number above 0 is needed");
    fails(
        LLAMA.replace("\"num_key_value_heads\": 8", "\"num_key_value_heads\": 7"),
        "32 attention heads cannot share 7");
    fails("[]", "c.json: a JSON object was expected");
    fails("{", "c.json:1:");
  }

  @Test
  void brokenTextIsAlwaysAClearError() {
    Cases.run(
        300,
        random -> {
          try {
            parse(broken(LLAMA, random));
          } catch (SpillwayException e) {
            assertThat(e.getMessage()).contains("c.json");
          }
        });
  }

  private static String broken(String text, RandomGenerator random) {
    StringBuilder out = new StringBuilder(text);
    for (int i = 0; i < 1 + random.nextInt(4); i++) {
      int at = random.nextInt(out.length());
      if (random.nextBoolean()) {
        out.setCharAt(at, (char) (32 + random.nextInt(95)));
      } else {
        out.delete(at, Math.min(out.length(), at + random.nextInt(6)));
      }
    }
    return out.toString();
  }

  private static ModelShape parse(String text) {
    return HuggingFaceConfig.parse(text, "m", "c.json");
  }

  private static void fails(String text, String message) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining(message);
  }
}
