package io.spillway.diffusion.latent;

import io.spillway.diffusion.model.Ops;
import io.spillway.diffusion.model.Parameters;
import io.spillway.tensor.TensorScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Turns latents into pixels: residual blocks around one attention at the coarsest level, then
/// levels that double rows and columns.
///
/// **Source:** Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models";
/// layer order as in diffusers' AutoencoderKL.
///
/// @param p the weights, f32: half precision overflows in some released ones
public record VaeDecoder(VaeConfig config, Parameters p) implements AutoCloseable {
  private static final double EPSILON = 1e-6;

  /// Decodes one sample after another, which bounds the memory.
  ///
  /// **Shapes:** latents [batch, channels, rows, columns] as the denoiser sees them -> [batch, 3,
  /// fold x rows, fold x columns], about -1..1, f32.
  public Tensor decode(Tensor latents) {
    java.util.List<Tensor> images = new java.util.ArrayList<>();
    Tensor like = p.get("decoder.conv_in.weight");
    for (long i = 0; i < latents.size(0); i++) {
      Tensor one =
          latents
              .narrow(0, i, 1)
              .to(like.device(), like.scalar_type())
              .div(new org.bytedeco.pytorch.Scalar(config.scaling()))
              .add(new org.bytedeco.pytorch.Scalar(config.shift()));
      images.add(TensorScope.compute(() -> decodeOne(one)));
    }
    return Ops.cat(images, 0);
  }

  private Tensor decodeOne(Tensor latent) {
    Tensor h = config.inner() ? convolve("post_quant_conv", latent, 0) : latent;
    h = convolve("decoder.conv_in", h, 1);
    h = resnet("decoder.mid_block.resnets.0", h);
    h = attention("decoder.mid_block.attentions.0", h);
    h = resnet("decoder.mid_block.resnets.1", h);
    int levels = config.widths().size();
    for (int i = 0; i < levels; i++) {
      for (int j = 0; j <= config.resnets(); j++) {
        h = resnet("decoder.up_blocks." + i + ".resnets." + j, h);
      }
      if (i < levels - 1) {
        h = convolve("decoder.up_blocks." + i + ".upsamplers.0.conv", Ops.twice(h), 1);
      }
    }
    return convolve("decoder.conv_out", torch.silu(norm("decoder.conv_norm_out", h)), 1);
  }

  private Tensor convolve(String name, Tensor x, int padding) {
    return Ops.convolve(x, p.get(name + ".weight"), p.get(name + ".bias"), 1, padding, padding);
  }

  private Tensor norm(String name, Tensor x) {
    return Ops.groupNorm(
        x, config.groups(), p.get(name + ".weight"), p.get(name + ".bias"), EPSILON);
  }

  private Tensor resnet(String name, Tensor x) {
    return TensorScope.compute(() -> {
      Tensor h = convolve(name + ".conv1", torch.silu(norm(name + ".norm1", x)), 1);
      h = convolve(name + ".conv2", torch.silu(norm(name + ".norm2", h)), 1);
      Tensor skip =
          p.find(name + ".conv_shortcut.weight") == null
              ? x
              : convolve(name + ".conv_shortcut", x, 0);
      return skip.add(h);
    });
  }

  /// One head as wide as the level.
  private Tensor attention(String name, Tensor x) {
    return TensorScope.compute(() -> {
      Tensor h = norm(name + ".group_norm", x).flatten(2, 3).transpose(1, 2);
      Tensor out =
          Ops.attention(
              Ops.linear(p, name + ".to_q", h),
              Ops.linear(p, name + ".to_k", h),
              Ops.linear(p, name + ".to_v", h),
              1,
              null);
      out = Ops.linear(p, name + ".to_out.0", out);
      return x.add(out.transpose(1, 2).reshape(x.size(0), x.size(1), x.size(2), x.size(3)));
    });
  }

  @Override
  public void close() {
    p.close();
  }
}
