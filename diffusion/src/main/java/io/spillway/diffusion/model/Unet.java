package io.spillway.diffusion.model;

import io.spillway.tensor.TensorScope;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A UNet of SDXL's family: residual blocks and transformers on the way down and up, with skips.
///
/// **Source:** Podell et al., "SDXL"; layer order as in diffusers' UNet2DConditionModel.
public final class Unet implements Denoiser {
  private static final double RESNET_EPSILON = 1e-5;
  private static final double TRANSFORMER_EPSILON = 1e-6;
  private static final double NORM_EPSILON = 1e-5;

  private final UnetConfig config;
  private final Parameters p;

  public Unet(UnetConfig config, Parameters parameters) {
    this.config = config;
    this.p = parameters;
  }

  public UnetConfig config() {
    return config;
  }

  @Override
  public Parameters parameters() {
    return p;
  }

  @Override
  public Unet with(Parameters weights) {
    return new Unet(config, weights);
  }

  @Override
  public int channels() {
    return config.channels();
  }

  @Override
  public int rowMultiple() {
    return 1 << (config.levels() - 1);
  }

  @Override
  public List<Integer> heads() {
    List<Integer> heads = new ArrayList<>();
    for (int i = 0; i < config.levels(); i++) {
      if (config.depths().get(i) > 0) {
        heads.add(config.widths().get(i) / config.headWidth());
      }
    }
    return heads;
  }

  /// Fresh weights: the second convolution of every residual block and the last ones of attention
  /// begin at zero, so that the network begins as the identity of its skips.
  public static Parameters untrained(UnetConfig config, io.spillway.platform.Seeds seeds) {
    Parameters p = Parameters.random(config.parameters(), seeds);
    for (String name : p.tensors().keySet()) {
      if (name.contains(".conv2.") || name.contains(".proj_out.") || name.startsWith("conv_out")) {
        p.change(name, Tensor::zero_);
      }
    }
    return p;
  }

  @Override
  public Tensor predict(Tensor x, Tensor times, Condition condition, Cooperation ranks) {
    return new Pass(times, condition, ranks).run(x);
  }

  /// One forward pass.
  private final class Pass {
    private final Cooperation ranks;
    private final Tensor time; // SiLU of the embedding, [batch, 4 first width]
    private final Condition condition;

    Pass(Tensor times, Condition condition, Cooperation ranks) {
      this.ranks = ranks;
      this.condition = condition;
      Tensor t =
          Ops.timeEmbedding(times, config.widths().getFirst(), 0)
              .to(p.get("conv_in.weight").scalar_type());
      t = torch.silu(Ops.linear(p, "time_embedding.linear_1", t));
      t = Ops.linear(p, "time_embedding.linear_2", t);
      this.time = torch.silu(t.add(extra()));
    }

    /// What is added to the time: the class, or pooled text and sizes.
    private Tensor extra() {
      return switch (condition) {
        case Condition.Labels(Tensor labels) ->
            torch.embedding(p.get("class_embedding.weight"), labels);
        case Condition.SizedText(Tensor _, Tensor pooled, Tensor sizes) -> {
          Tensor s =
              Ops.timeEmbedding(sizes.reshape(-1), 256, 0)
                  .to(pooled.scalar_type())
                  .view(pooled.size(0), -1);
          Tensor h = Ops.linear(p, "add_embedding.linear_1", Ops.cat(List.of(pooled, s), 1));
          yield Ops.linear(p, "add_embedding.linear_2", torch.silu(h));
        }
        case Condition.Text _ ->
            throw new IllegalArgumentException("this UNet wants class labels or sized text");
      };
    }

    /// Keeps only the result of a block, unless gradients are recorded.
    private Tensor scoped(Supplier<Tensor> body) {
      return GradMode.is_enabled() ? body.get() : TensorScope.compute(body);
    }

    Tensor run(Tensor x) {
      int rows = Math.toIntExact(x.size(2));
      Cooperation.Strip strip = ranks.strip();
      // every rank has the whole image, so the first convolution needs no exchange
      Tensor weight = p.get("conv_in.weight");
      Tensor whole =
          Ops.convolve(x.to(weight.scalar_type()), weight, p.get("conv_in.bias"), 1, 1, 1);
      Tensor h = whole.narrow(2, strip.begin(rows), strip.rows(rows)).clone(); // frees the rest
      Deque<Tensor> skips = new ArrayDeque<>();
      skips.push(h);
      for (int i = 0; i < config.levels(); i++) {
        String block = "down_blocks." + i;
        for (int j = 0; j < config.resnets(); j++) {
          h = resnet(block + ".resnets." + j, h);
          h = attention(block + ".attentions." + j, h, config.depths().get(i));
          skips.push(h);
        }
        if (i < config.levels() - 1) {
          h = convolve(block + ".downsamplers.0.conv", h, 2, 1);
          skips.push(h);
        }
      }
      h = resnet("mid_block.resnets.0", h);
      h = attention("mid_block.attentions.0", h, config.depths().getLast());
      h = resnet("mid_block.resnets.1", h);
      for (int i = 0; i < config.levels(); i++) {
        String block = "up_blocks." + i;
        for (int j = 0; j <= config.resnets(); j++) {
          h = resnet(block + ".resnets." + j, Ops.cat(List.of(h, skips.pop()), 1));
          h =
              attention(
                  block + ".attentions." + j, h, config.depths().get(config.levels() - 1 - i));
        }
        if (i < config.levels() - 1) {
          h = upsample(block + ".upsamplers.0.conv", h);
        }
      }
      h = torch.silu(norm("conv_norm_out", h, RESNET_EPSILON));
      return convolve("conv_out", h, 1, 1);
    }

    private Tensor convolve(String name, Tensor x, int stride, int padding) {
      return ranks.convolve(
          name, x, p.get(name + ".weight"), p.get(name + ".bias"), stride, padding);
    }

    private Tensor norm(String name, Tensor x, double epsilon) {
      return ranks.groupNorm(
          name, x, config.groups(), p.get(name + ".weight"), p.get(name + ".bias"), epsilon);
    }

    private Tensor upsample(String name, Tensor x) {
      return convolve(name, Ops.twice(x), 1, 1);
    }

    private Tensor resnet(String name, Tensor x) {
      return scoped(() -> {
        Tensor h = torch.silu(norm(name + ".norm1", x, RESNET_EPSILON));
        h = convolve(name + ".conv1", h, 1, 1);
        Tensor t = Ops.linear(p, name + ".time_emb_proj", time);
        h = h.add(t.unsqueeze(2).unsqueeze(3));
        h = torch.silu(norm(name + ".norm2", h, RESNET_EPSILON));
        h = convolve(name + ".conv2", h, 1, 1);
        Tensor skip =
            p.find(name + ".conv_shortcut.weight") == null
                ? x
                : convolve(name + ".conv_shortcut", x, 1, 0);
        return skip.add(h);
      });
    }

    private Tensor attention(String name, Tensor x, int depth) {
      if (depth == 0) {
        return x;
      }
      return scoped(() -> {
        long rows = x.size(2);
        long columns = x.size(3);
        Tensor h = norm(name + ".norm", x, TRANSFORMER_EPSILON).flatten(2, 3).transpose(1, 2);
        h = Ops.linear(p, name + ".proj_in", h);
        for (int k = 0; k < depth; k++) {
          String block = name + ".transformer_blocks." + k;
          Tensor before = h;
          h = scoped(() -> block(block, before));
        }
        h = Ops.linear(p, name + ".proj_out", h);
        return x.add(h.transpose(1, 2).reshape(x.size(0), x.size(1), rows, columns));
      });
    }

    private Tensor block(String name, Tensor x) {
      Tensor h = layerNorm(name + ".norm1", x);
      Tensor y = x.add(Transformer.selfAttention(p, name + ".attn1", h, config.headWidth(), ranks));
      if (condition instanceof Condition.SizedText(Tensor text, Tensor _, Tensor _)
          && config.context() > 0) {
        h = layerNorm(name + ".norm2", y);
        y =
            y.add(
                Transformer.crossAttention(
                    p, name + ".attn2", h, text, null, config.headWidth(), ranks));
      }
      h = layerNorm(name + ".norm3", y);
      return y.add(Transformer.gatedMlp(p, name + ".ff", h, ranks));
    }

    private Tensor layerNorm(String name, Tensor x) {
      return Ops.layerNorm(x, p.get(name + ".weight"), p.get(name + ".bias"), NORM_EPSILON);
    }
  }

  @Override
  public List<Site> sites(int rows, int columns) {
    return config.sites(rows, columns);
  }
}
