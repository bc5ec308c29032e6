package io.spillway.diffusion.model;

import io.spillway.platform.SpillwayException;
import java.util.List;

/// The sizes of a PixArt transformer: a DiT whose blocks share one modulation of the time and look
/// at text.
///
/// **Source:** Chen et al., "PixArt-alpha", section 2.3; names as in diffusers'
/// PixArtTransformer2DModel.
///
/// @param channels channels of the latent
/// @param outChannels twice `channels` when the model also predicts a variance
/// @param sampleSize rows and columns of the latent that it was trained at
/// @param textWidth width of the text states (4096 for T5 XXL)
/// @param sized whether resolution and aspect ratio are added to the time (PixArt-alpha at 1024)
public record PixArtConfig(
    int layers,
    int heads,
    int headWidth,
    int patch,
    int channels,
    int outChannels,
    int sampleSize,
    int textWidth,
    boolean sized) {
  /// PixArt-alpha XL/2 at 512 pixels.
  public static final PixArtConfig ALPHA_512 =
      new PixArtConfig(28, 16, 72, 2, 4, 8, 64, 4096, false);

  /// PixArt-alpha XL/2 at 1024 pixels.
  public static final PixArtConfig ALPHA_1024 =
      new PixArtConfig(28, 16, 72, 2, 4, 8, 128, 4096, true);

  public PixArtConfig {
    if (layers < 1 || heads < 1 || headWidth < 4 || patch < 1 || channels < 1 || textWidth < 1) {
      throw SpillwayException.badInput(
          "PixArt with layers %d, heads %d, head width %d, patch %d, channels %d, text width %d:"
              + " each must be at least 1, the head width 4",
          layers, heads, headWidth, patch, channels, textWidth);
    }
    if (heads * headWidth % 4 != 0 || (sized && heads * headWidth % 3 != 0)) {
      throw SpillwayException.badInput(
          "PixArt width %d is no multiple of 4%s", heads * headWidth, sized ? " and 3" : "");
    }
    if (outChannels != channels && outChannels != 2 * channels) {
      throw SpillwayException.badInput(
          "PixArt out_channels %d is neither in_channels %d nor its double", outChannels, channels);
    }
    if (sampleSize % patch != 0) {
      throw SpillwayException.badInput(
          "PixArt sample_size %d is no multiple of patch_size %d", sampleSize, patch);
    }
  }

  /// Width of a token.
  public int width() {
    return heads * headWidth;
  }

  /// By how much positions shrink, so that all sizes share one range.
  int positionScale() {
    return Math.max(1, sampleSize / 64);
  }

  /// Every parameter under its diffusers name.
  public List<ParameterShape> parameters() {
    int d = width();
    Shapes shapes = new Shapes().convolution("pos_embed.proj", channels, d, patch);
    embedding(shapes, "timestep_embedder", d);
    if (sized) {
      embedding(shapes, "resolution_embedder", d / 3);
      embedding(shapes, "aspect_ratio_embedder", d / 3);
    }
    shapes
        .linear("adaln_single.linear", d, 6L * d)
        .linear("caption_projection.linear_1", textWidth, d)
        .linear("caption_projection.linear_2", d, d);
    for (int i = 0; i < layers; i++) {
      String block = "transformer_blocks." + i + ".";
      shapes.parameter(block + "scale_shift_table", 6, d);
      for (String attention : List.of("attn1", "attn2")) {
        for (String name : List.of("to_q", "to_k", "to_v", "to_out.0")) {
          shapes.linear(block + attention + "." + name, d, d);
        }
      }
      shapes.linear(block + "ff.net.0.proj", d, 4L * d).linear(block + "ff.net.2", 4L * d, d);
    }
    return shapes
        .parameter("scale_shift_table", 2, d)
        .linear("proj_out", d, (long) patch * patch * outChannels)
        .list();
  }

  private static void embedding(Shapes shapes, String name, int width) {
    shapes
        .linear("adaln_single.emb." + name + ".linear_1", 256, width)
        .linear("adaln_single.emb." + name + ".linear_2", width, width);
  }

  /// Where one forward pass over that size may exchange something.
  public List<Site> sites(int rows, int columns) {
    int tokens = rows / patch * (columns / patch);
    List<Site> sites = new java.util.ArrayList<>();
    for (int i = 0; i < layers; i++) {
      String block = "transformer_blocks." + i + ".";
      sites.add(new Site.Attention(block + "attn1", tokens, width()));
      sites.add(new Site.Sum(block + "attn1.to_out.0", tokens, width()));
      sites.add(new Site.Sum(block + "attn2.to_out.0", tokens, width()));
      sites.add(new Site.Sum(block + "ff.net.2", tokens, width()));
    }
    sites.add(new Site.Output(channels, rows, columns));
    return sites;
  }
}
