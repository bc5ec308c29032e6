package io.spillway.diffusion;

import io.spillway.diffusion.latent.VaeConfig;
import io.spillway.diffusion.latent.VaeDecoder;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.PixArtConfig;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.text.ClipConfig;
import io.spillway.diffusion.text.ClipEncoder;
import io.spillway.diffusion.text.ClipTokenizer;
import io.spillway.diffusion.text.TextEncoders;
import io.spillway.platform.Json;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Reads the components of a diffusers folder: their `config.json` and where their weights lie.
final class Components {
  private Components() {}

  /// The component's configuration.
  ///
  /// **Errors:** a missing folder or file.
  static JsonNode config(Path component) {
    Path file = component.resolve("config.json");
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.notFound(
          "component %s is missing (%s); it is a folder with config.json and safetensors",
          component.getFileName(), file);
    }
    return Json.readTree(file);
  }

  /// The weights' file or index, in full or half precision, whole or in shards.
  static Path weights(Path component, String stem) {
    for (String name :
        List.of(
            ".safetensors",
            ".safetensors.index.json",
            ".fp16.safetensors",
            ".safetensors.index.fp16.json",
            ".fp16.safetensors.index.json")) {
      Path file = component.resolve(stem + name);
      if (Files.isRegularFile(file)) {
        return file;
      }
    }
    throw SpillwayException.notFound(
        "%s: weights are missing", component.resolve(stem + ".safetensors"));
  }

  static DitConfig dit(JsonNode json) {
    int channels = json.path("in_channels").asInt(4);
    return new DitConfig(
        json.path("num_layers").asInt(28),
        json.path("num_attention_heads").asInt(16),
        json.path("attention_head_dim").asInt(72),
        json.path("patch_size").asInt(2),
        channels,
        json.path("out_channels").asInt(channels),
        json.path("sample_size").asInt(32),
        json.path("num_embeds_ada_norm").asInt(1000));
  }

  static PixArtConfig pixArt(JsonNode json) {
    int channels = json.path("in_channels").asInt(4);
    int sample = json.path("sample_size").asInt(128);
    JsonNode sized = json.path("use_additional_conditions");
    return new PixArtConfig(
        json.path("num_layers").asInt(28),
        json.path("num_attention_heads").asInt(16),
        json.path("attention_head_dim").asInt(72),
        json.path("patch_size").asInt(2),
        channels,
        json.path("out_channels").asInt(8),
        sample,
        json.path("caption_channels").asInt(4096),
        sized.isBoolean() ? sized.asBoolean() : sample == 128);
  }

  static UnetConfig unet(JsonNode json, Path file) {
    List<Integer> widths = numbers(json.path("block_out_channels"));
    List<Integer> depths = numbers(json.path("transformer_layers_per_block"));
    List<String> types = new ArrayList<>();
    json.path("down_block_types").forEach(t -> types.add(t.asString("")));
    if (widths.isEmpty() || depths.size() != widths.size() || types.size() != widths.size()) {
      throw SpillwayException.badFile(
          file,
          "",
          "block_out_channels, transformer_layers_per_block and down_block_types must be lists of"
              + " one length");
    }
    for (int i = 0; i < types.size(); i++) {
      if (types.get(i).equals("DownBlock2D")) {
        depths.set(i, 0);
      } else if (!types.get(i).equals("CrossAttnDownBlock2D")) {
        throw SpillwayException.badFile(file, "", "block type %s is not supported", types.get(i));
      }
    }
    List<Integer> heads = numbers(json.path("attention_head_dim"));
    int headWidth = heads.isEmpty() ? 64 : widths.getLast() / heads.getLast();
    return new UnetConfig(
        json.path("in_channels").asInt(4),
        widths,
        depths,
        json.path("layers_per_block").asInt(2),
        headWidth,
        json.path("cross_attention_dim").asInt(0),
        json.path("projection_class_embeddings_input_dim").asInt(0),
        json.path("num_class_embeds").asInt(1) - 1,
        json.path("norm_num_groups").asInt(32));
  }

  static VaeDecoder vae(Path component, ComputeDevice device) {
    JsonNode json = config(component);
    VaeConfig config =
        new VaeConfig(
            json.path("latent_channels").asInt(4),
            numbers(json.path("block_out_channels")),
            json.path("layers_per_block").asInt(1),
            json.path("norm_num_groups").asInt(32),
            json.path("scaling_factor").asDouble(0.18215),
            json.path("shift_factor").asDouble(0),
            json.path("use_post_quant_conv").asBoolean(true));
    return new VaeDecoder(
        config,
        Parameters.load(
            weights(component, "diffusion_pytorch_model"), config.parameters(), DType.F32, device));
  }

  /// SDXL's encoders and tokenizers.
  static TextEncoders text(Path folder, ComputeDevice device, DType type) {
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      ClipEncoder first = clip(folder.resolve("text_encoder"), device, type);
      opened.add(first);
      ClipEncoder second = clip(folder.resolve("text_encoder_2"), device, type);
      opened.add(second);
      ClipTokenizer one =
          ClipTokenizer.open(folder.resolve("tokenizer"), first.config().positions());
      opened.add(one);
      ClipTokenizer two =
          ClipTokenizer.open(folder.resolve("tokenizer_2"), second.config().positions());
      boolean zero =
          Json.readTree(folder.resolve("model_index.json"))
              .path("force_zeros_for_empty_prompt")
              .asBoolean(true);
      return new TextEncoders(one, first, two, second, zero);
    } catch (RuntimeException e) {
      closeAll(opened, e);
      throw e;
    }
  }

  /// Closes what was opened before `cause`, which keeps the failures of that.
  static void closeAll(List<AutoCloseable> opened, RuntimeException cause) {
    for (AutoCloseable c : opened) {
      try {
        c.close();
      } catch (Exception e) {
        cause.addSuppressed(e);
      }
    }
  }

  private static ClipEncoder clip(Path component, ComputeDevice device, DType type) {
    JsonNode json = config(component);
    String act = json.path("hidden_act").asString("quick_gelu");
    Map<String, ClipConfig.Activation> known =
        Map.of("quick_gelu", ClipConfig.Activation.QUICK_GELU, "gelu", ClipConfig.Activation.GELU);
    ClipConfig.Activation activation = known.get(act);
    if (activation == null) {
      throw SpillwayException.badFile(
          component.resolve("config.json"),
          "",
          "hidden_act %s is unknown, %s",
          act,
          Nearest.hint(act, known.keySet()));
    }
    boolean projects = json.path("architectures").path(0).asString("").endsWith("WithProjection");
    int vocabulary = json.path("vocab_size").asInt(49408);
    int end = json.path("eos_token_id").asInt(49407);
    ClipConfig config =
        new ClipConfig(
            vocabulary,
            json.path("hidden_size").asInt(512),
            json.path("num_hidden_layers").asInt(12),
            json.path("num_attention_heads").asInt(8),
            json.path("intermediate_size").asInt(2048),
            json.path("max_position_embeddings").asInt(77),
            activation,
            projects ? json.path("projection_dim").asInt(512) : 0,
            // released configurations say 2, but mean the last token of the vocabulary
            end == 2 ? vocabulary - 1 : end);
    return new ClipEncoder(
        config, Parameters.load(weights(component, "model"), config.parameters(), type, device));
  }

  private static List<Integer> numbers(JsonNode list) {
    List<Integer> numbers = new ArrayList<>();
    list.forEach(n -> numbers.add(n.asInt()));
    return numbers;
  }
}
