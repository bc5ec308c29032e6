package io.spillway.reservoir.crossbar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.Seeds;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// The analog product against numbers worked out by hand and against an exact circuit solution.
final class CrossbarMultiplyGoldenTest {
  private final RandomGenerator random = new Seeds(1).stream("multiply");

  private static DeviceModel exact(double gMax, double ohms, Converters converters, int tile) {
    return new DeviceModel(
        "exact",
        new Fabricated.Gaussian(10, 1),
        0,
        gMax,
        new NoiseLaw.None(),
        new NoiseLaw.None(),
        new Drift.None(),
        0,
        0,
        ohms,
        converters,
        tile,
        0);
  }

  @Test
  void multipliesExactlyWithoutConverters() {
    float[] weights = {.5f, -.25f, 1, 0};
    Crossbar c = Crossbar.program(exact(40, 0, Converters.NONE, 512), 2, 2, weights, random);
    float[] out = c.multiply(new float[] {1, -.5f}, 1 / 40.0, random);
    assertThat(out[0]).isCloseTo(0f, within(1e-6f));
    assertThat(out[1]).isCloseTo(-.25f, within(1e-6f));
  }

  @Test
  void roundsToTheStepsOfTheOutputConverter() {
    Converters adc = new Converters(0, false, 4, 7, 0); // step 2*7/14 = 1
    Crossbar c = Crossbar.program(exact(40, 0, adc, 512), 1, 2, new float[] {1, .3f}, random);
    float[] out = c.multiply(new float[] {1}, 2.6 / 40, random);
    assertThat(out).containsExactly(3, 1);
    assertThat(c.multiply(new float[] {1}, 99 / 40.0, random)[0]).isEqualTo(7);
  }

  @Test
  void convertsEachMacroByItself() {
    Converters adc = new Converters(0, false, 4, 7, 0);
    // two macros of one row: .4 and .4 round to 0 each, together they would round to 1
    Crossbar c = Crossbar.program(exact(40, 0, adc, 1), 2, 1, new float[] {.4f, .4f}, random);
    assertThat(c.multiply(new float[] {1, 1}, 1 / 40.0, random)[0]).isEqualTo(0);
  }

  @Test
  void bitSerialInputsGiveTheSameProduct() {
    Converters serial = new Converters(5, true, 0, 0, 0);
    Crossbar c = Crossbar.program(exact(40, 0, serial, 512), 2, 1, new float[] {.5f, -1}, random);
    // 4 bits of magnitude: 11/15 and -3/15
    float[] out = c.multiply(new float[] {11 / 15f, -3 / 15f}, 1 / 40.0, random);
    assertThat(out[0]).isCloseTo(.5f * 11 / 15 + 3 / 15f, within(1e-6f));
  }

  @Test
  void noiseOfAReadHasTheSumOfTheCellsVariances() {
    DeviceModel noisy = exact(40, 0, Converters.NONE, 512).withRead(new NoiseLaw.Additive(2));
    float[] weights = new float[50];
    java.util.Arrays.fill(weights, .5f);
    Crossbar c = Crossbar.program(noisy, 50, 1, weights, random);
    float[] input = new float[50];
    java.util.Arrays.fill(input, 1);
    double square = 0;
    int reads = 5000;
    for (int i = 0; i < reads; i++) {
      double off = c.multiply(input, 1, random)[0] - 50 * 20;
      square += off * off;
    }
    // the negative side of each pair is at zero and silent: 50 cells of 2 µS
    assertThat(Math.sqrt(square / reads)).isCloseTo(2 * Math.sqrt(50), within(.4));
  }

  /// A column of four cells, each node solved exactly by Kirchhoff's law, against the first-order
  /// loss that the model takes. The published circuit: driver, row wires, cell, column wires to a
  /// virtual ground at the last row.
  @Test
  void wireLossAgreesWithAnExactSolutionOfASmallArray() {
    int n = 4;
    double g = 20;
    double ohms = 5;
    Crossbar c =
        Crossbar.program(exact(40, ohms, Converters.NONE, 512), n, n, filled(n * n, .5f), random);
    float[] input = filled(n, 1);
    double[] exact = solve(n, g * 1e-6, ohms);
    float[] out = c.multiply(input, 1, random);
    double ideal = n * g;
    for (int j = 0; j < n; j++) {
      double lossExact = ideal - exact[j] * 1e6;
      double lossModel = ideal - out[j];
      assertThat(lossModel).isPositive();
      // first order leaves out that neighbours load the same wire: same size, not the same number
      assertThat(lossModel / lossExact).isBetween(.3, 1.2);
    }
  }

  private static float[] filled(int n, float value) {
    float[] out = new float[n];
    java.util.Arrays.fill(out, value);
    return out;
  }

  /// Column currents for drivers at 1 V on the left and ground at the bottom, by relaxation.
  private static double[] solve(int n, double g, double ohms) {
    double wire = 1 / ohms;
    double[][] row = new double[n][n];
    double[][] column = new double[n][n];
    for (int sweep = 0; sweep < 200_000; sweep++) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          double left = j == 0 ? 1 : row[i][j - 1];
          double sum = left * wire + column[i][j] * g;
          double weight = wire + g;
          if (j + 1 < n) {
            sum += row[i][j + 1] * wire;
            weight += wire;
          }
          row[i][j] = sum / weight;
          double down = i + 1 < n ? column[i + 1][j] : 0;
          sum = down * wire + row[i][j] * g;
          weight = wire + g;
          if (i > 0) {
            sum += column[i - 1][j] * wire;
            weight += wire;
          }
          column[i][j] = sum / weight;
        }
      }
    }
    double[] out = new double[n];
    for (int j = 0; j < n; j++) {
      out[j] = column[n - 1][j] * wire;
    }
    return out;
  }
}
