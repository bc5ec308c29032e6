package io.spillway.cli.reservoir;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.ReservoirModel;
import io.spillway.reservoir.events.Sensor;
import io.spillway.reservoir.liquid.Adaptation;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.Wiring;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options that describe the liquid.
final class LiquidOptions {
  @Option(
      names = "--config",
      paramLabel = "YAML",
      description = "Liquid from a file; the options below change single values of it.")
  private @Nullable Path config;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description =
          "Liquid by name: local (the default, neurons see or hear a neighbourhood), dense,"
              + " published (200 neurons).")
  private @Nullable String preset;

  @Option(names = "--neurons", paramLabel = "N", description = "Neurons of the liquid.")
  private @Nullable Integer neurons;

  @Option(
      names = "--memory",
      paramLabel = "NAME",
      description =
          "Resistive memory: a preset (for example TaOx40nm, ReRamES, ReRamArrayHfO2; a wrong name"
              + " lists all), a YAML file of settings (docs/design/reservoir.md), or a measured array"
              + " as CSV in microsiemens.")
  private @Nullable String memory;

  @Option(names = "--noiseless", description = "Take the noiseless twin of the device.")
  private boolean noiseless;

  @Option(
      names = "--segments",
      paramLabel = "N",
      description = "Equal parts of a recording whose spikes are counted apart.")
  private @Nullable Integer segments;

  @Option(names = "--leak", paramLabel = "X", description = "Share of a membrane kept each step.")
  private @Nullable Double leak;

  @Option(
      names = "--input-scale",
      paramLabel = "X",
      description = "Factor on input weights of 6.6 µS spread.")
  private @Nullable Double inputScale;

  @Option(
      names = "--recurrent-scale",
      paramLabel = "X",
      description = "Factor on recurrent weights of 6.6 µS spread.")
  private @Nullable Double recurrentScale;

  @Option(names = "--threshold", paramLabel = "X", description = "Membrane at which neurons fire.")
  private @Nullable Double threshold;

  @Option(
      names = "--adapt",
      split = ",",
      paramLabel = "JUMP,DECAY",
      description =
          "Thresholds that rise by JUMP with each spike and fall back by the factor DECAY a step.")
  private List<Double> adapt = List.of();

  @Option(
      names = "--wiring",
      paramLabel = "NAME[:X,...]",
      description =
          "dense, local:RADIUS,REACH,DENSITY or distance:RADIUS,LENGTH,STRENGTH (the chance of a"
              + " connection falls with distance); numbers in inputs.")
  private @Nullable String wiring;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of fabrication, noise and splits; default ${DEFAULT-VALUE}.")
  long seed;

  LiquidConfig liquid(Sensor sensor) {
    LiquidConfig chosen = base(sensor);
    if (neurons != null) {
      chosen = chosen.withNeurons(neurons);
    }
    if (memory != null) {
      chosen = chosen.withDevice(memory);
    }
    if (threshold != null) {
      chosen = chosen.withThreshold(threshold);
    }
    if (!adapt.isEmpty()) {
      if (adapt.size() != 2) {
        throw SpillwayException.badInput(
            "--adapt takes two numbers, JUMP,DECAY; %d were given", adapt.size());
      }
      chosen = chosen.withAdaptation(new Adaptation.Rising(adapt.get(0), adapt.get(1)));
    }
    if (wiring != null) {
      chosen = chosen.withWiring(wiring(wiring));
    }
    if (segments != null) {
      chosen = chosen.withSegments(segments);
    }
    if (leak != null) {
      chosen = chosen.withLeak(leak);
    }
    chosen =
        chosen.withScales(
            Optional.ofNullable(inputScale).orElse(chosen.inputScale()),
            Optional.ofNullable(recurrentScale).orElse(chosen.recurrentScale()));
    return chosen.withNoise(chosen.noise() && !noiseless).withSeed(seed);
  }

  private static Wiring wiring(String text) {
    String name = text.contains(":") ? text.substring(0, text.indexOf(':')) : text;
    double[] x = numbers(text.substring(Math.min(text.length(), name.length() + 1)), text);
    int wanted = name.equals("dense") ? 0 : 3;
    if (!List.of("dense", "local", "distance").contains(name)) {
      throw SpillwayException.badInput(
          "--wiring %s, %s", text, Nearest.hint(name, List.of("dense", "local", "distance")));
    }
    if (x.length != wanted) {
      throw SpillwayException.badInput(
          "--wiring %s has %d numbers, %s takes %d", text, x.length, name, wanted);
    }
    return switch (name) {
      case "dense" -> new Wiring.Dense();
      case "local" -> new Wiring.Local(x[0], x[1], x[2]);
      default -> new Wiring.Distance(x[0], x[1], x[2]);
    };
  }

  private static double[] numbers(String list, String text) {
    try {
      return list.isEmpty()
          ? new double[0]
          : Arrays.stream(list.split(",", -1)).mapToDouble(Double::parseDouble).toArray();
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput("--wiring %s: '%s' are no numbers", text, list);
    }
  }

  private LiquidConfig base(Sensor sensor) {
    if (config != null) {
      return ReservoirModel.configuration(config);
    }
    boolean sound = sensor.height() == 1;
    String name = preset == null ? "local" : preset;
    return switch (name) {
      case "local" -> sound ? LiquidConfig.LOCAL_SOUND : LiquidConfig.LOCAL_NMNIST;
      case "dense" ->
          sound
              ? LiquidConfig.DENSE_SOUND
              : LiquidConfig.LOCAL_NMNIST
                  .withWiring(new Wiring.Dense())
                  .withScales(.03, .03)
                  .withNeurons(1000);
      case "published" -> sound ? LiquidConfig.PUBLISHED_TIDIGITS : LiquidConfig.PUBLISHED_NMNIST;
      default ->
          throw SpillwayException.badInput(
              "unknown preset '%s', known: local, dense, published", name);
    };
  }

  Framing framing(Sensor sensor) {
    return "published".equals(preset) && sensor.equals(Sensor.NMNIST)
        ? Framing.NMNIST_CENTRE
        : Framing.forSensor(sensor);
  }
}
