package io.spillway.diffusion.model;

import io.spillway.tensor.Tensors;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.LongArrayRef;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The few operators that the models are made of, in the words of their papers.
public final class Ops {
  private Ops() {}

  /// x W^T + b.
  ///
  /// **Shapes:** x [..., in], W [out, in], b `[out]` or none.
  public static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias) {
    return bias == null
        ? torch.linear(x, weight)
        : torch.linear(x, weight, new TensorOptional(bias));
  }

  /// The linear layer of that name.
  public static Tensor linear(Parameters p, String name, Tensor x) {
    return linear(x, p.get(name + ".weight"), p.find(name + ".bias"));
  }

  /// softmax(q k^T / sqrt(width) + bias) v, for each head.
  ///
  /// **Shapes:** q [batch, queries, heads x width], k and v [batch, keys, heads x width], bias
  /// broadcastable to [batch, heads, queries, keys] or none.
  public static Tensor attention(Tensor q, Tensor k, Tensor v, int heads, @Nullable Tensor bias) {
    if (bias == null && q.is_cuda() && q.element_size() == 2 && !GradMode.is_enabled()) {
      return merge(FastestKernel.whole(split(q, heads), split(k, heads), split(v, heads)));
    }
    TensorOptional mask = bias == null ? new TensorOptional() : new TensorOptional(bias);
    Tensor out =
        torch.scaled_dot_product_attention(
            split(q, heads),
            split(k, heads),
            split(v, heads),
            mask,
            0,
            false,
            new DoubleOptional(),
            false);
    return merge(out);
  }

  /// Attention in which a token sees itself and those before it.
  public static Tensor causalAttention(Tensor q, Tensor k, Tensor v, int heads) {
    return merge(
        torch.scaled_dot_product_attention(
            split(q, heads),
            split(k, heads),
            split(v, heads),
            new TensorOptional(),
            0,
            true,
            new DoubleOptional(),
            false));
  }

  /// [batch, tokens, heads x width] -> [batch, heads, tokens, width].
  public static Tensor split(Tensor x, int heads) {
    return x.view(x.size(0), x.size(1), heads, x.size(2) / heads).transpose(1, 2);
  }

  /// [batch, heads, tokens, width] -> [batch, tokens, heads x width].
  public static Tensor merge(Tensor x) {
    return x.transpose(1, 2).reshape(x.size(0), x.size(2), x.size(1) * x.size(3));
  }

  /// Convolution with zeros around; `rowPadding` is 0 when the rows beyond the strip are attached
  /// already.
  public static Tensor convolve(
      Tensor x,
      Tensor weight,
      @Nullable Tensor bias,
      int stride,
      int rowPadding,
      int columnPadding) {
    return torch.conv2d(
        x,
        weight,
        bias == null ? new TensorOptional() : new TensorOptional(bias),
        new long[] {stride, stride},
        new long[] {rowPadding, columnPadding},
        new long[] {1, 1},
        1);
  }

  /// Each row and column doubled.
  public static Tensor twice(Tensor x) {
    return torch.upsample_nearest2d(
        x, new long[] {2 * x.size(2), 2 * x.size(3)}, new DoubleOptional(), new DoubleOptional());
  }

  /// Group normalisation of a whole image.
  ///
  /// On a GPU it is made of moments and one multiply-add, which keep the channels innermost;
  /// libtorch's own kernel would turn the tensor around before and the next convolution back again.
  public static Tensor groupNorm(Tensor x, int groups, Tensor weight, Tensor bias, double epsilon) {
    if (x.is_cuda() && !GradMode.is_enabled()) {
      return normalise(x, moments(x, groups), null, groups, weight, bias, epsilon);
    }
    return torch.group_norm(
        x, groups, new TensorOptional(weight), new TensorOptional(bias), epsilon, false);
  }

  /// `E[x]` and `E[x²]` of each group, summed in f32 whatever the type of x.
  ///
  /// **Shapes:** [batch, channels, rows, width] -> [2, batch, groups] f32.
  public static Tensor moments(Tensor x, int groups) {
    ScalarTypeOptional single = new ScalarTypeOptional(torch.ScalarType.Float);
    long[] image = {2, 3};
    long each = x.size(1) / groups;
    Tensor means = x.mean(image, false, single);
    Tensor norms = torch.linalg_vector_norm(x, new Scalar(2.0), image, false, single);
    Tensor mean = means.view(x.size(0), groups, each).mean(2);
    Tensor square =
        norms
            .mul(norms)
            .view(x.size(0), groups, each)
            .mean(2)
            .mul(new Scalar(1.0 / (x.size(2) * x.size(3))));
    return torch.stack(new TensorVector(mean, square), 0);
  }

  /// Group normalisation from given moments.
  ///
  /// @param own moments of the own strip, to which a negative variance falls back, which moments
  ///   corrected from stale ones can have; or none
  public static Tensor normalise(
      Tensor x,
      Tensor moments,
      @Nullable Tensor own,
      int groups,
      Tensor weight,
      Tensor bias,
      double epsilon) {
    Tensor mean = moments.select(0, 0).unsqueeze(2); // [batch, groups, 1]
    Tensor variance = variance(moments);
    if (own != null) {
      variance = torch.where(variance.lt(new Scalar(0.0)), variance(own), variance);
    }
    Tensor root = variance.clamp_min(new Scalar(0.0)).add(new Scalar(epsilon)).rsqrt().unsqueeze(2);
    long batch = x.size(0);
    long each = x.size(1) / groups;
    Tensor scale = root.mul(weight.view(1, groups, each)); // f32
    Tensor shift = bias.view(1, groups, each).sub(mean.mul(scale));
    return torch.addcmul(
        shift.view(batch, x.size(1), 1, 1).to(x.scalar_type()),
        x,
        scale.view(batch, x.size(1), 1, 1).to(x.scalar_type()));
  }

  private static Tensor variance(Tensor moments) {
    Tensor mean = moments.select(0, 0);
    return torch.addcmul(moments.select(0, 1), mean, mean, new Scalar(-1.0));
  }

  /// Layer normalisation over the last axis, with or without affine parameters.
  public static Tensor layerNorm(
      Tensor x, @Nullable Tensor weight, @Nullable Tensor bias, double epsilon) {
    return torch.layer_norm(
        x,
        new long[] {x.size(-1)},
        weight == null ? new TensorOptional() : new TensorOptional(weight),
        bias == null ? new TensorOptional() : new TensorOptional(bias),
        epsilon,
        false);
  }

  /// x (1 + scale) + shift, where scale and shift are one vector a sample.
  ///
  /// **Shapes:** x [batch, tokens, D], shift and scale [batch, D] or [batch, 1, D].
  public static Tensor modulate(Tensor x, Tensor shift, Tensor scale) {
    Tensor s = scale.dim() == 2 ? scale.unsqueeze(1) : scale;
    Tensor d = shift.dim() == 2 ? shift.unsqueeze(1) : shift;
    return torch.addcmul(x.add(d), x, s);
  }

  /// The sinusoidal embedding of times that diffusers calls `Timesteps` with the cosines first.
  ///
  /// **Shapes:** t `[batch] -> [batch, width]` f32.
  ///
  /// @param shift 1 for DiT, 0 for SDXL and PixArt
  public static Tensor timeEmbedding(Tensor t, int width, int shift) {
    int half = width / 2;
    Tensor f = Tensors.to(t, io.spillway.tensor.DType.F32);
    // made on the device: a copy from the host would wait for everything queued there
    Tensor frequencies =
        torch
            .arange(new Scalar(half), f.options())
            .mul(new Scalar(-Math.log(10000) / (half - shift)))
            .exp();
    Tensor angles = f.unsqueeze(1).mul(frequencies);
    return cat(List.of(angles.cos(), angles.sin()), 1);
  }

  public static Tensor cat(List<Tensor> parts, long axis) {
    return parts.size() == 1
        ? parts.getFirst()
        : torch.cat(new TensorVector(parts.toArray(Tensor[]::new)), axis);
  }

  /// Equal parts along an axis.
  public static Tensor[] chunk(Tensor x, int count, int axis) {
    long size = x.size(axis) / count;
    Tensor[] parts = new Tensor[count];
    for (int i = 0; i < count; i++) {
      parts[i] = x.narrow(axis, i * size, size);
    }
    return parts;
  }

  public static Tensor scale(Tensor x, double factor) {
    return x.mul(new Scalar(factor));
  }

  /// a + factor b.
  public static Tensor addScaled(Tensor a, Tensor b, double factor) {
    return a.add(b, new Scalar(factor));
  }

  /// The shape as text, for messages.
  public static String shape(Tensor t) {
    return Arrays.toString(Tensors.shape(t));
  }

  static LongArrayRef sizes(long... sizes) {
    return new LongArrayRef(sizes, sizes.length);
  }
}
