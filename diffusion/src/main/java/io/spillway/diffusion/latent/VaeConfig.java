package io.spillway.diffusion.latent;

import io.spillway.diffusion.model.ParameterShape;
import io.spillway.diffusion.model.Shapes;
import io.spillway.platform.SpillwayException;
import java.util.List;

/// The sizes of the decoder half of an image autoencoder.
///
/// **Source:** Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models",
/// appendix G; names as in diffusers' AutoencoderKL.
///
/// @param channels of the latent
/// @param widths channels of each level, finest first
/// @param resnets residual blocks of a level of the encoder; the decoder has one more
/// @param groups of every group norm
/// @param scaling what latents were multiplied with for the denoiser
/// @param shift what was taken from latents before that
/// @param inner whether a 1 x 1 convolution comes first
public record VaeConfig(
    int channels,
    List<Integer> widths,
    int resnets,
    int groups,
    double scaling,
    double shift,
    boolean inner) {
  /// Stable Diffusion XL's.
  public static final VaeConfig SDXL =
      new VaeConfig(4, List.of(128, 256, 512, 512), 2, 32, 0.13025, 0, true);

  public VaeConfig {
    widths = List.copyOf(widths);
    if (channels < 1 || widths.isEmpty() || resnets < 1) {
      throw SpillwayException.badInput(
          "VAE with %d channels, %d levels and %d residual blocks: each must be at least 1",
          channels, widths.size(), resnets);
    }
    for (int w : widths) {
      if (groups < 1 || w % groups != 0) {
        throw SpillwayException.badInput(
            "VAE level of %d channels is no multiple of %d groups", w, groups);
      }
    }
    if (!(scaling > 0)) {
      throw SpillwayException.badInput("VAE scaling_factor %s must be positive", scaling);
    }
  }

  /// Pixels along the side of one element of the latent.
  public int fold() {
    return 1 << (widths.size() - 1);
  }

  /// Channels of the `level`-th level of the decoder, counted from the coarsest.
  int width(int level) {
    return widths.get(widths.size() - 1 - level);
  }

  /// Every parameter of the decoder under its diffusers name.
  public List<ParameterShape> parameters() {
    Shapes s = new Shapes();
    if (inner) {
      s.convolution("post_quant_conv", channels, channels, 1);
    }
    int width = width(0);
    s.convolution("decoder.conv_in", channels, width, 3);
    resnet(s, "decoder.mid_block.resnets.0", width, width);
    String attention = "decoder.mid_block.attentions.0";
    s.norm(attention + ".group_norm", width);
    for (String name : List.of("to_q", "to_k", "to_v", "to_out.0")) {
      s.linear(attention + "." + name, width, width);
    }
    resnet(s, "decoder.mid_block.resnets.1", width, width);
    for (int i = 0; i < widths.size(); i++) {
      for (int j = 0; j <= resnets; j++) {
        resnet(s, "decoder.up_blocks." + i + ".resnets." + j, width, width(i));
        width = width(i);
      }
      if (i < widths.size() - 1) {
        s.convolution("decoder.up_blocks." + i + ".upsamplers.0.conv", width, width, 3);
      }
    }
    return s.norm("decoder.conv_norm_out", width)
        .convolution("decoder.conv_out", width, 3, 3)
        .list();
  }

  private static void resnet(Shapes s, String name, int in, int out) {
    s.norm(name + ".norm1", in)
        .convolution(name + ".conv1", in, out, 3)
        .norm(name + ".norm2", out)
        .convolution(name + ".conv2", out, out, 3);
    if (in != out) {
      s.convolution(name + ".conv_shortcut", in, out, 1);
    }
  }
}
