package io.spillway.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.Test;

class VectorBitsTest {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;

  private static float exp(float x) {
    return VectorBits.exp(FloatVector.broadcast(F, x)).lane(F.length() - 1);
  }

  @Test
  void exponentialsAreRightInTheRangeOfNormalNumbers() {
    for (float x = -87.3f; x < 88.7f; x += 0.0137f) {
      double right = Math.exp(x);
      assertThat((double) exp(x)).as("e^%s", x).isCloseTo(right, within(right * 0x1p-22));
    }
    assertThat(exp(0)).isEqualTo(1f);
  }

  @Test
  void exponentialsEndWhereSinglePrecisionEnds() {
    assertThat(exp(Float.NEGATIVE_INFINITY)).isZero();
    assertThat(exp(-200)).isZero();
    assertThat(exp(-95)).isCloseTo((float) Math.exp(-95), within(Float.MIN_VALUE));
    assertThat(exp(89)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(exp(Float.POSITIVE_INFINITY)).isEqualTo(Float.POSITIVE_INFINITY);
    assertThat(exp(Float.NaN)).isNaN();
  }

  /// The first calls are interpreted, the last ones compiled.
  @Test
  void resultsStayTheSameWhenTheirCodeIsCompiled() {
    Random random = new Random(3);
    float[][] rows = new float[30_000][F.length()];
    for (float[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    int again = 100;
    float[] first = results(Arrays.copyOf(rows, again));
    results(rows);
    assertThat(results(Arrays.copyOf(rows, again))).isEqualTo(first);
    double[] sums =
        IntStream.range(0, again)
            .mapToDouble(
                i -> IntStream.range(0, F.length()).mapToDouble(lane -> rows[i][lane]).sum())
            .toArray();
    for (int i = 0; i < again; i++) {
      assertThat((double) first[2 * i]).isCloseTo(sums[i], within(1e-5));
    }
  }

  /// Of each row the sum, and the sum of exponentials.
  private static float[] results(float[][] rows) {
    float[] results = new float[2 * rows.length];
    for (int i = 0; i < rows.length; i++) {
      FloatVector row = FloatVector.fromArray(F, rows[i], 0);
      results[2 * i] = VectorBits.sum(row);
      results[2 * i + 1] = VectorBits.sum(VectorBits.exp(row));
    }
    return results;
  }
}
