package io.spillway.longcontext.own;

import io.spillway.models.ConfigReader;
import io.spillway.models.DecoderConfig;
import io.spillway.models.Family;
import io.spillway.models.RopeScaling;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// The shape of our own model and its folder.
final class OwnModel {
  private static final String CHAT_TEMPLATE =
      "{{ bos_token }}{% for message in messages %}{% if message.role == 'assistant' %}"
          + "<|assistant|> {{ message.content }}<|end|>"
          + "{% else %}<|user|> {{ message.content }}{% endif %}{% endfor %}"
          + "{% if add_generation_prompt %}<|assistant|>{% endif %}";

  private OwnModel() {}

  static DecoderConfig config(OwnVocabulary vocabulary, int hidden, int layers, int trainedLength) {
    int headDim = 32;
    int heads = hidden / headDim;
    return new DecoderConfig(
        Family.LLAMA,
        (vocabulary.size() + 31) / 32 * 32,
        hidden,
        layers,
        heads,
        heads / 2,
        headDim,
        2 * hidden,
        trainedLength,
        5e5,
        headDim,
        new RopeScaling.None(),
        1e-5,
        true,
        false,
        0,
        List.of(vocabulary.id(OwnVocabulary.END)));
  }

  /// Writes a Hugging Face folder.
  ///
  /// @param weights f16
  static void write(
      Path folder,
      DecoderConfig config,
      OwnVocabulary vocabulary,
      Map<String, Tensor> weights,
      String recipe) {
    Map<String, Tensor> detached = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      weights.forEach((name, weight) -> detached.put(name, weight.detach()));
      Weights.save(
          folder.resolve("model.safetensors"), detached, Map.of("format", "pt", "recipe", recipe));
    }
    AtomicFiles.writeString(
        folder.resolve("config.json"), ConfigReader.write(config, "float16") + "\n");
    AtomicFiles.writeString(folder.resolve("tokenizer.json"), vocabulary.tokenizerJson() + "\n");
    Map<String, Object> tokenizer = new LinkedHashMap<>();
    tokenizer.put("bos_token", OwnVocabulary.BEGIN);
    tokenizer.put("eos_token", OwnVocabulary.END);
    tokenizer.put("pad_token", OwnVocabulary.PAD);
    tokenizer.put("add_bos_token", true);
    tokenizer.put("clean_up_tokenization_spaces", false);
    tokenizer.put("model_max_length", config.maxPositions());
    tokenizer.put("tokenizer_class", "PreTrainedTokenizerFast");
    tokenizer.put("chat_template", CHAT_TEMPLATE);
    AtomicFiles.writeString(folder.resolve("tokenizer_config.json"), Json.write(tokenizer) + "\n");
  }
}
