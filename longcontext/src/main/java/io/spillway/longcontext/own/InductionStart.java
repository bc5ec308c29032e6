package io.spillway.longcontext.own;

import io.spillway.models.DecoderConfig;
import io.spillway.models.Rope;
import java.util.Map;
import java.util.random.RandomGenerator;

/// Starting weights in which two layers can copy already: the heads of the first layer look one,
/// two, three and four tokens back, and two heads of the second layer look for entries whose
/// preceding token is the present one. Training finds this circuit by itself only after very many
/// tokens; from this start it takes minutes on one core.
///
/// Every embedding shares one constant component. A query and a key that read only this component
/// have a product that depends on their distance alone, by the rotary angles: its peak can be put
/// at any distance.
///
/// **Source:** ours; the circuit is described by Olsson et al., In-context Learning and Induction
/// Heads.
final class InductionStart {
  /// Size of the constant component.
  private static final float CONSTANT = 0.3f;

  /// Fast frequencies that place the look back.
  private static final int FAST = 5;

  /// Slower frequencies carry what is compared, for distance must not turn it.
  private static final int FIRST_SLOW = 6;

  private final DecoderConfig config;
  private final Map<String, float[]> weights;
  private final RandomGenerator random;

  private InductionStart(
      DecoderConfig config, Map<String, float[]> weights, RandomGenerator random) {
    this.config = config;
    this.weights = weights;
    this.random = random;
  }

  /// Overwrites parts of random weights, row-major by name.
  static void lay(DecoderConfig config, Map<String, float[]> weights, RandomGenerator random) {
    InductionStart start = new InductionStart(config, weights, random);
    start.lookBack();
    start.findAndCopy();
  }

  private float[] of(int layer, String name) {
    return get("model.layers." + layer + ".self_attn." + name + "_proj.weight");
  }

  private float[] get(String name) {
    float[] values = weights.get(name);
    if (values == null) {
      throw new IllegalArgumentException("no weight " + name);
    }
    return values;
  }

  private void lookBack() {
    int width = config.hidden();
    int dim = config.headDim();
    int half = dim / 2;
    double[] frequencies = new Rope(config).frequencies(1);
    float[] embedding = get("model.embed_tokens.weight");
    for (int token = 0; token < config.vocabulary(); token++) {
      embedding[token * width] = CONSTANT;
    }
    float[] query = of(0, "q");
    float[] key = of(0, "k");
    scale(query, 0.1f);
    scale(key, 0.1f);
    for (int head = 0; head < config.heads(); head++) {
      int shared = head / config.groupSize();
      for (int i = 0; i < half; i++) {
        double size = i < FAST ? 1.3 : 0;
        double angle = -frequencies[i] * (head + 1);
        query[(head * dim + i) * width] = (float) (size * Math.cos(angle));
        query[(head * dim + half + i) * width] = (float) (size * Math.sin(angle));
        key[(shared * dim + i) * width] = (float) size;
        key[(shared * dim + half + i) * width] = 0;
      }
    }
  }

  private void findAndCopy() {
    int width = config.hidden();
    int dim = config.headDim();
    int joined = config.heads() * dim;
    double[][][] read = {orthonormal(dim), orthonormal(dim)};
    double[][] written = orthonormal(3 * dim);
    double[][] copied = orthonormal(dim);
    float[] value0 = of(0, "v");
    float[] output0 = of(0, "o");
    float[] query = of(1, "q");
    float[] key = of(1, "k");
    float[] value1 = of(1, "v");
    float[] output1 = of(1, "o");
    for (int i = 0; i < dim; i++) {
      float match = i % (dim / 2) >= FIRST_SLOW ? 2 : 0;
      for (int j = 0; j < width; j++) {
        for (int shared = 0; shared < 2; shared++) {
          value0[(shared * dim + i) * width + j] = (float) read[shared][i][j];
        }
        for (int head = 0; head < 3; head++) {
          // about as large as an embedding
          output0[j * joined + head * dim + i] = (float) (0.06 * written[head * dim + i][j]);
        }
        query[i * width + j] = (float) (match * read[0][i][j]);
        query[(dim + i) * width + j] = (float) (match * read[0][i][j]);
        key[i * width + j] = (float) (match * written[i][j]);
        value1[i * width + j] = (float) copied[i][j];
        output1[j * joined + i] = (float) (0.15 * copied[i][j]);
      }
    }
  }

  private static void scale(float[] values, float factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
  }

  /// Random orthonormal rows that leave the constant component out.
  private double[][] orthonormal(int rows) {
    int width = config.hidden();
    double[][] out = new double[rows][width];
    for (int i = 0; i < rows; i++) {
      for (int j = 1; j < width; j++) {
        out[i][j] = random.nextGaussian();
      }
      for (int k = 0; k < i; k++) {
        double along = 0;
        for (int j = 0; j < width; j++) {
          along += out[i][j] * out[k][j];
        }
        for (int j = 0; j < width; j++) {
          out[i][j] -= along * out[k][j];
        }
      }
      double norm = 0;
      for (double v : out[i]) {
        norm += v * v;
      }
      for (int j = 0; j < width; j++) {
        out[i][j] /= Math.sqrt(norm);
      }
    }
    return out;
  }
}
