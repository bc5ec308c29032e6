package io.spillway.kernels;

/// Number by number in double precision: what [VectorTokenAttention] is checked against.
public final class ScalarTokenAttention implements TokenAttention {
  @Override
  public void attend(Heads query, Heads keys, Heads values, Heads out) {
    TokenAttention.check(query, keys, values, out);
    int heads = query.heads();
    int dim = keys.dim();
    int group = heads / keys.heads();
    for (int head = 0; head < heads; head++) {
      double[] weights = new double[keys.tokens()];
      double largest = Double.NEGATIVE_INFINITY;
      for (int token = 0; token < keys.tokens(); token++) {
        double score = 0;
        for (int i = 0; i < dim; i++) {
          score += get(query, head, 0, i) * get(keys, head / group, token, i);
        }
        weights[token] = score / Math.sqrt(dim);
        largest = Math.max(largest, weights[token]);
      }
      double sum = 0;
      for (int token = 0; token < keys.tokens(); token++) {
        weights[token] = Math.exp(weights[token] - largest);
        sum += weights[token];
      }
      for (int i = 0; i < dim; i++) {
        double value = 0;
        for (int token = 0; token < keys.tokens(); token++) {
          value += weights[token] * get(values, head / group, token, i);
        }
        out.precision().set(out.data(), out.at(head, 0) + i, (float) (value / sum));
      }
    }
  }

  private static double get(Heads a, int head, int token, int i) {
    return a.precision().get(a.data(), a.at(head, token) + i);
  }
}
