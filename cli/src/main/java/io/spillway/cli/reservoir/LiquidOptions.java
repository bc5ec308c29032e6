package io.spillway.cli.reservoir;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.ReservoirModel;
import io.spillway.reservoir.events.Sensor;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.Wiring;
import java.nio.file.Path;
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
      description = "Resistive memory by name, for example TaOx40nm, ReRamES, ReRamArrayHfO2.")
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
