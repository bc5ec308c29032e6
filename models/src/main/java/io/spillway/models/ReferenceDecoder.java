package io.spillway.models;

import java.util.Map;

/// The decoder once more in plain Java with double sums: slow, readable, and what [Decoder] is
/// checked against.
///
/// **Source:** the published descriptions of the families; written apart from [Decoder].
public final class ReferenceDecoder {
  private final DecoderConfig config;
  private final Map<String, float[]> weights;
  private final Rope rope;

  /// @param weights row-major values by Hugging Face name
  public ReferenceDecoder(DecoderConfig config, Map<String, float[]> weights) {
    this.config = config;
    this.weights = Map.copyOf(weights);
    this.rope = new Rope(config);
  }

  private float[] weight(String name) {
    float[] weight = weights.get(name);
    if (weight == null) {
      throw new IllegalArgumentException("no weight " + name);
    }
    return weight;
  }

  /// Logits of every position: `[tokens][vocabulary]`.
  public double[][] forward(int[] ids) {
    int tokens = ids.length;
    double[][] x = new double[tokens][config.hidden()];
    float[] embedding = weight("model.embed_tokens.weight");
    for (int t = 0; t < tokens; t++) {
      for (int i = 0; i < config.hidden(); i++) {
        x[t][i] = embedding[ids[t] * config.hidden() + i];
      }
    }
    for (int layer = 0; layer < config.layers(); layer++) {
      attention("model.layers." + layer + ".", x);
      mlp("model.layers." + layer + ".", x);
    }
    float[] output =
        weight(config.tiedEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight");
    double[][] logits = new double[tokens][];
    for (int t = 0; t < tokens; t++) {
      logits[t] = multiply(output, 0, config.vocabulary(), norm(x[t], weight("model.norm.weight")));
    }
    return logits;
  }

  private void attention(String at, double[][] x) {
    int tokens = x.length;
    int dim = config.headDim();
    int qSize = config.heads() * dim;
    int kvSize = config.kvHeads() * dim;
    double[][] q = new double[tokens][];
    double[][] k = new double[tokens][];
    double[][] v = new double[tokens][];
    for (int t = 0; t < tokens; t++) {
      double[] normed = norm(x[t], weight(at + "input_layernorm.weight"));
      if (config.family() == Family.PHI3) {
        float[] fused = weight(at + "self_attn.qkv_proj.weight");
        q[t] = multiply(fused, 0, qSize, normed);
        k[t] = multiply(fused, qSize, kvSize, normed);
        v[t] = multiply(fused, qSize + kvSize, kvSize, normed);
      } else {
        q[t] = projection(at + "self_attn.q_proj", qSize, normed);
        k[t] = projection(at + "self_attn.k_proj", kvSize, normed);
        v[t] = projection(at + "self_attn.v_proj", kvSize, normed);
      }
      if (config.family() == Family.QWEN3) {
        normHeads(q[t], weight(at + "self_attn.q_norm.weight"));
        normHeads(k[t], weight(at + "self_attn.k_norm.weight"));
      }
      rotate(q[t], t, tokens);
      rotate(k[t], t, tokens);
    }
    float[] output = weight(at + "self_attn.o_proj.weight");
    double[] weightsOfKeys = new double[tokens];
    for (int t = 0; t < tokens; t++) {
      int first = config.slidingWindow() > 0 ? Math.max(0, t + 1 - config.slidingWindow()) : 0;
      double[] attended = new double[qSize];
      for (int h = 0; h < config.heads(); h++) {
        int shared = h / config.groupSize() * dim;
        double largest = Double.NEGATIVE_INFINITY;
        for (int s = first; s <= t; s++) {
          double dot = 0;
          for (int i = 0; i < dim; i++) {
            dot += q[t][h * dim + i] * k[s][shared + i];
          }
          weightsOfKeys[s] = dot / Math.sqrt(dim);
          largest = Math.max(largest, weightsOfKeys[s]);
        }
        double sum = 0;
        for (int s = first; s <= t; s++) {
          weightsOfKeys[s] = Math.exp(weightsOfKeys[s] - largest);
          sum += weightsOfKeys[s];
        }
        for (int s = first; s <= t; s++) {
          for (int i = 0; i < dim; i++) {
            attended[h * dim + i] += weightsOfKeys[s] / sum * v[s][shared + i];
          }
        }
      }
      add(x[t], multiply(output, 0, config.hidden(), attended));
    }
  }

  private double[] projection(String name, int rows, double[] x) {
    double[] y = multiply(weight(name + ".weight"), 0, rows, x);
    if (config.attentionBias()) {
      float[] bias = weight(name + ".bias");
      for (int i = 0; i < rows; i++) {
        y[i] += bias[i];
      }
    }
    return y;
  }

  private void normHeads(double[] x, float[] weight) {
    int dim = config.headDim();
    for (int from = 0; from < x.length; from += dim) {
      double[] head = norm(java.util.Arrays.copyOfRange(x, from, from + dim), weight);
      System.arraycopy(head, 0, x, from, dim);
    }
  }

  /// Component `i` and `i + rotaryDim / 2` of each head turn as a pair.
  private void rotate(double[] x, int position, int length) {
    double[] frequencies = rope.frequencies(length);
    int half = config.rotaryDim() / 2;
    for (int from = 0; from < x.length; from += config.headDim()) {
      for (int i = 0; i < half; i++) {
        double cos = rope.scale() * Math.cos(position * frequencies[i]);
        double sin = rope.scale() * Math.sin(position * frequencies[i]);
        double a = x[from + i];
        double b = x[from + half + i];
        x[from + i] = a * cos - b * sin;
        x[from + half + i] = b * cos + a * sin;
      }
    }
  }

  private void mlp(String at, double[][] x) {
    int size = config.intermediate();
    for (double[] row : x) {
      double[] normed = norm(row, weight(at + "post_attention_layernorm.weight"));
      double[] gate;
      double[] up;
      if (config.family() == Family.PHI3) {
        float[] fused = weight(at + "mlp.gate_up_proj.weight");
        gate = multiply(fused, 0, size, normed);
        up = multiply(fused, size, size, normed);
      } else {
        gate = multiply(weight(at + "mlp.gate_proj.weight"), 0, size, normed);
        up = multiply(weight(at + "mlp.up_proj.weight"), 0, size, normed);
      }
      for (int i = 0; i < size; i++) {
        gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
      }
      add(row, multiply(weight(at + "mlp.down_proj.weight"), 0, config.hidden(), gate));
    }
  }

  private double[] norm(double[] x, float[] weight) {
    double squares = 0;
    for (double v : x) {
      squares += v * v;
    }
    double factor = 1 / Math.sqrt(squares / x.length + config.normEpsilon());
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = x[i] * factor * weight[i];
    }
    return y;
  }

  /// Rows `from .. from + rows - 1` of a matrix times `x`.
  private static double[] multiply(float[] matrix, int from, int rows, double[] x) {
    double[] y = new double[rows];
    for (int r = 0; r < rows; r++) {
      double sum = 0;
      for (int c = 0; c < x.length; c++) {
        sum += matrix[(from + r) * x.length + c] * x[c];
      }
      y[r] = sum;
    }
    return y;
  }

  private static void add(double[] x, double[] y) {
    for (int i = 0; i < x.length; i++) {
      x[i] += y[i];
    }
  }
}
