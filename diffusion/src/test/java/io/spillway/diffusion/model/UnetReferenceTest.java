package io.spillway.diffusion.model;

import static io.spillway.diffusion.Scalar.add;
import static io.spillway.diffusion.Scalar.cat;
import static io.spillway.diffusion.Scalar.silu;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Scalar;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/// A whole small UNet of SDXL's kind against plain loops: residual blocks, transformers with self-
/// and cross-attention, down- and upsampling, skips, time, pooled text and sizes.
final class UnetReferenceTest {
  private static final int GROUPS = 4;
  private static final UnetConfig CONFIG =
      new UnetConfig(4, List.of(8, 16), List.of(0, 2), 1, 4, 6, 6 * 256 + 5, 0, GROUPS);
  private static final int ROWS = 4;
  private static final int COLUMNS = 6;
  private final Parameters weights = Scalar.weights(CONFIG.parameters(), 3);
  private final Scalar net = new Scalar(weights);
  private double[][] time = {};
  private double[][] text = {};

  private double[][][] resnet(String name, double[][][] x) {
    double[][][] h =
        net.convolve(
            name + ".conv1", silu(net.groupNorm(name + ".norm1", x, GROUPS, 1e-5)), 3, 1, 1);
    double[] t = net.linear(name + ".time_emb_proj", silu(time))[0];
    for (int k = 0; k < h.length; k++) {
      double shift = t[k];
      h[k] = Scalar.each(h[k], v -> v + shift);
    }
    h =
        net.convolve(
            name + ".conv2", silu(net.groupNorm(name + ".norm2", h, GROUPS, 1e-5)), 3, 1, 1);
    return add(
        h,
        net.has(name + ".conv_shortcut.weight")
            ? net.convolve(name + ".conv_shortcut", x, 1, 1, 0)
            : x);
  }

  private double[][][] transformer(String name, double[][][] x) {
    if (!net.has(name + ".norm.weight")) {
      return x;
    }
    int heads = x.length / 4;
    double[][] h =
        net.linear(
            name + ".proj_in", Scalar.flatten(net.groupNorm(name + ".norm", x, GROUPS, 1e-6)));
    for (int k = 0; net.has(name + ".transformer_blocks." + k + ".norm1.weight"); k++) {
      String b = name + ".transformer_blocks." + k + ".";
      double[][] y = net.layerNorm(b + "norm1", h, 1e-5);
      h = add(h, net.attend(b + "attn1", y, y, heads));
      h = add(h, net.attend(b + "attn2", net.layerNorm(b + "norm2", h, 1e-5), text, heads));
      double[][] both = net.linear(b + "ff.net.0.proj", net.layerNorm(b + "norm3", h, 1e-5));
      double[][] inner = new double[both.length][both[0].length / 2];
      for (int t = 0; t < inner.length; t++) {
        for (int i = 0; i < inner[t].length; i++) {
          inner[t][i] = both[t][i] * Scalar.gelu(both[t][inner[t].length + i]);
        }
      }
      h = add(h, net.linear(b + "ff.net.2", inner));
    }
    return add(x, Scalar.unflatten(net.linear(name + ".proj_out", h), x[0].length, x[0][0].length));
  }

  private double[][][] forward(double[][][] x) {
    Deque<double[][][]> skips = new ArrayDeque<>();
    double[][][] h = net.convolve("conv_in", x, 3, 1, 1);
    skips.push(h);
    h = transformer("down_blocks.0.attentions.0", resnet("down_blocks.0.resnets.0", h));
    skips.push(h);
    h = net.convolve("down_blocks.0.downsamplers.0.conv", h, 3, 2, 1);
    skips.push(h);
    h = transformer("down_blocks.1.attentions.0", resnet("down_blocks.1.resnets.0", h));
    skips.push(h);
    h = resnet("mid_block.resnets.0", h);
    h = resnet("mid_block.resnets.1", transformer("mid_block.attentions.0", h));
    for (int i = 0; i < 2; i++) {
      for (int j = 0; j < 2; j++) {
        h = resnet("up_blocks." + i + ".resnets." + j, cat(h, skips.pop()));
        h = transformer("up_blocks." + i + ".attentions." + j, h);
      }
      if (i == 0) {
        h = net.convolve("up_blocks.0.upsamplers.0.conv", Scalar.twice(h), 3, 1, 1);
      }
    }
    return net.convolve("conv_out", silu(net.groupNorm("conv_norm_out", h, GROUPS, 1e-5)), 3, 1, 1);
  }

  @Test
  void thePredictionEqualsPlainLoops() {
    float[] x = Scalar.normal("x", 4 * ROWS * COLUMNS);
    float[] states = Scalar.normal("states", 3 * 6);
    float[] pooled = Scalar.normal("pooled", 5);
    float[] sizes = {32, 48, 0, 4, 32, 48};
    double[] joined = new double[5 + 6 * 256];
    for (int i = 0; i < 5; i++) {
      joined[i] = pooled[i];
    }
    for (int i = 0; i < 6; i++) {
      System.arraycopy(Scalar.sinusoid(sizes[i], 256), 0, joined, 5 + 256 * i, 256);
    }
    time =
        add(
            net.two("time_embedding", new double[][] {Scalar.sinusoid(437, 8)}),
            net.two("add_embedding", new double[][] {joined}));
    text = Scalar.tokens(states, 3);
    double[] expected = Scalar.flat(forward(Scalar.image(x, 4, ROWS, COLUMNS)));
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open();
        Unet unet = new Unet(CONFIG, weights)) {
      assertThat(off).isNotNull();
      assertThat(scope).isNotNull();
      double[] got =
          Tensors.doubles(
              unet.predict(
                  Tensors.of(x, 1, 4, ROWS, COLUMNS),
                  Tensors.of(new float[] {437}, 1),
                  new Condition.SizedText(
                      Tensors.of(states, 1, 3, 6),
                      Tensors.of(pooled, 1, 5),
                      Tensors.of(sizes, 1, 6)),
                  Alone.ALONE));
      assertThat(got).containsExactly(expected, Offset.offset(1e-4));
    }
  }
}
