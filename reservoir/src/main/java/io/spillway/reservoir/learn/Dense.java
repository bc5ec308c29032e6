package io.spillway.reservoir.learn;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Small operations on rows of numbers.
public final class Dense {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private Dense() {}

  /// The dot product of two ranges.
  public static float dot(float[] a, int aFrom, float[] b, int bFrom, int length) {
    FloatVector s0 = FloatVector.zero(SPECIES);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int i = 0;
    for (; i + 4 * LANES <= length; i += 4 * LANES) {
      s0 = load(a, aFrom + i).fma(load(b, bFrom + i), s0);
      s1 = load(a, aFrom + i + LANES).fma(load(b, bFrom + i + LANES), s1);
      s2 = load(a, aFrom + i + 2 * LANES).fma(load(b, bFrom + i + 2 * LANES), s2);
      s3 = load(a, aFrom + i + 3 * LANES).fma(load(b, bFrom + i + 3 * LANES), s3);
    }
    // lanes in order: reduceLanes may add them in one order interpreted and in another compiled,
    // and a spiking network trained through time makes another network of such a rounding
    float[] lanes = new float[LANES];
    s0.add(s1).add(s2.add(s3)).intoArray(lanes, 0);
    float sum = 0;
    for (float lane : lanes) {
      sum += lane;
    }
    for (; i < length; i++) {
      sum += a[aFrom + i] * b[bFrom + i];
    }
    return sum;
  }

  private static FloatVector load(float[] a, int at) {
    return FloatVector.fromArray(SPECIES, a, at);
  }

  /// `into += factor * from`, a loop that the compiler vectorises.
  public static void axpy(float factor, float[] from, float[] into) {
    for (int i = 0; i < into.length; i++) {
      into[i] += factor * from[i];
    }
  }

  /// The place of the largest number.
  public static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  /// The cross-entropy of the softmax of `scores`.
  ///
  /// @param slope takes its gradient by the scores
  static double crossEntropy(float[] scores, int label, float[] slope) {
    double largest = scores[argmax(scores)];
    double sum = 0;
    for (float s : scores) {
      sum += Math.exp(s - largest);
    }
    for (int c = 0; c < scores.length; c++) {
      slope[c] = (float) (Math.exp(scores[c] - largest) / sum) - (c == label ? 1 : 0);
    }
    return Math.log(sum) + largest - scores[label];
  }
}
