package io.spillway.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// Figures worked by hand.
final class QualityGoldenTest {
  @Test
  void psnrOfAConstantError() {
    float[] a = new float[12];
    float[] b = new float[12];
    java.util.Arrays.fill(b, 0.02f);
    // peak 2, error 0.02: 20 log10(100) = 40 dB
    assertThat(Quality.psnr(a, b, 0, 12)).isCloseTo(40, within(1e-4));
    assertThat(Quality.psnr(a, a, 0, 12)).isEqualTo(150);
  }

  @Test
  void ssimIsOneForEqualAndLowForInverted() {
    float[] a = new float[3 * 64];
    float[] b = new float[3 * 64];
    for (int i = 0; i < a.length; i++) {
      a[i] = i % 2 == 0 ? 1 : -1;
      b[i] = -a[i];
    }
    assertThat(Quality.ssim(a, a, 0, 8)).isCloseTo(1, within(1e-9));
    assertThat(Quality.ssim(a, b, 0, 8)).isLessThan(-0.9);
  }

  @Test
  void aStepAtAStripsEdgeIsASeam() {
    float[] a = new float[3 * 64];
    for (int i = 0; i < a.length; i++) {
      int row = i % 64 / 8;
      a[i] = 0.1f * row + (row >= 4 ? 0.2f : 0);
    }
    // inside 0.1 a row, at the edge 0.3
    assertThat(Quality.seamRatio(a, 0, 8, 2)).isCloseTo(3, within(1e-4));
  }

  @Test
  void frechetOfShiftedAndScaledGaussians() {
    RandomGenerator random = new Seeds(2).stream("gauss");
    List<double[]> a = new ArrayList<>();
    List<double[]> b = new ArrayList<>();
    for (int i = 0; i < 4000; i++) {
      double x = random.nextGaussian();
      double y = random.nextGaussian();
      a.add(new double[] {x, y});
      b.add(new double[] {2 * x + 3, y});
    }
    // |m|² = 9, and (2 - 1)² of the first axis
    assertThat(Quality.frechet(a, b)).isCloseTo(10, within(0.3));
    assertThat(Quality.frechet(a, a)).isCloseTo(0, within(1e-9));
  }
}
