package io.spillway.diffusion.model;

import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Pieces that the transformers here share.
final class Transformer {
  private Transformer() {}

  /// Self-attention with its four projections. Under tensor parallelism the projections hold the
  /// weights of some heads only and the last product is summed over ranks before its bias.
  static Tensor selfAttention(
      Parameters p, String name, Tensor x, int headWidth, Cooperation ranks) {
    Tensor q = Ops.linear(p, name + ".to_q", x);
    int heads = Math.toIntExact(q.size(2)) / headWidth;
    Tensor out = ranks.selfAttention(name, q, x, new Projected(p, name), heads);
    return summed(p, name + ".to_out.0", out, ranks);
  }

  private record Projected(Parameters p, String name) implements Cooperation.Projection {
    @Override
    public Tensor keys(Tensor x) {
      return Ops.linear(p, name + ".to_k", x);
    }

    @Override
    public Tensor values(Tensor x) {
      return Ops.linear(p, name + ".to_v", x);
    }
  }

  /// Cross-attention to text; its keys and values are the same on every rank.
  ///
  /// @param mask added to the logits, [batch, 1, 1, tokens], or none
  static Tensor crossAttention(
      Parameters p,
      String name,
      Tensor x,
      Tensor text,
      @Nullable Tensor mask,
      int headWidth,
      Cooperation ranks) {
    Tensor q = Ops.linear(p, name + ".to_q", x);
    Tensor k = Ops.linear(p, name + ".to_k", text);
    Tensor v = Ops.linear(p, name + ".to_v", text);
    int heads = Math.toIntExact(q.size(2)) / headWidth;
    return summed(p, name + ".to_out.0", Ops.attention(q, k, v, heads, mask), ranks);
  }

  /// Linear, GELU (its tanh form), linear.
  static Tensor mlp(Parameters p, String name, Tensor x, Cooperation ranks) {
    Tensor h = torch.gelu(Ops.linear(p, name + ".net.0.proj", x), "tanh");
    return summed(p, name + ".net.2", h, ranks);
  }

  /// Linear to twice the width, the first half times GELU of the second, linear.
  static Tensor gatedMlp(Parameters p, String name, Tensor x, Cooperation ranks) {
    Tensor[] h = Ops.chunk(Ops.linear(p, name + ".net.0.proj", x), 2, 2);
    return summed(p, name + ".net.2", h[0].mul(torch.gelu(h[1])), ranks);
  }

  private static Tensor summed(Parameters p, String name, Tensor x, Cooperation ranks) {
    if (!ranks.splitsWeights()) {
      return Ops.linear(p, name, x);
    }
    Tensor bias = p.find(name + ".bias");
    Tensor product = ranks.sum(name, torch.linear(x, p.get(name + ".weight")));
    return bias == null ? product : product.add(bias);
  }

  /// Tokens of p x p pixels back to an image.
  ///
  /// **Shapes:** [batch, tokens, p x p x channels] -> [batch, channels, rows, columns].
  static Tensor unpatch(Tensor x, int rows, int columns, int patch, int channels) {
    long r = rows / patch;
    long c = columns / patch;
    return x.reshape(x.size(0), r, c, patch, patch, channels)
        .permute(0, 5, 1, 3, 2, 4)
        .reshape(x.size(0), channels, rows, columns);
  }
}
