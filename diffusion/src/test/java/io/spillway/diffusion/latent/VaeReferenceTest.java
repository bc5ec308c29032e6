package io.spillway.diffusion.latent;

import static io.spillway.diffusion.Scalar.add;
import static io.spillway.diffusion.Scalar.silu;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Scalar;
import io.spillway.diffusion.model.Parameters;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/// A whole small decoder against plain loops.
final class VaeReferenceTest {
  private static final VaeConfig CONFIG = new VaeConfig(2, List.of(4, 8), 1, 2, 0.5, 0.1, true);

  private static double[][][] resnet(Scalar net, String name, double[][][] x) {
    double[][][] h =
        net.convolve(name + ".conv1", silu(net.groupNorm(name + ".norm1", x, 2, 1e-6)), 3, 1, 1);
    h = net.convolve(name + ".conv2", silu(net.groupNorm(name + ".norm2", h, 2, 1e-6)), 3, 1, 1);
    return add(
        h,
        net.has(name + ".conv_shortcut.weight")
            ? net.convolve(name + ".conv_shortcut", x, 1, 1, 0)
            : x);
  }

  private static double[][][] decode(Scalar net, double[][][] latent) {
    double[][][] h = net.convolve("post_quant_conv", latent, 1, 1, 0);
    h = resnet(net, "decoder.mid_block.resnets.0", net.convolve("decoder.conv_in", h, 3, 1, 1));
    String attention = "decoder.mid_block.attentions.0";
    double[][] tokens = Scalar.flatten(net.groupNorm(attention + ".group_norm", h, 2, 1e-6));
    h =
        add(
            h,
            Scalar.unflatten(
                net.attend(attention, tokens, tokens, 1), h[0].length, h[0][0].length));
    h = resnet(net, "decoder.mid_block.resnets.1", h);
    for (int i = 0; i < 2; i++) {
      for (int j = 0; j < 2; j++) {
        h = resnet(net, "decoder.up_blocks." + i + ".resnets." + j, h);
      }
      if (i == 0) {
        h = net.convolve("decoder.up_blocks.0.upsamplers.0.conv", Scalar.twice(h), 3, 1, 1);
      }
    }
    return net.convolve(
        "decoder.conv_out", silu(net.groupNorm("decoder.conv_norm_out", h, 2, 1e-6)), 3, 1, 1);
  }

  @Test
  void picturesEqualPlainLoops() {
    float[] latents = Scalar.normal("latents", 2 * 2 * 3 * 4);
    try (Parameters p = Scalar.weights(CONFIG.parameters(), 7);
        NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assertThat(off).isNotNull();
      assertThat(scope).isNotNull();
      double[] got =
          Tensors.doubles(new VaeDecoder(CONFIG, p).decode(Tensors.of(latents, 2, 2, 3, 4)));
      for (int b = 0; b < 2; b++) {
        float[] scaled = new float[24];
        for (int i = 0; i < 24; i++) {
          scaled[i] = latents[24 * b + i] / 0.5f + 0.1f;
        }
        double[] expected = Scalar.flat(decode(new Scalar(p), Scalar.image(scaled, 2, 3, 4)));
        assertThat(
                java.util.Arrays.copyOfRange(got, b * expected.length, (b + 1) * expected.length))
            .containsExactly(expected, Offset.offset(1e-4));
      }
    }
  }
}
