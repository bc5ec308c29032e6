package io.spillway.reservoir.crossbar;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// Device models under the names that users of hardware simulators know, beside those of the 40 nm
/// array this system was first shown on.
///
/// **Source:** parameters of IBM's analog hardware kit (its presets and inference noise models;
/// fits to Gong et al. 2018, Gong, Rasch et al. 2022, Wan et al. 2022, Nandakumar et al. 2019);
/// figures of the 40 nm TaN/TaOx array from its group's earlier publication and device maps.
public final class DevicePresets {
  private static final double PULSED_G_MAX = 25;
  private static final int FORMING_PULSES = 200;
  private static final Map<String, Supplier<DeviceModel>> ALL = new LinkedHashMap<>();

  static {
    NoiseLaw none = new NoiseLaw.None();
    NoiseLaw twoPercent = new NoiseLaw.Multiplicative(.02);
    put("TaOx40nm", new Fabricated.Gaussian(14.247, 2.462), 40, none, twoPercent, new Drift.None());
    put(
        "TaOx40nmBimodal",
        new Fabricated.Bimodal(.49, 12.3, 1.8),
        40,
        none,
        twoPercent,
        new Drift.None());
    put(
        "TaOx40nmDeployment",
        new Fabricated.Gaussian(50, 10),
        80,
        new NoiseLaw.Additive(5),
        twoPercent,
        new Drift.None());
    put("LogNormal", new Fabricated.LogNormal(10, .5), 80, none, twoPercent, new Drift.None());
    pulsed(
        "ReRamESPreset",
        new PulsedDevice(
            new PulsedDevice.Law.Exponential(-1.18445, -.081404, 5, 5, -.5, -.5),
            .00135,
            .2,
            false,
            5,
            .259359,
            .05,
            1,
            .3,
            -1,
            .3,
            75));
    pulsed(
        "ReRamSBPreset",
        new PulsedDevice(
            new PulsedDevice.Law.SoftBounds(),
            .002,
            .3,
            false,
            3.75,
            0,
            .01,
            1.25,
            .3 / 1.25,
            -.75,
            .3 / .75,
            56));
    pulsed(
        "ReRamArrayOMPreset",
        new PulsedDevice(
            new PulsedDevice.Law.SoftBounds(),
            .0949,
            .7829,
            true,
            .4158,
            0,
            .01,
            1,
            .3499,
            -1,
            .5695,
            1.4113));
    pulsed(
        "ReRamArrayHfO2Preset",
        new PulsedDevice(
            new PulsedDevice.Law.SoftBounds(),
            .4622,
            .7125,
            true,
            .2174,
            0,
            .01,
            1,
            .4295,
            -1,
            .5990,
            .5841));
    pulsed(
        "CapacitorPreset",
        new PulsedDevice(
            new PulsedDevice.Law.Linear(.05, .05),
            .005,
            .1,
            false,
            .3,
            0,
            .06,
            1,
            .07,
            -1,
            .07,
            0));
    pulsed(
        "EcRamPreset",
        new PulsedDevice(
            new PulsedDevice.Law.Linear(.1153, .5085),
            .002,
            .1,
            false,
            .3,
            0,
            .01,
            1.1724,
            .05,
            -.8276,
            .05,
            0));
    pulsed(
        "EcRamMOPreset",
        new PulsedDevice(
            new PulsedDevice.Law.Linear(.4152, .7342),
            2.8214e-4,
            .1,
            false,
            2,
            0,
            .01,
            1.1714,
            .05,
            -.8286,
            .05,
            0));
    pulsed(
        "IdealizedPreset",
        new PulsedDevice(
            new PulsedDevice.Law.Constant(), .0002, .3, false, .3, 0, 0, 1, .3, -1, .3, 0));
    pulsed(
        "GokmenVlasovPreset",
        new PulsedDevice(
            new PulsedDevice.Law.Constant(), .0016, .3, false, .3, 0, .01, 1, .3, -1, .3, 0));
    // inference models: targets spread evenly by a Gaussian about half range, then the model's
    // noise
    put(
        "PCMLikeNoiseModel",
        new Fabricated.Gaussian(12.5, 4),
        25,
        new NoiseLaw.Polynomial(List.of(.26348, 1.9650, -1.1731), 25),
        new NoiseLaw.Multiplicative(.0088),
        new Drift.PhaseChange());
    put(
        "ReRamWan2022NoiseModel",
        new Fabricated.Gaussian(20, 6),
        40,
        NoiseLaw.Polynomial.WAN_2022_SECOND,
        new NoiseLaw.Additive(.4),
        new Drift.None());
    put(
        "ReRamCMONoiseModel",
        new Fabricated.Gaussian(48, 13),
        88,
        new NoiseLaw.Polynomial(List.of(.0112185391, .01129027418), 1),
        new NoiseLaw.Additive(.88),
        new Drift.Relaxation(-.08900206, .04201137, .41183342));
  }

  private DevicePresets() {}

  private static void put(
      String name, Fabricated f, double gMax, NoiseLaw programming, NoiseLaw read, Drift drift) {
    ALL.put(
        name,
        () ->
            new DeviceModel(
                name, f, 0, gMax, programming, read, drift, 0, 0, 0, Converters.NONE, 512, 0));
  }

  private static void pulsed(String name, PulsedDevice device) {
    ALL.put(
        name,
        () ->
            new DeviceModel(
                name,
                Fabricated.Pulsed.of(device, FORMING_PULSES, PULSED_G_MAX),
                0,
                PULSED_G_MAX,
                new NoiseLaw.None(),
                new NoiseLaw.Additive(.01 * PULSED_G_MAX),
                new Drift.None(),
                0,
                0,
                0,
                Converters.NONE,
                512,
                0));
  }

  public static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  /// The model of that name, or the one that a YAML or CSV file of that name describes.
  public static DeviceModel named(String name) {
    if (DeviceFile.names(name)) {
      return DeviceFile.open(name);
    }
    for (Map.Entry<String, Supplier<DeviceModel>> entry : ALL.entrySet()) {
      if (entry.getKey().equalsIgnoreCase(name)
          || entry.getKey().equalsIgnoreCase(name + "Preset")) {
        return entry.getValue().get();
      }
    }
    throw SpillwayException.badInput(
        "unknown device '%s', %s, or a file .yaml or .csv", name, Nearest.hint(name, ALL.keySet()));
  }

  /// Tells any two devices apart by their parts, whatever their names.
  public static String fingerprint(String name) {
    return DeviceFile.digest(named(name));
  }

  /// Tells the device of a file from another that lies under its name later; empty for presets.
  public static Optional<String> digest(String name) {
    return DeviceFile.names(name)
        ? Optional.of(DeviceFile.digest(DeviceFile.open(name)))
        : Optional.empty();
  }
}
