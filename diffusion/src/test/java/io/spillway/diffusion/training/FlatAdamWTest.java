package io.spillway.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.diffusion.model.Parameters;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/// The flat optimizer against updates worked out weight by weight.
final class FlatAdamWTest {
  private static final double[] MATRIX = {0.5, -1, 2, 0.25, 3, -0.75};
  private static final double[] BIAS = {0.1, -0.2};

  private static FlatAdamW optimizer(DType type) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Map<String, Tensor> own = new LinkedHashMap<>();
      own.put("bias", Tensors.to(Tensors.of(BIAS, 2), DType.F32));
      own.put("matrix", Tensors.to(Tensors.of(MATRIX, 2, 3), DType.F32));
      return new FlatAdamW(Parameters.holding(own), Devices.cpu(), type);
    }
  }

  /// loss = sum(matrix²) + 3 sum(bias), so the gradients are 2 matrix and 3.
  private static void backward(Parameters p) {
    TensorScope.run(() -> {
      Tensor m = p.get("matrix");
      m.mul(m).sum().add(p.get("bias").sum().mul(new Scalar(3.0))).backward();
    });
  }

  @Test
  void twoUpdatesEqualTheFormulaWeightByWeight() {
    double rate = 0.1;
    double decay = 0.05;
    double clip = 2;
    double[] w = {0.5, -1, 2, 0.25, 3, -0.75, 0.1, -0.2};
    double[] m = new double[8];
    double[] v = new double[8];
    double[] average = w.clone();
    try (FlatAdamW optimizer = optimizer(DType.F32)) {
      for (int t = 1; t <= 2; t++) {
        backward(optimizer.parameters());
        TensorScope.run(() -> optimizer.update(rate, decay, clip));
        double[] g = new double[8];
        double norm = 0;
        for (int i = 0; i < 8; i++) {
          g[i] = i < 6 ? 2 * w[i] : 3;
          norm += g[i] * g[i];
        }
        double keep = t == 1 ? 0 : Math.pow(0.5, 17);
        for (int i = 0; i < 8; i++) {
          double clipped = g[i] * Math.min(1, clip / Math.sqrt(norm));
          m[i] = 0.9 * m[i] + 0.1 * clipped;
          v[i] = 0.99 * v[i] + 0.01 * clipped * clipped;
          double step = m[i] / (1 - Math.pow(0.9, t));
          double root = Math.sqrt(v[i] / (1 - Math.pow(0.99, t))) + 1e-8;
          w[i] = w[i] * (i < 6 ? 1 - rate * decay : 1) - rate * step / root;
          average[i] = keep * average[i] + (1 - keep) * w[i];
        }
      }
      float[] matrix = Tensors.floats(optimizer.parameters().get("matrix"));
      float[] bias = Tensors.floats(optimizer.parameters().get("bias"));
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        float[] averaged =
            Tensors.floats(java.util.Objects.requireNonNull(optimizer.averaged().get("matrix")));
        for (int i = 0; i < 6; i++) {
          assertThat((double) matrix[i]).isCloseTo(w[i], within(1e-5));
          assertThat((double) averaged[i]).isCloseTo(average[i], within(1e-5));
        }
      }
      assertThat((double) bias[0]).isCloseTo(w[6], within(1e-5));
      assertThat((double) bias[1]).isCloseTo(w[7], within(1e-5));
    }
  }

  @Test
  void inHalfPrecisionTheMasterKeepsWhatTheCopyRounds() {
    try (FlatAdamW optimizer = optimizer(DType.BF16)) {
      for (int i = 0; i < 50; i++) {
        backward(optimizer.parameters());
        TensorScope.run(() -> optimizer.update(1e-5, 0, 1e9));
      }
      // each update is far below bf16's grain at 2 (2^-7), yet together they are seen
      float[] master =
          Tensors.floats(java.util.Objects.requireNonNull(optimizer.state().get("master")));
      assertThat((double) master[2]).isCloseTo(2 - 50e-5, within(2e-5));
      assertThat(Tensors.dtype(optimizer.parameters().get("matrix"))).isEqualTo(DType.BF16);
      assertThat(Tensors.floats(optimizer.parameters().get("matrix"))[2]).isEqualTo(2f);
    }
  }

  @Test
  void gradientsGatherInTheFlatVectorAndAreCleared() {
    try (FlatAdamW optimizer = optimizer(DType.F32)) {
      backward(optimizer.parameters());
      TensorScope.run(() -> optimizer.update(0, 0, 1e9));
      float first = Tensors.floats(optimizer.parameters().get("matrix").grad())[0];
      assertThat(first).isZero();
      assertThat(Tensors.floats(optimizer.parameters().get("matrix"))[0]).isEqualTo(0.5f);
      float moment =
          Tensors.floats(java.util.Objects.requireNonNull(optimizer.state().get("first")))[0];
      assertThat((double) moment).isCloseTo(0.1 * 2 * 0.5, within(1e-7)); // matrices come first
    }
  }
}
