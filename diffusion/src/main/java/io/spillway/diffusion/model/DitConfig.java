package io.spillway.diffusion.model;

import io.spillway.platform.SpillwayException;
import java.util.List;

/// The sizes of a class-conditional DiT.
///
/// **Source:** Peebles and Xie, "Scalable Diffusion Models with Transformers", table 1; names as in
/// diffusers' DiTTransformer2DModel.
///
/// @param channels channels of the image or latent
/// @param outChannels twice `channels` when the model also predicts a variance
/// @param sampleSize rows and columns that the position embedding is centred on
/// @param classes class labels; number `classes` stands for "no class"
public record DitConfig(
    int layers,
    int heads,
    int headWidth,
    int patch,
    int channels,
    int outChannels,
    int sampleSize,
    int classes) {
  public DitConfig {
    if (layers < 1 || heads < 1 || headWidth < 4 || patch < 1 || channels < 1 || classes < 1) {
      throw SpillwayException.badInput(
          "DiT with layers %d, heads %d, head width %d, patch %d, channels %d, classes %d: each must"
              + " be at least 1, the head width 4",
          layers, heads, headWidth, patch, channels, classes);
    }
    if (heads * headWidth % 4 != 0) {
      throw SpillwayException.badInput("DiT width %d is no multiple of 4", heads * headWidth);
    }
    if (outChannels != channels && outChannels != 2 * channels) {
      throw SpillwayException.badInput(
          "DiT out_channels %d is neither in_channels %d nor its double", outChannels, channels);
    }
    if (sampleSize % patch != 0) {
      throw SpillwayException.badInput(
          "DiT sample_size %d is no multiple of patch_size %d", sampleSize, patch);
    }
  }

  /// S, B, L or XL of the paper with a patch of 2, 4 or 8 on 4-channel latents, 1000 classes.
  public static DitConfig paper(String name, int patch, int sampleSize) {
    return switch (name) {
      case "S" -> new DitConfig(12, 6, 64, patch, 4, 8, sampleSize, 1000);
      case "B" -> new DitConfig(12, 12, 64, patch, 4, 8, sampleSize, 1000);
      case "L" -> new DitConfig(24, 16, 64, patch, 4, 8, sampleSize, 1000);
      case "XL" -> new DitConfig(28, 16, 72, patch, 4, 8, sampleSize, 1000);
      default -> throw SpillwayException.badInput("DiT size %s is none of S, B, L, XL", name);
    };
  }

  /// D of the paper.
  public int width() {
    return heads * headWidth;
  }

  /// Every parameter under its diffusers name.
  public List<ParameterShape> parameters() {
    int d = width();
    Shapes shapes = new Shapes().convolution("pos_embed.proj", channels, d, patch);
    for (int i = 0; i < layers; i++) {
      String block = "transformer_blocks." + i + ".";
      shapes
          .linear(block + "norm1.emb.timestep_embedder.linear_1", 256, d)
          .linear(block + "norm1.emb.timestep_embedder.linear_2", d, d)
          .parameter(block + "norm1.emb.class_embedder.embedding_table.weight", classes + 1, d)
          .linear(block + "norm1.linear", d, 6L * d);
      for (String name : List.of("to_q", "to_k", "to_v", "to_out.0")) {
        shapes.linear(block + "attn1." + name, d, d);
      }
      shapes.linear(block + "ff.net.0.proj", d, 4L * d).linear(block + "ff.net.2", 4L * d, d);
    }
    return shapes
        .linear("proj_out_1", d, 2L * d)
        .linear("proj_out_2", d, (long) patch * patch * outChannels)
        .list();
  }

  /// Where one forward pass over that size may exchange something.
  public List<Site> sites(int rows, int columns) {
    int tokens = rows / patch * (columns / patch);
    List<Site> sites = new java.util.ArrayList<>();
    for (int i = 0; i < layers; i++) {
      String block = "transformer_blocks." + i + ".";
      sites.add(new Site.Attention(block + "attn1", tokens, width()));
      sites.add(new Site.Sum(block + "attn1.to_out.0", tokens, width()));
      sites.add(new Site.Sum(block + "ff.net.2", tokens, width()));
    }
    sites.add(new Site.Output(channels, rows, columns));
    return sites;
  }
}
