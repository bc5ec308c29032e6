package io.spillway.diffusion.model;

import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A diffusion transformer over text: one modulation of the time for all blocks, shifted by a table
/// of each block's own; self-attention gated, then cross-attention on what is not normalised and
/// without a gate, then the gated MLP.
///
/// **Source:** Chen et al., "PixArt-alpha", section 2.3.
public final class PixArt implements StagedDenoiser {
  private static final double EPSILON = 1e-6;

  private final PixArtConfig config;
  private final Parameters p;
  private final Patches patches;

  public PixArt(PixArtConfig config, Parameters parameters) {
    this.config = config;
    this.p = parameters;
    this.patches =
        new Patches(
            p, config.patch(), config.sampleSize() / config.patch(), config.positionScale());
  }

  public PixArtConfig config() {
    return config;
  }

  @Override
  public Parameters parameters() {
    return p;
  }

  @Override
  public PixArt with(Parameters weights) {
    return new PixArt(config, weights);
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
    if (!(condition instanceof Condition.Text text)) {
      throw new IllegalArgumentException("a PixArt transformer is conditioned on text");
    }
    return new TextStep(times, text);
  }

  private final class TextStep implements Step {
    private final Tensor time; // [batch, D]
    private final Tensor modulation; // [batch, 6, D]
    private final Tensor text; // [batch, tokens, D]
    private final @Nullable Tensor mask;

    TextStep(Tensor times, Condition.Text condition) {
      Tensor t = embed("timestep_embedder", times);
      if (config.sized()) {
        Tensor sizes =
            Objects.requireNonNull(condition.sizes(), "this PixArt wants sizes").contiguous();
        long batch = sizes.size(0);
        Tensor resolution = sizes.narrow(1, 0, 2).reshape(-1); // height, width
        Tensor ratio = sizes.narrow(1, 2, 1).reshape(-1);
        t =
            t.add(
                Ops.cat(
                    List.of(
                        embed("resolution_embedder", resolution).view(batch, -1),
                        embed("aspect_ratio_embedder", ratio).view(batch, -1)),
                    1));
      }
      this.time = t;
      this.modulation =
          Ops.linear(p, "adaln_single.linear", torch.silu(t)).view(t.size(0), 6, config.width());
      Tensor h = Ops.linear(p, "caption_projection.linear_1", condition.states());
      this.text = Ops.linear(p, "caption_projection.linear_2", torch.gelu(h, "tanh"));
      this.mask = condition.mask();
    }

    /// MLP of the sinusoid of numbers.
    private Tensor embed(String name, Tensor numbers) {
      Tensor sinusoid =
          Tensors.to(Ops.timeEmbedding(numbers, 256, 0), Tensors.dtype(p.get("proj_out.weight")));
      String at = "adaln_single.emb." + name;
      return Ops.linear(p, at + ".linear_2", torch.silu(Ops.linear(p, at + ".linear_1", sinusoid)));
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
      Tensor[] m = Ops.chunk(modulation.add(p.get(name + "scale_shift_table")), 6, 1);
      Tensor x = tokens;
      Tensor h = Ops.modulate(Ops.layerNorm(x, null, null, EPSILON), m[0], m[1]);
      x =
          torch.addcmul(
              x, Transformer.selfAttention(p, name + "attn1", h, config.headWidth(), ranks), m[2]);
      x =
          x.add(
              Transformer.crossAttention(
                  p, name + "attn2", x, text, mask, config.headWidth(), ranks));
      h = Ops.modulate(Ops.layerNorm(x, null, null, EPSILON), m[3], m[4]);
      return torch.addcmul(x, Transformer.mlp(p, name + "ff", h, ranks), m[5]);
    }

    @Override
    public Tensor finish(Tensor tokens, int rows, int columns) {
      Tensor[] m = Ops.chunk(time.unsqueeze(1).add(p.get("scale_shift_table").unsqueeze(0)), 2, 1);
      Tensor h = Ops.modulate(Ops.layerNorm(tokens, null, null, EPSILON), m[0], m[1]);
      h = Ops.linear(p, "proj_out", h);
      Tensor image = Transformer.unpatch(h, rows, columns, config.patch(), config.outChannels());
      return config.outChannels() == config.channels()
          ? image
          : image.narrow(1, 0, config.channels());
    }
  }
}
