package io.spillway.diffusion.text;

import static io.spillway.diffusion.Scalar.add;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Scalar;
import io.spillway.diffusion.model.Parameters;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Small text encoders of both kinds against plain loops.
final class ClipReferenceTest {
  private static final int[] IDS = {7, 3, 1, 8, 0, 0};

  @ParameterizedTest
  @CsvSource({"QUICK_GELU, 0", "GELU, 5"})
  void bothOutputsEqualPlainLoops(ClipConfig.Activation activation, int projection) {
    ClipConfig config = new ClipConfig(9, 8, 3, 2, 10, 6, activation, projection, 8);
    try (Parameters p = Scalar.weights(config.parameters(), 6);
        NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      assertThat(off).isNotNull();
      assertThat(scope).isNotNull();
      Scalar net = new Scalar(p);
      List<double[][]> states = states(net, config);
      double[][] last = net.layerNorm("text_model.final_layer_norm", states.getLast(), 1e-5);
      double[][] pooled = {last[3]}; // the first end token
      if (projection > 0) {
        pooled = net.linear("text_projection", pooled);
      }
      double[][] before = states.get(states.size() - 2);
      ClipEncoder.Encoded got = new ClipEncoder(config, p).encode(new int[][] {IDS});
      assertThat(Tensors.doubles(got.penultimate()))
          .containsExactly(Scalar.flat(new double[][][] {before}), Offset.offset(1e-4));
      assertThat(Tensors.doubles(got.pooled())).containsExactly(pooled[0], Offset.offset(1e-4));
    }
  }

  /// The states before the first and after every block.
  private static List<double[][]> states(Scalar net, ClipConfig config) {
    double[] table = net.get("text_model.embeddings.token_embedding.weight");
    double[] positions = net.get("text_model.embeddings.position_embedding.weight");
    double[][] x = new double[IDS.length][8];
    for (int t = 0; t < IDS.length; t++) {
      for (int i = 0; i < 8; i++) {
        x[t][i] = table[IDS[t] * 8 + i] + positions[t * 8 + i];
      }
    }
    List<double[][]> states = new ArrayList<>();
    states.add(x);
    for (int layer = 0; layer < config.layers(); layer++) {
      String name = "text_model.encoder.layers." + layer + ".";
      double[][] h = net.layerNorm(name + "layer_norm1", x, 1e-5);
      double[][] attended =
          Scalar.attention(
              net.linear(name + "self_attn.q_proj", h),
              net.linear(name + "self_attn.k_proj", h),
              net.linear(name + "self_attn.v_proj", h),
              2,
              new double[0],
              true);
      x = add(x, net.linear(name + "self_attn.out_proj", attended));
      h = net.linear(name + "mlp.fc1", net.layerNorm(name + "layer_norm2", x, 1e-5));
      h =
          Scalar.each(
              h,
              v ->
                  config.activation() == ClipConfig.Activation.GELU
                      ? Scalar.gelu(v)
                      : v * Scalar.sigmoid(1.702 * v));
      x = add(x, net.linear(name + "mlp.fc2", h));
      states.add(x);
    }
    return states;
  }
}
