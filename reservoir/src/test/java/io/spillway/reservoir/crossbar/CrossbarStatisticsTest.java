package io.spillway.reservoir.crossbar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.Seeds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.random.RandomGenerator;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every preset and law has the statistics that its definition states.
final class CrossbarStatisticsTest {
  private static final int CELLS = 40_000;
  @TempDir Path folder;

  record Moments(double mean, double sigma) {
    static Moments of(int n, DoubleSupplier draw) {
      double sum = 0;
      double square = 0;
      for (int i = 0; i < n; i++) {
        double v = draw.getAsDouble();
        sum += v;
        square += v * v;
      }
      return new Moments(sum / n, Math.sqrt(Math.max(0, square / n - sum / n * (sum / n))));
    }
  }

  static List<String> presets() {
    return DevicePresets.names();
  }

  @ParameterizedTest
  @MethodSource("presets")
  void arrayHasTheDefinedMeanAndSpread(String name) {
    DeviceModel model = DevicePresets.named(name);
    Crossbar crossbar =
        Crossbar.fabricate(
            model.noiseless(), 100, 200, Crossbar.Mask.ALL, new Seeds(3).stream(name));
    int[] at = {0};
    Moments plus = Moments.of(20_000, () -> crossbar.plus(at[0] / 200, at[0]++ % 200));
    assertThat(plus.mean())
        .isCloseTo(model.fabricated().mean(), relative(model.fabricated().mean(), .04));
    assertThat(plus.sigma())
        .isCloseTo(model.fabricated().sigma(), relative(model.fabricated().sigma(), .06));
  }

  @ParameterizedTest
  @MethodSource("presets")
  void readsScatterAsTheLawSays(String name) {
    DeviceModel model = DevicePresets.named(name);
    RandomGenerator random = new Seeds(5).stream(name);
    Crossbar crossbar = Crossbar.fabricate(model, 1, 1, Crossbar.Mask.ALL, random);
    float g = crossbar.plus(0, 0);
    if (g < 3) {
      return; // a cell near zero is cut at zero, its spread is not the law's
    }
    Moments reads = Moments.of(CELLS, () -> crossbar.readPlus(random)[0]);
    assertThat(reads.mean()).isCloseTo(g, within(.02 * g));
    assertThat(reads.sigma())
        .isCloseTo(model.read().sigma(g), relative(model.read().sigma(g), .03));
  }

  @Test
  void groupsArrayHasTheMeasuredShareOfUnformedCells() {
    DeviceModel model = DevicePresets.named("TaOx40nmBimodal");
    Crossbar c =
        Crossbar.fabricate(model, 200, 200, Crossbar.Mask.ALL, new Seeds(1).stream("share"));
    int formed = 0;
    for (int i = 0; i < CELLS; i++) {
      formed += c.plus(i / 200, i % 200) > 0 ? 1 : 0;
    }
    assertThat(formed / (double) CELLS).isCloseTo(.49, within(.01));
  }

  @Test
  void wanPolynomialGivesTheFittedNoise() {
    // the published coefficients summed by hand at u = 0, .5 and 1
    assertThat(NoiseLaw.Polynomial.WAN_2022_SECOND.sigma(0)).isCloseTo(.348, within(1e-9));
    assertThat(NoiseLaw.Polynomial.WAN_2022_SECOND.sigma(20))
        .isCloseTo(.348 + 8.015 - 10.96325 + 5.674125 - 1.0509375, within(1e-9));
    assertThat(NoiseLaw.Polynomial.WAN_2022_SECOND.sigma(40)).isCloseTo(1.103, within(1e-9));
  }

  @Test
  void programmingScattersByItsLaw() {
    DeviceModel model = DevicePresets.named("ReRamWan2022NoiseModel");
    float[] weights = new float[CELLS];
    java.util.Arrays.fill(weights, .5f);
    Crossbar c = Crossbar.program(model, 200, 200, weights, new Seeds(2).stream("p"));
    int[] at = {0};
    Moments plus = Moments.of(CELLS, () -> c.plus(at[0] / 200, at[0]++ % 200));
    assertThat(plus.mean()).isCloseTo(20, within(.1));
    assertThat(plus.sigma()).isCloseTo(model.programming().sigma(20), relative(2.02, .03));
  }

  @Test
  void pulsedDevicesStepAsTheirDefinitionSays() {
    PulsedDevice device =
        new PulsedDevice(
            new PulsedDevice.Law.Constant(), .0016, .3, false, .3, 0, .01, 1, .3, -1, .3, 0);
    RandomGenerator random = new Seeds(4).stream("pulses");
    Moments steps = Moments.of(CELLS, () -> device.fabricate(random).stepUp());
    assertThat(steps.mean()).isCloseTo(.0016, relative(.0016, .01));
    assertThat(steps.sigma()).isCloseTo(.0016 * .3, relative(.0016 * .3, .05));
    Moments bounds = Moments.of(CELLS, () -> device.fabricate(random).upper());
    assertThat(bounds.mean()).isCloseTo(1, within(.01));
    assertThat(bounds.sigma()).isCloseTo(.3, within(.01));
    PulsedDevice.Cell cell = device.fabricate(random);
    double before = cell.state();
    for (int i = 0; i < 100; i++) {
      cell.pulse(true, random);
    }
    assertThat((cell.state() - before) / 100).isCloseTo(cell.stepUp(), relative(cell.stepUp(), .1));
  }

  /// The published parameters of each pulsed preset: mean step, its spread, bounds and their
  /// spread, up over down and its spread.
  static List<Object[]> pulsedDefinitions() {
    return List.of(
        new Object[] {"ReRamESPreset", .00135, .2, 1.0, .3, -1.0, .3, .259359, .05},
        new Object[] {"ReRamSBPreset", .002, .3, 1.25, .24, -.75, .4, 0.0, .01},
        new Object[] {"ReRamArrayOMPreset", .0949, .7829, 1.0, .3499, -1.0, .5695, 0.0, .01},
        new Object[] {"ReRamArrayHfO2Preset", .4622, .7125, 1.0, .4295, -1.0, .5990, 0.0, .01},
        new Object[] {"CapacitorPreset", .005, .1, 1.0, .07, -1.0, .07, 0.0, .06},
        new Object[] {"EcRamPreset", .002, .1, 1.1724, .05, -.8276, .05, 0.0, .01},
        new Object[] {"EcRamMOPreset", 2.8214e-4, .1, 1.1714, .05, -.8286, .05, 0.0, .01},
        new Object[] {"IdealizedPreset", .0002, .3, 1.0, .3, -1.0, .3, 0.0, 0.0},
        new Object[] {"GokmenVlasovPreset", .0016, .3, 1.0, .3, -1.0, .3, 0.0, .01});
  }

  @ParameterizedTest
  @MethodSource("pulsedDefinitions")
  void pulsedPresetsHaveTheirPublishedStatistics(
      String name,
      double step,
      double stepSpread,
      double max,
      double maxSpread,
      double min,
      double minSpread,
      double upDown,
      double upDownSpread) {
    if (!(DevicePresets.named(name).fabricated() instanceof Fabricated.Pulsed pulsed)) {
      throw new AssertionError(name + " is no pulsed device");
    }
    RandomGenerator random = new Seeds(9).stream(name);
    Moments up = Moments.of(CELLS, () -> pulsed.device().fabricate(random).stepUp());
    Moments upper = Moments.of(CELLS, () -> pulsed.device().fabricate(random).upper());
    Moments lower = Moments.of(CELLS, () -> pulsed.device().fabricate(random).lower());
    // a log-normal of that log-spread has a larger relative one; a step is taken by its size
    double own = stepSpread > .5 ? Math.sqrt(Math.expm1(stepSpread * stepSpread)) : stepSpread;
    double spread = Math.hypot(own, upDownSpread / (1 + upDown));
    assertThat(up.mean()).isCloseTo(step * (1 + upDown), relative(step, .03));
    assertThat(up.sigma()).isCloseTo(step * (1 + upDown) * spread, relative(step * spread, .06));
    // bounds are cut at zero, which the widest feel
    assertThat(upper.mean()).isCloseTo(max, relative(max, .02));
    assertThat(upper.sigma()).isCloseTo(max * maxSpread, relative(max * maxSpread, .05));
    assertThat(lower.mean()).isCloseTo(min, relative(min, .05));
    assertThat(lower.sigma()).isCloseTo(-min * minSpread, relative(min * minSpread, .1));
  }

  @Test
  void softBoundsSlowDownTowardsTheBound() {
    PulsedDevice.Law law = new PulsedDevice.Law.SoftBounds();
    assertThat(law.factor(0, true, -1, 1)).isEqualTo(1);
    assertThat(law.factor(.5, true, -1, 1)).isEqualTo(.5);
    assertThat(law.factor(1, true, -1, 1)).isEqualTo(0);
    assertThat(law.factor(-.25, false, -.5, 1)).isEqualTo(.5);
  }

  @Test
  void logNormalAndMeasuredMapsKeepTheirMoments() throws Exception {
    Fabricated log = new Fabricated.LogNormal(10, .5);
    RandomGenerator random = new Seeds(6).stream("log");
    Moments drawn = Moments.of(CELLS, () -> log.draw(random));
    assertThat(drawn.mean()).isCloseTo(log.mean(), relative(log.mean(), .02));
    assertThat(drawn.sigma()).isCloseTo(log.sigma(), relative(log.sigma(), .05));
    Path csv = folder.resolve("map.csv");
    Files.writeString(csv, "# µS\n0, 12.5\n13,0\n");
    Fabricated measured = new Fabricated.Measured(ConductanceMap.read(csv));
    Moments cells = Moments.of(CELLS, () -> measured.draw(random));
    assertThat(cells.mean()).isCloseTo(6.375, within(.1));
  }

  @Test
  void driftFollowsItsPowerLaw() {
    RandomGenerator random = new Seeds(8).stream("drift");
    Drift drift = new Drift.PowerLaw(.05, .01, 20);
    Moments later =
        Moments.of(CELLS, () -> Math.log(drift.after(10, 1980, 25, random) / 10) / -Math.log(100));
    assertThat(later.mean()).isCloseTo(.05, within(.001));
    assertThat(later.sigma()).isCloseTo(.01, within(.001));
  }

  @Test
  void stuckCellsAppearAsOftenAsAsked() {
    DeviceModel model = DevicePresets.named("TaOx40nm").withDefects(.1, .05, 0);
    Crossbar c =
        Crossbar.fabricate(model, 200, 200, Crossbar.Mask.ALL, new Seeds(1).stream("stuck"));
    int low = 0;
    int high = 0;
    for (int i = 0; i < CELLS; i++) {
      low += c.plus(i / 200, i % 200) == 0 ? 1 : 0;
      high += c.plus(i / 200, i % 200) == 40 ? 1 : 0;
    }
    assertThat(low / (double) CELLS).isCloseTo(.1, within(.01));
    assertThat(high / (double) CELLS).isCloseTo(.05, within(.005));
  }

  @Test
  void refusesImpossibleSettings() throws Exception {
    DeviceModel model = DevicePresets.named("TaOx40nm");
    assertThatThrownBy(() -> model.withDefects(.7, .5, 0)).hasMessageContaining("stuck");
    assertThatThrownBy(() -> model.withDefects(0, 0, -1)).hasMessageContaining("ohms");
    assertThatThrownBy(() -> new Converters(0, false, 9, 0, 0)).hasMessageContaining("range");
    assertThatThrownBy(() -> new Converters(0, true, 0, 0, 0)).hasMessageContaining("bit-serial");
    assertThatThrownBy(() -> new Fabricated.Bimodal(1.2, 10, 1)).hasMessageContaining("1.2");
    assertThatThrownBy(() -> new Fabricated.Gaussian(-3, 1)).hasMessageContaining("-3");
    assertThatThrownBy(
            () -> Crossbar.fabricate(model, 0, 5, Crossbar.Mask.ALL, new Seeds(1).stream("x")))
        .hasMessageContaining("0 x 5");
    Path csv = folder.resolve("bad.csv");
    Files.writeString(csv, "1,2\n3,x\n");
    assertThatThrownBy(() -> ConductanceMap.read(csv)).hasMessageContaining("bad.csv:row 2");
    Files.writeString(csv, "1,2\n3\n");
    assertThatThrownBy(() -> ConductanceMap.read(csv)).hasMessageContaining("1 cells");
  }

  private static Offset<Double> relative(double of, double share) {
    return within(Math.max(1e-9, Math.abs(of) * share));
  }
}
