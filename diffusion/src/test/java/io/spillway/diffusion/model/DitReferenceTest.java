package io.spillway.diffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.Seeds;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

/// A DiT block and its embeddings against a scalar twin written from the paper's formulas.
final class DitReferenceTest {
  private static final int D = 8;
  private static final DitConfig CONFIG = new DitConfig(1, 2, 4, 2, 3, 3, 4, 3);
  private final Parameters p = Parameters.random(CONFIG.parameters(), new Seeds(4));

  private double[] linear(String name, double[] x) {
    double[] w = Tensors.doubles(p.get(name + ".weight"));
    double[] b = Tensors.doubles(p.get(name + ".bias"));
    double[] y = new double[b.length];
    for (int o = 0; o < y.length; o++) {
      y[o] = b[o];
      for (int i = 0; i < x.length; i++) {
        y[o] += w[o * x.length + i] * x[i];
      }
    }
    return y;
  }

  private static double[] silu(double[] x) {
    return java.util.Arrays.stream(x).map(v -> v / (1 + Math.exp(-v))).toArray();
  }

  private static double[] modulatedNorm(double[] x, double[] m, int shift, int scale) {
    double mean = java.util.Arrays.stream(x).average().orElseThrow();
    double variance =
        java.util.Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = (x[i] - mean) / Math.sqrt(variance + 1e-6) * (1 + m[scale * D + i]) + m[shift * D + i];
    }
    return y;
  }

  /// c of the paper: time and class.
  private double[] conditioning(double time, int label) {
    double[] sinusoid = new double[256];
    for (int i = 0; i < 128; i++) {
      double angle = time * Math.exp(-Math.log(10000) * i / 127);
      sinusoid[i] = Math.cos(angle);
      sinusoid[128 + i] = Math.sin(angle);
    }
    String emb = "transformer_blocks.0.norm1.emb.";
    double[] c =
        linear(
            emb + "timestep_embedder.linear_2",
            silu(linear(emb + "timestep_embedder.linear_1", sinusoid)));
    double[] table = Tensors.doubles(p.get(emb + "class_embedder.embedding_table.weight"));
    for (int i = 0; i < D; i++) {
      c[i] += table[label * D + i];
    }
    return silu(c);
  }

  private double[][] block(double[][] x, double[] m) {
    int tokens = x.length;
    String name = "transformer_blocks.0.";
    double[][] q = new double[tokens][];
    double[][] k = new double[tokens][];
    double[][] v = new double[tokens][];
    for (int t = 0; t < tokens; t++) {
      double[] h = modulatedNorm(x[t], m, 0, 1);
      q[t] = linear(name + "attn1.to_q", h);
      k[t] = linear(name + "attn1.to_k", h);
      v[t] = linear(name + "attn1.to_v", h);
    }
    double[][] out = new double[tokens][D];
    for (int head = 0; head < 2; head++) {
      for (int t = 0; t < tokens; t++) {
        double[] weight = new double[tokens];
        double sum = 0;
        for (int s = 0; s < tokens; s++) {
          double dot = 0;
          for (int i = head * 4; i < head * 4 + 4; i++) {
            dot += q[t][i] * k[s][i];
          }
          weight[s] = Math.exp(dot / 2);
          sum += weight[s];
        }
        for (int s = 0; s < tokens; s++) {
          for (int i = head * 4; i < head * 4 + 4; i++) {
            out[t][i] += weight[s] / sum * v[s][i];
          }
        }
      }
    }
    double[][] y = new double[tokens][D];
    for (int t = 0; t < tokens; t++) {
      double[] a = linear(name + "attn1.to_out.0", out[t]);
      for (int i = 0; i < D; i++) {
        y[t][i] = x[t][i] + m[2 * D + i] * a[i];
      }
      double[] h = linear(name + "ff.net.0.proj", modulatedNorm(y[t], m, 3, 4));
      for (int i = 0; i < h.length; i++) {
        double u = Math.sqrt(2 / Math.PI) * (h[i] + 0.044715 * h[i] * h[i] * h[i]);
        h[i] = 0.5 * h[i] * (1 + Math.tanh(u));
      }
      double[] f = linear(name + "ff.net.2", h);
      for (int i = 0; i < D; i++) {
        y[t][i] += m[5 * D + i] * f[i];
      }
    }
    return y;
  }

  @Test
  void aBlockEqualsItsScalarTwin() {
    RandomGenerator random = new Seeds(9).stream("tokens");
    double[][] x = new double[4][D];
    float[] flat = new float[4 * D];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = (float) random.nextGaussian();
      x[i / D][i % D] = flat[i];
    }
    double[] m = linear("transformer_blocks.0.norm1.linear", conditioning(437, 2));
    double[][] expected = block(x, m);
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open();
        Dit dit = new Dit(CONFIG, p)) {
      assert off != null && scope != null;
      Tensor labels = Tensors.of(new long[] {2}, 1);
      float[] got =
          Tensors.floats(
              dit.step(Tensors.of(new float[] {437}, 1), new Condition.Labels(labels))
                  .block(0, Tensors.of(flat, 1, 4, D), Alone.ALONE));
      for (int i = 0; i < got.length; i++) {
        assertThat((double) got[i]).isCloseTo(expected[i / D][i % D], within(1e-4));
      }
    }
  }

  @Test
  void thePositionEmbeddingPutsColumnsFirst() {
    float[] table = PositionEmbedding.table(2, 2, 8, 2, 1);
    // token 1 is row 0, column 1: sin 1, sin 0.01, cos 1, cos 0.01, then the row's 0
    assertThat(java.util.Arrays.copyOfRange(table, 8, 16))
        .usingComparatorWithPrecision(1e-6f)
        .containsExactly(
            (float) Math.sin(1),
            (float) Math.sin(0.01),
            (float) Math.cos(1),
            (float) Math.cos(0.01),
            0f,
            0f,
            1f,
            1f);
  }
}
