package io.spillway.diffusion.model;

import static io.spillway.diffusion.Scalar.add;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Scalar;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/// A whole small PixArt transformer against plain loops, with sizes and a masked token.
final class PixArtReferenceTest {
  private static final int D = 12;
  private static final PixArtConfig CONFIG = new PixArtConfig(2, 2, 6, 2, 3, 6, 128, 5, true);
  private static final int ROWS = 4;
  private static final int COLUMNS = 6;
  private final Parameters weights = Scalar.weights(CONFIG.parameters(), 5);
  private final Scalar net = new Scalar(weights);

  /// (x - mean) / deviation (1 + scale) + shift.
  private double[][] modulated(double[][] x, double[] shift, double[] scale) {
    double[][] y = net.layerNorm("", x, 1e-6);
    for (double[] row : y) {
      for (int i = 0; i < row.length; i++) {
        row[i] = row[i] * (1 + scale[i]) + shift[i];
      }
    }
    return y;
  }

  private static double[][] gated(double[][] x, double[] gate) {
    double[][] y = new double[x.length][x[0].length];
    for (int t = 0; t < y.length; t++) {
      for (int i = 0; i < gate.length; i++) {
        y[t][i] = x[t][i] * gate[i];
      }
    }
    return y;
  }

  /// Row `i` of a table of rows of D, plus what is given.
  private static double[] row(double[] table, int i, double[] plus, int from) {
    double[] y = new double[D];
    for (int k = 0; k < D; k++) {
      y[k] = table[i * D + k] + plus[from + k];
    }
    return y;
  }

  private double[][] embed(String name, double number) {
    return net.two("adaln_single.emb." + name, new double[][] {Scalar.sinusoid(number, 256)});
  }

  /// Tokens with their positions: columns in the first half of the width; a base of 64 rows and a
  /// scale of 2 belong to models of 128 x 128.
  private double[][] tokens(double[][][] image) {
    double[][] x = Scalar.flatten(net.convolve("pos_embed.proj", image, 2, 2, 0));
    int rows = ROWS / 2;
    int columns = COLUMNS / 2;
    for (int t = 0; t < x.length; t++) {
      double[] at = {
        t % columns / (columns / 64.0) / 2, (double) (t / columns) / (rows / 64.0) / 2
      };
      for (int half = 0; half < 2; half++) {
        for (int i = 0; i < D / 4; i++) {
          double angle = at[half] * Math.pow(10000, -i / (D / 4.0));
          x[t][half * D / 2 + i] += Math.sin(angle);
          x[t][half * D / 2 + D / 4 + i] += Math.cos(angle);
        }
      }
    }
    return x;
  }

  private double[] forward(double[][][] image, double time, double[] sizes, double[][] states) {
    double[] c = embed("timestep_embedder", time)[0];
    double[] height = embed("resolution_embedder", sizes[0])[0];
    double[] width = embed("resolution_embedder", sizes[1])[0];
    double[] ratio = embed("aspect_ratio_embedder", sizes[2])[0];
    for (int i = 0; i < D / 3; i++) {
      c[i] += height[i];
      c[D / 3 + i] += width[i];
      c[2 * D / 3 + i] += ratio[i];
    }
    double[] six = net.linear("adaln_single.linear", Scalar.silu(new double[][] {c}))[0];
    double[][] text =
        net.linear(
            "caption_projection.linear_2",
            Scalar.each(net.linear("caption_projection.linear_1", states), Scalar::geluTanh));
    double[][] x = tokens(image);
    for (int b = 0; b < 2; b++) {
      String name = "transformer_blocks." + b + ".";
      double[] table = net.get(name + "scale_shift_table");
      double[][] m = new double[6][];
      for (int i = 0; i < 6; i++) {
        m[i] = row(table, i, six, i * D);
      }
      double[][] h = modulated(x, m[0], m[1]);
      x = add(x, gated(net.attend(name + "attn1", h, h, 2), m[2]));
      x = add(x, net.attend(name + "attn2", x, text, 2, 0, 0, -10_000));
      h = net.linear(name + "ff.net.0.proj", modulated(x, m[3], m[4]));
      x = add(x, gated(net.linear(name + "ff.net.2", Scalar.each(h, Scalar::geluTanh)), m[5]));
    }
    double[] table = net.get("scale_shift_table");
    x = net.linear("proj_out", modulated(x, row(table, 0, c, 0), row(table, 1, c, 0)));
    double[] out = new double[3 * ROWS * COLUMNS]; // the other three channels are a variance
    for (int k = 0; k < 3; k++) {
      for (int r = 0; r < ROWS; r++) {
        for (int column = 0; column < COLUMNS; column++) {
          int token = r / 2 * (COLUMNS / 2) + column / 2;
          out[(k * ROWS + r) * COLUMNS + column] = x[token][(r % 2 * 2 + column % 2) * 6 + k];
        }
      }
    }
    return out;
  }

  @Test
  void thePredictionEqualsPlainLoops() {
    float[] x = Scalar.normal("x", 3 * ROWS * COLUMNS);
    float[] states = Scalar.normal("states", 3 * 5);
    double[] expected =
        forward(
            Scalar.image(x, 3, ROWS, COLUMNS),
            437,
            new double[] {64, 96, 0.75},
            Scalar.tokens(states, 3));
    try (NoGrad off = NoGrad.begin();
        TensorScope scope = TensorScope.open();
        PixArt pixArt = new PixArt(CONFIG, weights)) {
      assertThat(off).isNotNull();
      assertThat(scope).isNotNull();
      double[] got =
          Tensors.doubles(
              pixArt.predict(
                  Tensors.of(x, 1, 3, ROWS, COLUMNS),
                  Tensors.of(new float[] {437}, 1),
                  new Condition.Text(
                      Tensors.of(states, 1, 3, 5),
                      Tensors.of(new float[] {0, 0, -10_000}, 1, 1, 1, 3),
                      Tensors.of(new float[] {64, 96, 0.75f}, 1, 3)),
                  Alone.ALONE));
      assertThat(got).containsExactly(expected, Offset.offset(1e-4));
    }
  }
}
