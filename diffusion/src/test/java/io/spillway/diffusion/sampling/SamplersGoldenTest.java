package io.spillway.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Steps worked by hand on one number, from the dossier's formulas.
final class SamplersGoldenTest {
  /// Two times: beta 0.5 then 0.5, so the signal shares are 1/2 and 1/4.
  private static final NoiseSchedule HALVES =
      new NoiseSchedule(2, 0.5, 0.5, false, NoiseSchedule.Spacing.LEADING, 0, true);

  private static double step(Sampler.Run run, double x, double e, int i) {
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      return Tensors.doubles(
          run.step(Tensors.of(new double[] {x}, 1), Tensors.of(new double[] {e}, 1), i))[0];
    }
  }

  @Test
  void ddim() {
    try (Sampler.Run run = new Ddim(HALVES).begin(2)) {
      assertThat(run.time(0)).isEqualTo(1);
      // x0 = (1 - sqrt(3/4) 0.2) / (1/2) = 2 - 0.4 sqrt(3)/2; x' = (x0 + 0.2) / sqrt(2)
      double clean = 2 - 0.4 * Math.sqrt(3) / 2;
      assertThat(step(run, 1, 0.2, 0)).isCloseTo((clean + 0.2) / Math.sqrt(2), within(1e-12));
      // the last step leads to the clean image: (1 - sqrt(1/2) 0.2) / sqrt(1/2)
      assertThat(step(run, 1, 0.2, 1)).isCloseTo(Math.sqrt(2) - 0.2, within(1e-12));
    }
  }

  @Test
  void eulerInSigma() {
    try (Sampler.Run run = new Euler(HALVES).begin(2)) {
      // sigma = sqrt(3) at share 1/4, 1 at share 1/2, then 0
      assertThat(run.initialDeviation()).isCloseTo(2, within(1e-12));
      assertThat(step(run, 5, 0.5, 0)).isCloseTo(5 + (1 - Math.sqrt(3)) * 0.5, within(1e-12));
      assertThat(step(run, 5, 0.5, 1)).isCloseTo(4.5, within(1e-12));
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        assertThat(Tensors.doubles(run.input(Tensors.of(new double[] {4}, 1), 0))[0])
            .isCloseTo(2, within(1e-12));
      }
    }
  }

  @Test
  void dpmSolverOfSecondOrder() {
    // four times with shares 1/2 to 1/16, of which the solver visits the upper three
    NoiseSchedule four =
        new NoiseSchedule(4, 0.5, 0.5, false, NoiseSchedule.Spacing.LEADING, 0, true);
    try (Sampler.Run run = new DpmSolver(four).begin(3)) {
      double[] a = {Math.sqrt(1 / 16.0), Math.sqrt(1 / 8.0), Math.sqrt(1 / 4.0)};
      double[] s = {Math.sqrt(15 / 16.0), Math.sqrt(7 / 8.0), Math.sqrt(3 / 4.0)};
      double m0 = (1 - s[0] * 0.3) / a[0];
      double h0 = Math.log(a[1] / s[1]) - Math.log(a[0] / s[0]);
      double x1 = s[1] / s[0] - a[1] * (Math.exp(-h0) - 1) * m0;
      assertThat(step(run, 1, 0.3, 0)).isCloseTo(x1, within(1e-9));
      double m1 = (x1 - s[1] * 0.1) / a[1];
      double h1 = Math.log(a[2] / s[2]) - Math.log(a[1] / s[1]);
      double d = m1 + (m1 - m0) / (2 * h0 / h1);
      double x2 = s[2] / s[1] * x1 - a[2] * (Math.exp(-h1) - 1) * d;
      assertThat(step(run, x1, 0.1, 1)).isCloseTo(x2, within(1e-9));
      // the last step is of first order and ends at the predicted clean image
      assertThat(step(run, x2, 0.2, 2)).isCloseTo((x2 - s[2] * 0.2) / a[2], within(1e-9));
    }
  }

  @Test
  void flowEulerWithShift() {
    try (Sampler.Run run = new FlowEuler(3).begin(2)) {
      assertThat(run.time(0)).isCloseTo(1000, within(1e-9));
      double second = 3 * 0.001 / (1 + 2 * 0.001);
      assertThat(run.time(1)).isCloseTo(1000 * second, within(1e-9));
      assertThat(step(run, 1, 0.5, 0)).isCloseTo(1 + (second - 1) * 0.5, within(1e-9));
      assertThat(step(run, 1, 0.5, 1)).isCloseTo(1 - second * 0.5, within(1e-9));
    }
  }

  @Test
  void sdxlsTimesAndNoiseAtBothEnds() {
    int[] times = NoiseSchedule.SDXL.times(50);
    assertThat(times[0]).isEqualTo(981);
    assertThat(times[49]).isEqualTo(1);
    assertThat(NoiseSchedule.SDXL.alphaProducts()[0]).isCloseTo(1 - 0.00085, within(1e-12));
  }

  @Test
  void timesAreThoseOfDiffusers() {
    // worked with numpy: linspace(0, 999, 21).round()[::-1][:-1] and so on
    NoiseSchedule linear =
        new NoiseSchedule(1000, 0.0001, 0.02, false, NoiseSchedule.Spacing.LINSPACE, 0, true);
    int[] solver = linear.solverTimes(20);
    assertThat(new int[] {solver[0], solver[1], solver[19]}).containsExactly(999, 949, 50);
    int[] sdxl = NoiseSchedule.SDXL.solverTimes(25);
    assertThat(new int[] {sdxl[0], sdxl[1], sdxl[24]}).containsExactly(951, 913, 39);
    NoiseSchedule trailing =
        new NoiseSchedule(1000, 0.0001, 0.02, false, NoiseSchedule.Spacing.TRAILING, 0, true);
    assertThat(trailing.times(4)).containsExactly(999, 749, 499, 249);
    assertThat(linear.times(4)).containsExactly(999, 666, 333, 0);
  }

  @Test
  void timesEndWhereTrainingDid() {
    // an offset does not lead beyond the last time
    assertThat(NoiseSchedule.SDXL.times(1000)).startsWith(999, 999, 998).endsWith(2, 1);
    assertThat(NoiseSchedule.SDXL.solverTimes(999)).startsWith(999, 999, 998).endsWith(2);
    NoiseSchedule linear =
        new NoiseSchedule(1000, 0.0001, 0.02, false, NoiseSchedule.Spacing.LINSPACE, 0, true);
    assertThat(linear.times(1)).containsExactly(999);
    for (int steps : new int[] {0, 1001}) {
      assertThatThrownBy(() -> linear.times(steps)).hasMessageContaining("between 1 and 1000");
    }
    for (int steps : new int[] {0, 1000}) {
      assertThatThrownBy(() -> linear.solverTimes(steps)).hasMessageContaining("between 1 and 999");
    }
  }

  @Test
  void noiseGrowsInALineOrInALineOfRoots() {
    double[] line = NoiseSchedule.DIT.alphaProducts();
    assertThat(line[0]).isCloseTo(1 - 0.0001, within(1e-15));
    assertThat(line[1]).isCloseTo((1 - 0.0001) * (1 - 0.0001 - 0.0199 / 999), within(1e-15));
    assertThat(line[999] / line[998]).isCloseTo(1 - 0.02, within(1e-12));
    double[] roots = NoiseSchedule.SDXL.alphaProducts();
    double root = Math.sqrt(0.00085) + (Math.sqrt(0.012) - Math.sqrt(0.00085)) / 999;
    assertThat(roots[1]).isCloseTo((1 - 0.00085) * (1 - root * root), within(1e-15));
    assertThat(roots[999] / roots[998]).isCloseTo(1 - 0.012, within(1e-12));
  }

  @Test
  void schedulesThatAreNoneAreRefused() {
    for (Object[] wrong :
        new Object[][] {{0, 0.1, 0.2}, {10, 0.0, 0.2}, {10, 0.1, 1.0}, {10, 0.3, 0.2}}) {
      assertThatThrownBy(() ->
              new NoiseSchedule(
                  (int) wrong[0],
                  (double) wrong[1],
                  (double) wrong[2],
                  false,
                  NoiseSchedule.Spacing.LEADING,
                  0,
                  true))
          .hasMessageContaining("0 < start <= end < 1");
    }
    NoiseSchedule one =
        new NoiseSchedule(1, 0.5, 0.5, false, NoiseSchedule.Spacing.LEADING, 0, true);
    assertThat(one.alphaProducts()).containsExactly(0.5);
    assertThatThrownBy(() -> new FlowEuler(0)).hasMessageContaining("must be positive");
    for (int steps : new int[] {0, 1001}) {
      assertThatThrownBy(() -> new FlowEuler(1).sigmas(steps))
          .hasMessageContaining("between 1 and 1000");
    }
  }

  @Test
  void flowsSigmasFallInALine() {
    double[] three = new FlowEuler(1).sigmas(3);
    assertThat(three[0]).isEqualTo(1);
    assertThat(three[1]).isCloseTo(0.5005, within(1e-12));
    assertThat(three[2]).isCloseTo(0.001, within(1e-12));
    assertThat(three[3]).isZero();
    assertThat(new FlowEuler(1).sigmas(1)).containsExactly(1, 0);
    assertThat(new FlowEuler(1).sigmas(1000)).hasSize(1001);
  }

  @Test
  void eulersSigmasOfSdxl() {
    // worked with numpy: sqrt((1 - a) / a) with a = cumprod(1 - linspace(sqrt .00085, sqrt .012)²)
    try (Sampler.Run run = new Euler(NoiseSchedule.SDXL).begin(50)) {
      assertThat(run.time(0)).isEqualTo(981);
      assertThat(run.initialDeviation()).isCloseTo(13.15846412, within(1e-6));
      assertThat(step(run, 0, 1, 0)).isCloseTo(11.67604627 - 13.12041074, within(1e-6));
      assertThat(step(run, 0, 1, 49)).isCloseTo(-0.04131441, within(1e-6));
    }
    NoiseSchedule linear =
        new NoiseSchedule(1000, 0.00085, 0.012, true, NoiseSchedule.Spacing.LINSPACE, 0, false);
    try (Sampler.Run run = new Euler(linear).begin(5)) {
      assertThat(run.time(1)).isEqualTo(749.25);
      assertThat(step(run, 0, 1, 0)).isCloseTo(4.08608804 - 14.61464123, within(1e-6));
    }
  }

  @Test
  void optionsThatWouldChangeTheStepsAreRefused(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("scheduler_config.json");
    Files.writeString(
        file, "{\"_class_name\": \"EulerDiscreteScheduler\", \"use_karras_sigmas\": true}");
    assertThatThrownBy(() -> Samplers.read(file)).hasMessageContaining("use_karras_sigmas");
    Files.writeString(
        file, "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"solver_order\": 3}");
    assertThatThrownBy(() -> Samplers.read(file)).hasMessageContaining("order 2");
  }

  @Test
  void unknownSchedulersAreNamed(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("scheduler_config.json");
    Files.writeString(file, "{\"_class_name\": \"KDPM2DiscreteScheduler\"}");
    assertThatThrownBy(() -> Samplers.read(file))
        .hasMessageContaining("KDPM2DiscreteScheduler")
        .hasMessageContaining("known:");
    assertThatThrownBy(() -> Samplers.named("ddmi", new Ddim(NoiseSchedule.DIT)))
        .hasMessageContaining("did you mean 'ddim'");
    assertThatThrownBy(() -> Samplers.named("ddim", new FlowEuler(1)))
        .hasMessageContaining("flow-euler");
  }
}
