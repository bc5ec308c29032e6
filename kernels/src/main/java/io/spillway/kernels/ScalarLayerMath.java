package io.spillway.kernels;

/// Number by number in double precision: what [VectorLayerMath] is checked against.
public final class ScalarLayerMath implements LayerMath {
  @Override
  public void rmsNorm(Heads in, Heads weight, double epsilon, Heads out) {
    for (int head = 0; head < in.heads(); head++) {
      for (int token = 0; token < in.tokens(); token++) {
        double squares = 0;
        for (int i = 0; i < in.dim(); i++) {
          double value = get(in, head, token, i);
          squares += value * value;
        }
        double factor = 1 / Math.sqrt(squares / in.dim() + epsilon);
        for (int i = 0; i < in.dim(); i++) {
          set(out, head, token, i, get(in, head, token, i) * factor * get(weight, 0, 0, i));
        }
      }
    }
  }

  @Override
  public void gate(Heads gate, Heads up, Heads out) {
    for (int head = 0; head < gate.heads(); head++) {
      for (int token = 0; token < gate.tokens(); token++) {
        for (int i = 0; i < gate.dim(); i++) {
          double value = get(gate, head, token, i);
          set(out, head, token, i, value / (1 + Math.exp(-value)) * get(up, head, token, i));
        }
      }
    }
  }

  @Override
  public void add(Heads a, Heads b, Heads out) {
    for (int head = 0; head < a.heads(); head++) {
      for (int token = 0; token < a.tokens(); token++) {
        for (int i = 0; i < a.dim(); i++) {
          set(out, head, token, i, get(a, head, token, i) + get(b, head, token, i));
        }
      }
    }
  }

  @Override
  public void rotate(Heads in, Heads cosines, Heads sines, Heads out) {
    int half = cosines.dim();
    for (int head = 0; head < in.heads(); head++) {
      for (int token = 0; token < in.tokens(); token++) {
        for (int i = 0; i < half; i++) {
          double a = get(in, head, token, i);
          double b = get(in, head, token, i + half);
          double cos = get(cosines, 0, token, i);
          double sin = get(sines, 0, token, i);
          set(out, head, token, i, a * cos - b * sin);
          set(out, head, token, i + half, b * cos + a * sin);
        }
        for (int i = 2 * half; i < in.dim(); i++) {
          set(out, head, token, i, get(in, head, token, i));
        }
      }
    }
  }

  private static double get(Heads a, int head, int token, int i) {
    return a.precision().get(a.data(), a.at(head, token) + i);
  }

  private static void set(Heads a, int head, int token, int i, double value) {
    a.precision().set(a.data(), a.at(head, token) + i, (float) value);
  }
}
