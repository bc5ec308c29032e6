package io.spillway.diffusion.training;

import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// Writes a trained model as a diffusers-format folder with half-precision weights.
public final class ModelFolder {
  private ModelFolder() {}

  /// A DiT on pixels.
  public static void write(
      Path folder, DitConfig config, Map<String, Tensor> weights, Trainer.Outcome outcome) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("_class_name", "DiTTransformer2DModel");
    json.put("num_layers", config.layers());
    json.put("num_attention_heads", config.heads());
    json.put("attention_head_dim", config.headWidth());
    json.put("patch_size", config.patch());
    json.put("in_channels", config.channels());
    json.put("out_channels", config.outChannels());
    json.put("sample_size", config.sampleSize());
    json.put("num_embeds_ada_norm", config.classes());
    write(folder, "transformer", "DiTPipeline", json, weights, outcome);
  }

  /// A UNet on folded pixels.
  public static void write(
      Path folder, UnetConfig config, Map<String, Tensor> weights, Trainer.Outcome outcome) {
    List<String> types = new ArrayList<>();
    List<Integer> heads = new ArrayList<>();
    for (int i = 0; i < config.widths().size(); i++) {
      types.add(config.depths().get(i) == 0 ? "DownBlock2D" : "CrossAttnDownBlock2D");
      heads.add(config.widths().get(i) / config.headWidth());
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("_class_name", "UNet2DConditionModel");
    json.put("in_channels", config.channels());
    json.put("out_channels", config.channels());
    json.put("block_out_channels", config.widths());
    json.put("transformer_layers_per_block", config.depths());
    json.put("down_block_types", types);
    json.put("layers_per_block", config.resnets());
    json.put("attention_head_dim", heads);
    json.put("cross_attention_dim", config.context());
    json.put("projection_class_embeddings_input_dim", config.added());
    json.put("num_class_embeds", config.classes() + 1);
    json.put("norm_num_groups", config.groups());
    json.put(
        "sample_size",
        outcome.recipe().size() / io.spillway.diffusion.shapes.Pixels.fold(config.channels()));
    write(folder, "unet", "StableDiffusionXLPipeline", json, weights, outcome);
  }

  private static void write(
      Path folder,
      String component,
      String pipeline,
      Map<String, Object> config,
      Map<String, Tensor> weights,
      Trainer.Outcome outcome) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Map<String, Tensor> half = new LinkedHashMap<>();
      weights.forEach((name, t) -> half.put(name, Tensors.to(t.detach(), DType.F16)));
      Weights.save(
          folder.resolve(component).resolve("diffusion_pytorch_model.safetensors"),
          half,
          Map.of("format", "pt"));
    }
    json(folder.resolve(component).resolve("config.json"), config);
    json(
        folder.resolve("scheduler/scheduler_config.json"),
        Map.of(
            "_class_name",
            "FlowMatchEulerDiscreteScheduler",
            "num_train_timesteps",
            1000,
            "shift",
            1.0));
    json(folder.resolve("recipe.json"), outcome);
    json(folder.resolve("model_index.json"), Map.of("_class_name", pipeline));
  }

  private static void json(Path file, Object value) {
    AtomicFiles.writeString(file, Json.write(value) + "\n");
  }
}
