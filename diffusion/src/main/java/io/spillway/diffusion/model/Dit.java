package io.spillway.diffusion.model;

import io.spillway.tensor.TensorScope;
import java.util.List;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// A class-conditional diffusion transformer with adaptive layer norms.
///
/// c = MLP(sincos256(t)) + class embedding; each block adds gate x attention(modulated norm) and
/// gate x MLP(modulated norm); the gates begin at zero when trained from nothing.
///
/// **Source:** Peebles and Xie, "Scalable Diffusion Models with Transformers", section 3.
public final class Dit implements StagedDenoiser {
  private static final double EPSILON = 1e-6;

  private final DitConfig config;
  private final Parameters p;
  private final Patches patches;

  public Dit(DitConfig config, Parameters parameters) {
    this.config = config;
    this.p = parameters;
    this.patches = new Patches(p, config.patch(), config.sampleSize() / config.patch(), 1);
  }

  public DitConfig config() {
    return config;
  }

  @Override
  public Parameters parameters() {
    return p;
  }

  @Override
  public Dit with(Parameters weights) {
    return new Dit(config, weights);
  }

  @Override
  public List<Integer> heads() {
    return List.of(config.heads());
  }

  @Override
  public List<Site> sites(int rows, int columns) {
    return config.sites(rows, columns);
  }

  @Override
  public void close() {
    patches.close();
  }

  @Override
  public int channels() {
    return config.channels();
  }

  @Override
  public int rowMultiple() {
    return config.patch();
  }

  @Override
  public int blocks() {
    return config.layers();
  }

  @Override
  public int width() {
    return config.width();
  }

  @Override
  public int patch() {
    return config.patch();
  }

  @Override
  public Step step(Tensor times, Condition condition) {
    if (!(condition instanceof Condition.Labels(Tensor labels))) {
      throw new IllegalArgumentException("a DiT is conditioned on class labels");
    }
    return new DitStep(times, labels);
  }

  /// adaLN-Zero: the last modulation and projection and every gate begin at zero.
  public static Parameters untrained(DitConfig config, io.spillway.platform.Seeds seeds) {
    Parameters p = Parameters.random(config.parameters(), seeds);
    for (String name : p.tensors().keySet()) {
      if (name.contains("norm1.linear") || name.startsWith("proj_out")) {
        p.change(name, Tensor::zero_);
      }
      if (name.contains("embedding_table")) {
        p.change(
            name, t -> t.mul_(new org.bytedeco.pytorch.Scalar(0.02 * Math.sqrt(config.width()))));
      }
    }
    return p;
  }

  private final class DitStep implements Step {
    private final Tensor sinusoid;
    private final Tensor labels;

    DitStep(Tensor times, Tensor labels) {
      this.sinusoid = Ops.timeEmbedding(times, 256, 1).to(p.get("proj_out_2.weight").scalar_type());
      this.labels = labels;
    }

    /// SiLU(c) of one block, [batch, D].
    private Tensor conditioning(int block) {
      String name = "transformer_blocks." + block + ".norm1.emb.";
      Tensor t = torch.silu(Ops.linear(p, name + "timestep_embedder.linear_1", sinusoid));
      t = Ops.linear(p, name + "timestep_embedder.linear_2", t);
      Tensor c = torch.embedding(p.get(name + "class_embedder.embedding_table.weight"), labels);
      return torch.silu(t.add(c));
    }

    @Override
    public Tensor embed(Tensor x, Cooperation ranks) {
      return patches.embed(x, ranks);
    }

    @Override
    public Tensor block(int index, Tensor tokens, Cooperation ranks) {
      if (GradMode.is_enabled()) {
        return blockBody(index, tokens, ranks);
      }
      return TensorScope.compute(() -> blockBody(index, tokens, ranks));
    }

    private Tensor blockBody(int index, Tensor tokens, Cooperation ranks) {
      String name = "transformer_blocks." + index + ".";
      Tensor[] m = Ops.chunk(Ops.linear(p, name + "norm1.linear", conditioning(index)), 6, 1);
      Tensor x = tokens;
      Tensor h = Ops.modulate(Ops.layerNorm(x, null, null, EPSILON), m[0], m[1]);
      x =
          torch.addcmul(
              x,
              Transformer.selfAttention(p, name + "attn1", h, config.headWidth(), ranks),
              m[2].unsqueeze(1));
      h = Ops.modulate(Ops.layerNorm(x, null, null, EPSILON), m[3], m[4]);
      return torch.addcmul(x, Transformer.mlp(p, name + "ff", h, ranks), m[5].unsqueeze(1));
    }

    @Override
    public Tensor finish(Tensor tokens, int rows, int columns) {
      Tensor[] m = Ops.chunk(Ops.linear(p, "proj_out_1", conditioning(0)), 2, 1);
      Tensor h = Ops.modulate(Ops.layerNorm(tokens, null, null, EPSILON), m[0], m[1]);
      h = Ops.linear(p, "proj_out_2", h);
      Tensor image = Transformer.unpatch(h, rows, columns, config.patch(), config.outChannels());
      return config.outChannels() == config.channels()
          ? image
          : image.narrow(1, 0, config.channels());
    }
  }
}
