package io.spillway.diffusion;

import io.spillway.diffusion.model.ParameterShape;
import io.spillway.diffusion.model.Parameters;
import io.spillway.platform.Seeds;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;

/// Layers as plain loops over doubles, for references that models are held against. Tokens are
/// [token][width], images [channel][row][column].
public record Scalar(Parameters p) {
  /// Random weights whose norms and biases differ from one and zero.
  public static Parameters weights(List<ParameterShape> shapes, long seed) {
    Parameters p = Parameters.random(shapes, new Seeds(seed));
    for (ParameterShape s : shapes) {
      RandomGenerator random = new Seeds(seed + 1).stream(s.name());
      float[] noise = new float[Math.toIntExact(s.elements())];
      for (int i = 0; i < noise.length; i++) {
        noise[i] = (float) (0.1 * random.nextGaussian());
      }
      p.change(s.name(), t -> t.add_(Tensors.of(noise, s.shape())));
    }
    return p;
  }

  /// Normal numbers as a flat array.
  public static float[] normal(String name, int count) {
    RandomGenerator random = new Seeds(21).stream(name);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /// A parameter's numbers.
  public double[] get(String name) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      Tensor t = p.find(name);
      return t == null ? new double[0] : Tensors.doubles(t);
    }
  }

  public boolean has(String name) {
    return p.find(name) != null;
  }

  public static double[][] tokens(float[] flat, int count) {
    int width = flat.length / count;
    double[][] x = new double[count][width];
    for (int i = 0; i < flat.length; i++) {
      x[i / width][i % width] = flat[i];
    }
    return x;
  }

  public static double[][][] image(float[] flat, int channels, int rows, int columns) {
    double[][][] x = new double[channels][rows][columns];
    for (int i = 0; i < flat.length; i++) {
      x[i / (rows * columns)][i / columns % rows][i % columns] = flat[i];
    }
    return x;
  }

  public double[][] linear(String name, double[][] x) {
    double[] w = get(name + ".weight");
    double[] b = get(name + ".bias");
    int in = x[0].length;
    int out = w.length / in;
    double[][] y = new double[x.length][out];
    for (int t = 0; t < x.length; t++) {
      for (int o = 0; o < out; o++) {
        double sum = b.length == 0 ? 0 : b[o];
        for (int i = 0; i < in; i++) {
          sum += w[o * in + i] * x[t][i];
        }
        y[t][o] = sum;
      }
    }
    return y;
  }

  /// The MLP of a time: linear, SiLU, linear.
  public double[][] two(String name, double[][] x) {
    return linear(name + ".linear_2", silu(linear(name + ".linear_1", x)));
  }

  public double[][][] convolve(String name, double[][][] x, int kernel, int stride, int padding) {
    double[] w = get(name + ".weight");
    double[] b = get(name + ".bias");
    int in = x.length;
    int rows = (x[0].length + 2 * padding - kernel) / stride + 1;
    int columns = (x[0][0].length + 2 * padding - kernel) / stride + 1;
    double[][][] y = new double[b.length][rows][columns];
    for (int o = 0; o < b.length; o++) {
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          double sum = b[o];
          for (int i = 0; i < in; i++) {
            for (int a = 0; a < kernel; a++) {
              for (int d = 0; d < kernel; d++) {
                int row = r * stride + a - padding;
                int column = c * stride + d - padding;
                if (row >= 0 && row < x[0].length && column >= 0 && column < x[0][0].length) {
                  sum += w[((o * in + i) * kernel + a) * kernel + d] * x[i][row][column];
                }
              }
            }
          }
          y[o][r][c] = sum;
        }
      }
    }
    return y;
  }

  public double[][][] groupNorm(String name, double[][][] x, int groups, double epsilon) {
    double[] w = get(name + ".weight");
    double[] b = get(name + ".bias");
    int each = x.length / groups;
    int pixels = x[0].length * x[0][0].length;
    double[][][] y = new double[x.length][x[0].length][x[0][0].length];
    for (int g = 0; g < groups; g++) {
      double mean = 0;
      double squares = 0;
      for (int k = g * each; k < (g + 1) * each; k++) {
        for (double[] row : x[k]) {
          for (double v : row) {
            mean += v / (each * pixels);
            squares += v * v / (each * pixels);
          }
        }
      }
      double deviation = Math.sqrt(squares - mean * mean + epsilon);
      for (int k = g * each; k < (g + 1) * each; k++) {
        for (int r = 0; r < x[k].length; r++) {
          for (int c = 0; c < x[k][r].length; c++) {
            y[k][r][c] = (x[k][r][c] - mean) / deviation * w[k] + b[k];
          }
        }
      }
    }
    return y;
  }

  /// Layer norm with the affine parameters of that name, or without any for "".
  public double[][] layerNorm(String name, double[][] x, double epsilon) {
    double[] w = get(name + ".weight");
    double[] b = get(name + ".bias");
    double[][] y = new double[x.length][x[0].length];
    for (int t = 0; t < x.length; t++) {
      double mean = 0;
      double squares = 0;
      for (double v : x[t]) {
        mean += v / x[t].length;
        squares += v * v / x[t].length;
      }
      double deviation = Math.sqrt(squares - mean * mean + epsilon);
      for (int i = 0; i < x[t].length; i++) {
        double unit = (x[t][i] - mean) / deviation;
        y[t][i] = w.length == 0 ? unit : unit * w[i] + b[i];
      }
    }
    return y;
  }

  /// Heads side by side; `mask` is added to the logits of each key.
  public static double[][] attention(
      double[][] q, double[][] k, double[][] v, int heads, double[] mask, boolean causal) {
    int width = q[0].length / heads;
    double[][] out = new double[q.length][q[0].length];
    for (int h = 0; h < heads; h++) {
      for (int t = 0; t < q.length; t++) {
        int seen = causal ? t + 1 : k.length;
        double[] weight = new double[seen];
        double sum = 0;
        for (int s = 0; s < seen; s++) {
          double dot = mask.length == 0 ? 0 : mask[s] * Math.sqrt(width);
          for (int i = h * width; i < (h + 1) * width; i++) {
            dot += q[t][i] * k[s][i];
          }
          weight[s] = Math.exp(dot / Math.sqrt(width));
          sum += weight[s];
        }
        for (int s = 0; s < seen; s++) {
          for (int i = h * width; i < (h + 1) * width; i++) {
            out[t][i] += weight[s] / sum * v[s][i];
          }
        }
      }
    }
    return out;
  }

  /// Attention of `x` over `text` with diffusers' projections.
  public double[][] attend(String name, double[][] x, double[][] text, int heads, double... mask) {
    return linear(
        name + ".to_out.0",
        attention(
            linear(name + ".to_q", x),
            linear(name + ".to_k", text),
            linear(name + ".to_v", text),
            heads,
            mask,
            false));
  }

  public static double sigmoid(double v) {
    return 1 / (1 + Math.exp(-v));
  }

  /// x times the normal distribution's integral, by the series of erf.
  public static double gelu(double x) {
    double z = x / Math.sqrt(2);
    double term = z;
    double sum = z;
    for (int n = 1; n < 200; n++) {
      term *= -z * z / n;
      sum += term / (2 * n + 1);
    }
    return x * 0.5 * (1 + 2 / Math.sqrt(Math.PI) * sum);
  }

  public static double geluTanh(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  /// Each number bent.
  public static double[][] each(double[][] x, java.util.function.DoubleUnaryOperator bend) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = java.util.Arrays.stream(x[t]).map(bend).toArray();
    }
    return y;
  }

  public static double[][] silu(double[][] x) {
    return each(x, v -> v * sigmoid(v));
  }

  public static double[][][] silu(double[][][] x) {
    return java.util.Arrays.stream(x).map(Scalar::silu).toArray(double[][][]::new);
  }

  public static double[][] add(double[][] a, double[][] b) {
    double[][] y = new double[a.length][a[0].length];
    for (int t = 0; t < a.length; t++) {
      for (int i = 0; i < a[t].length; i++) {
        y[t][i] = a[t][i] + b[t][i];
      }
    }
    return y;
  }

  public static double[][][] add(double[][][] a, double[][][] b) {
    double[][][] y = new double[a.length][][];
    for (int k = 0; k < a.length; k++) {
      y[k] = add(a[k], b[k]);
    }
    return y;
  }

  /// Channels of both.
  public static double[][][] cat(double[][][] a, double[][][] b) {
    double[][][] y = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, y, a.length, b.length);
    return y;
  }

  public static double[][][] twice(double[][][] x) {
    double[][][] y = new double[x.length][2 * x[0].length][2 * x[0][0].length];
    for (int k = 0; k < y.length; k++) {
      for (int r = 0; r < y[k].length; r++) {
        for (int c = 0; c < y[k][r].length; c++) {
          y[k][r][c] = x[k][r / 2][c / 2];
        }
      }
    }
    return y;
  }

  /// Pixels as tokens, row by row.
  public static double[][] flatten(double[][][] x) {
    int columns = x[0][0].length;
    double[][] y = new double[x[0].length * columns][x.length];
    for (int t = 0; t < y.length; t++) {
      for (int k = 0; k < x.length; k++) {
        y[t][k] = x[k][t / columns][t % columns];
      }
    }
    return y;
  }

  public static double[][][] unflatten(double[][] x, int rows, int columns) {
    double[][][] y = new double[x[0].length][rows][columns];
    for (int t = 0; t < x.length; t++) {
      for (int k = 0; k < x[0].length; k++) {
        y[k][t / columns][t % columns] = x[t][k];
      }
    }
    return y;
  }

  /// Cosines, then sines, of a number at falling frequencies.
  public static double[] sinusoid(double t, int width) {
    double[] y = new double[width];
    for (int i = 0; i < width / 2; i++) {
      double angle = t * Math.exp(-Math.log(10000) * i / (width / 2));
      y[i] = Math.cos(angle);
      y[width / 2 + i] = Math.sin(angle);
    }
    return y;
  }

  /// All numbers in order.
  public static double[] flat(double[][][] x) {
    return java.util.Arrays.stream(x)
        .flatMap(java.util.Arrays::stream)
        .flatMapToDouble(java.util.Arrays::stream)
        .toArray();
  }
}
