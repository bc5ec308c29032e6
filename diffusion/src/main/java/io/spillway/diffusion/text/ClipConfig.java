package io.spillway.diffusion.text;

import io.spillway.diffusion.model.ParameterShape;
import io.spillway.diffusion.model.Shapes;
import io.spillway.platform.SpillwayException;
import java.util.List;

/// The sizes of a CLIP text encoder.
///
/// **Source:** Radford et al., "Learning Transferable Visual Models From Natural Language
/// Supervision"; names as in Hugging Face's CLIPTextModel and CLIPTextModelWithProjection.
///
/// @param vocabulary tokens
/// @param inner width of the MLP
/// @param positions longest text
/// @param activation of the MLP
/// @param projection width of the projected pooled state, 0 for no projection
/// @param end the token whose state is the pooled one
public record ClipConfig(
    int vocabulary,
    int width,
    int layers,
    int heads,
    int inner,
    int positions,
    Activation activation,
    int projection,
    int end) {
  /// SDXL's first encoder, CLIP ViT-L.
  public static final ClipConfig CLIP_L =
      new ClipConfig(49408, 768, 12, 12, 3072, 77, Activation.QUICK_GELU, 0, 49407);

  /// SDXL's second encoder, OpenCLIP ViT-bigG.
  public static final ClipConfig OPEN_CLIP_BIG_G =
      new ClipConfig(49408, 1280, 32, 20, 5120, 77, Activation.GELU, 1280, 49407);

  /// How the MLP bends.
  public enum Activation {
    /// x sigmoid(1.702 x).
    QUICK_GELU,
    /// x times the normal distribution's integral up to x.
    GELU
  }

  public ClipConfig {
    if (vocabulary < 2 || layers < 2 || heads < 1 || inner < 1 || positions < 2) {
      throw SpillwayException.badInput(
          "text encoder with vocabulary %d, layers %d, heads %d, MLP %d, positions %d: at least 2,"
              + " 2, 1, 1, 2",
          vocabulary, layers, heads, inner, positions);
    }
    if (width < 1 || width % heads != 0) {
      throw SpillwayException.badInput(
          "text encoder width %d is no multiple of %d heads", width, heads);
    }
  }

  /// Every parameter under its name.
  public List<ParameterShape> parameters() {
    Shapes s = new Shapes();
    s.parameter("text_model.embeddings.token_embedding.weight", vocabulary, width);
    s.parameter("text_model.embeddings.position_embedding.weight", positions, width);
    for (int i = 0; i < layers; i++) {
      String layer = "text_model.encoder.layers." + i + ".";
      for (String name : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
        s.linear(layer + "self_attn." + name, width, width);
      }
      s.norm(layer + "layer_norm1", width)
          .linear(layer + "mlp.fc1", width, inner)
          .linear(layer + "mlp.fc2", inner, width)
          .norm(layer + "layer_norm2", width);
    }
    s.norm("text_model.final_layer_norm", width);
    if (projection > 0) {
      s.linear("text_projection", width, projection, false);
    }
    return s.list();
  }
}
