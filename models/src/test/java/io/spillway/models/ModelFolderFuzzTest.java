package io.spillway.models;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.testkit.Damage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The texts of a model's folder from a stranger (configuration, tokenizer, chat template) are
/// taken or refused with one line. `bench/fuzz` searches for new inputs.
final class ModelFolderFuzzTest {
  private static final String CONFIG =
      """
      {"model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "vocab_size": 256,
       "max_position_embeddings": 128, "num_attention_heads": 4, "num_hidden_layers": 2,
       "num_key_value_heads": 2, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "eos_token_id": [1],
       "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 64, "rope_type": "llama3"}}
      """;
  private static final String TOKENIZER =
      """
      {"version": "1.0", "truncation": null, "padding": null,
       "added_tokens": [{"id": 0, "content": "<s>", "single_word": false, "lstrip": false,
         "rstrip": false, "normalized": false, "special": true}],
       "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
       "post_processor": null, "decoder": null,
       "model": {"type": "BPE", "dropout": null, "unk_token": null,
         "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
         "byte_fallback": false, "vocab": {"<s>": 0, "a": 1, "b": 2, "ab": 3},
         "merges": ["a b"]}}
      """;
  private static final String TEMPLATE =
      "{% for m in messages %}{% if m['role'] == 'user' %}{{ m['content'] | trim }}{% else %}"
          + "{% set x = m.content + '!' %}{{ x }}{% endif %}{{ loop.index0 }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ bos_token }}{% endif %}";

  @FuzzTest
  void configuration(byte[] data) {
    in(folder -> {
      Files.writeString(folder.resolve("config.json"), Damage.of(CONFIG, data));
      ConfigReader.read(folder);
    });
  }

  @FuzzTest
  void tokenizer(byte[] data) {
    in(folder -> {
      String text = new String(data, StandardCharsets.UTF_8);
      try (Tokenizer tokenizer = Tokenizer.ofJson(Damage.of(TOKENIZER, data), Path.of("fuzz"))) {
        tokenizer.decode(tokenizer.encode(text, true));
      }
    });
  }

  @FuzzTest
  void template(byte[] data) {
    in(folder -> {
      Files.writeString(
          folder.resolve("tokenizer_config.json"),
          Json.write(Map.of("chat_template", Damage.of(TEMPLATE, data), "bos_token", "<s>")));
      ChatTemplate.open(folder)
          .render(
              List.of(
                  new ChatTemplate.Message("system", "a"), new ChatTemplate.Message("user", "b")),
              true);
    });
  }

  private interface Reading {
    void of(Path folder) throws IOException;
  }

  private static void in(Reading reading) {
    try {
      Path folder = Files.createTempDirectory("fuzz");
      try {
        reading.of(folder);
      } catch (SpillwayException e) {
        if (String.valueOf(e.getMessage()).contains("\n")) {
          throw new AssertionError("more than one line: " + e.getMessage(), e);
        }
      } finally {
        try (var files = Files.list(folder)) {
          for (Path file : files.toList()) {
            Files.delete(file);
          }
        }
        Files.delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
