package io.spillway.cli.diffusion;

import io.spillway.diffusion.latent.VaeConfig;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.ParameterShape;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.PixArtConfig;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.text.ClipConfig;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// Writes diffusers folders as a user has them, with random weights at the smallest sizes.
final class TinyFolders {
  static final int TOKENS = 12;
  private static final UnetConfig UNET =
      new UnetConfig(4, List.of(8, 16), List.of(0, 2), 1, 4, 40, 6 * 256 + 12, 0, 4);
  private static final VaeConfig VAE = new VaeConfig(4, List.of(8, 8, 16), 1, 4, 0.13025, 0, true);

  private TinyFolders() {}

  /// Like SDXL's base model: 8 x 8 latents, 32 x 32 pixels, everything sharded or in half precision
  /// as released folders mix it.
  static Path sdxl(Path folder) {
    index(folder, "StableDiffusionXLPipeline");
    json(
        folder,
        "scheduler/scheduler_config.json",
        """
        {"_class_name": "EulerDiscreteScheduler", "beta_start": 0.00085, "beta_end": 0.012,
         "beta_schedule": "scaled_linear", "num_train_timesteps": 1000, "prediction_type": "epsilon",
         "steps_offset": 1, "timestep_spacing": "leading", "interpolation_type": "linear"}
        """);
    json(
        folder,
        "unet/config.json",
        """
        {"_class_name": "UNet2DConditionModel", "in_channels": 4, "out_channels": 4,
         "block_out_channels": [8, 16], "transformer_layers_per_block": [1, 2],
         "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "layers_per_block": 1,
         "attention_head_dim": [2, 4], "cross_attention_dim": 40, "addition_embed_type": "text_time",
         "projection_class_embeddings_input_dim": 1548, "norm_num_groups": 4, "sample_size": 8}
        """);
    save(folder.resolve("unet"), "", UNET.parameters(), DType.F32, 20_000);
    ClipConfig first =
        new ClipConfig(88, 16, 2, 2, 32, TOKENS, ClipConfig.Activation.QUICK_GELU, 0, 87);
    ClipConfig second =
        new ClipConfig(88, 24, 3, 2, 48, TOKENS, ClipConfig.Activation.GELU, 12, 87);
    encoder(folder, "text_encoder", first, "CLIPTextModel", "quick_gelu");
    encoder(folder, "text_encoder_2", second, "CLIPTextModelWithProjection", "gelu");
    tokenizer(folder.resolve("tokenizer"), "<|endoftext|>");
    tokenizer(folder.resolve("tokenizer_2"), "!");
    vae(folder);
    return folder;
  }

  /// Like PixArt-alpha: 8 x 8 latents.
  static Path pixArt(Path folder) {
    PixArtConfig config = new PixArtConfig(2, 2, 8, 2, 4, 8, 8, 10, false);
    index(folder, "PixArtAlphaPipeline");
    json(
        folder,
        "scheduler/scheduler_config.json",
        """
        {"_class_name": "DPMSolverMultistepScheduler", "beta_start": 0.0001, "beta_end": 0.02,
         "beta_schedule": "linear", "num_train_timesteps": 1000, "prediction_type": "epsilon",
         "solver_order": 2, "algorithm_type": "dpmsolver++"}
        """);
    json(
        folder,
        "transformer/config.json",
        """
        {"_class_name": "PixArtTransformer2DModel", "num_layers": 2, "num_attention_heads": 2,
         "attention_head_dim": 8, "patch_size": 2, "in_channels": 4, "out_channels": 8,
         "sample_size": 8, "caption_channels": 10, "norm_type": "ada_norm_single"}
        """);
    save(folder.resolve("transformer"), "", config.parameters(), DType.F32, 1 << 30);
    vae(folder);
    return folder;
  }

  /// Like DiT-XL/2: classes on latents.
  static Path dit(Path folder) {
    DitConfig config = new DitConfig(2, 2, 8, 2, 4, 8, 8, 10);
    index(folder, "DiTPipeline");
    json(
        folder,
        "scheduler/scheduler_config.json",
        """
        {"_class_name": "DDIMScheduler", "beta_start": 0.0001, "beta_end": 0.02,
         "beta_schedule": "linear", "num_train_timesteps": 1000, "prediction_type": "epsilon",
         "steps_offset": 0, "clip_sample": false, "set_alpha_to_one": true}
        """);
    json(
        folder,
        "transformer/config.json",
        """
        {"_class_name": "DiTTransformer2DModel", "num_layers": 2, "num_attention_heads": 2,
         "attention_head_dim": 8, "patch_size": 2, "in_channels": 4, "out_channels": 8,
         "sample_size": 8, "num_embeds_ada_norm": 10, "norm_type": "ada_norm_zero"}
        """);
    save(folder.resolve("transformer"), "", config.parameters(), DType.F32, 1 << 30);
    vae(folder);
    return folder;
  }

  /// What a T5 made of a prompt of `tokens` tokens.
  static void promptStates(Path file, int tokens, int width) {
    try (Parameters p =
        Parameters.random(
            List.of(
                ParameterShape.of("prompt_embeds", 1, tokens, width),
                ParameterShape.of("negative_prompt_embeds", 3, width)),
            new Seeds(4))) {
      Weights.save(file, p.tensors(), Map.of());
    }
  }

  private static void index(Path folder, String pipeline) {
    json(folder, "model_index.json", "{\"_class_name\": \"" + pipeline + "\"}");
  }

  private static void vae(Path folder) {
    json(
        folder,
        "vae/config.json",
        """
        {"_class_name": "AutoencoderKL", "latent_channels": 4, "block_out_channels": [8, 8, 16],
         "layers_per_block": 1, "norm_num_groups": 4, "scaling_factor": 0.13025}
        """);
    save(folder.resolve("vae"), "", VAE.parameters(), DType.F32, 1 << 30);
  }

  private static void encoder(
      Path folder, String name, ClipConfig config, String architecture, String activation) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("architectures", List.of(architecture));
    json.put("vocab_size", config.vocabulary());
    json.put("hidden_size", config.width());
    json.put("num_hidden_layers", config.layers());
    json.put("num_attention_heads", config.heads());
    json.put("intermediate_size", config.inner());
    json.put("max_position_embeddings", config.positions());
    json.put("hidden_act", activation);
    json.put("projection_dim", 12);
    json.put("eos_token_id", 2);
    json(folder, name + "/config.json", Json.write(json));
    save(folder.resolve(name), ".fp16", config.parameters(), DType.F16, 1 << 30);
  }

  /// Symbols for letters, a few merged words, the two special tokens last.
  static void tokenizer(Path folder, String pad) {
    List<String> words = new ArrayList<>();
    String letters = "!,.'0123456789abcdefghijklmnopqrstuvwxyz";
    letters.chars().forEach(c -> words.add(String.valueOf((char) c)));
    letters.chars().forEach(c -> words.add((char) c + "</w>"));
    words.addAll(List.of("re", "red</w>", "di", "dis", "disc</w>", "ar"));
    words.addAll(List.of("<|startoftext|>", "<|endoftext|>"));
    Map<String, Integer> vocabulary = new LinkedHashMap<>();
    words.forEach(w -> vocabulary.put(w, vocabulary.size()));
    json(folder, "vocab.json", Json.write(vocabulary));
    json(folder, "merges.txt", "#version: 0.2\nr e\nre d</w>\nd i\ndi s\ndis c</w>\na r\n");
    json(folder, "special_tokens_map.json", "{\"pad_token\": \"" + pad + "\"}");
  }

  private static void save(
      Path component, String variant, List<ParameterShape> shapes, DType type, long shard) {
    try (Parameters p = Parameters.random(shapes, new Seeds(8));
        TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Map<String, Tensor> typed = new LinkedHashMap<>();
      p.tensors().forEach((name, t) -> typed.put(name, Tensors.to(t, type)));
      String stem =
          component.getFileName().toString().startsWith("text_encoder")
              ? "model"
              : "diffusion_pytorch_model";
      if (p.bytes() <= shard) {
        Weights.save(component.resolve(stem + variant + ".safetensors"), typed, Map.of());
        return;
      }
      Weights.saveSharded(component, typed, Map.of(), shard);
      Files.move(
          component.resolve("model.safetensors.index.json"),
          component.resolve(stem + ".safetensors.index.json"),
          StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void json(Path folder, String name, String text) {
    AtomicFiles.writeString(folder.resolve(name), text);
  }
}
