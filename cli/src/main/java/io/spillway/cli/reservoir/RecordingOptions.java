package io.spillway.cli.reservoir;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.ReservoirModel;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.events.Sensor;
import io.spillway.reservoir.events.SpikeFile;
import io.spillway.reservoir.liquid.Liquid;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Options that name one recording and the liquid that it meets: a model's, or one described.
final class RecordingOptions {
  @Mixin private LiquidOptions options = new LiquidOptions();

  @Parameters(
      paramLabel = "FILE",
      description =
          "The recording: .bin, .aedat, .aedat4, .dat or .bs1, or an HDF5 file with --recording.")
  private Path file = Path.of("");

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      description = "Use the liquid of this model of reservoir train.")
  private @Nullable Path model;

  @Option(
      names = "--recording",
      paramLabel = "N",
      defaultValue = "0",
      description = "Which recording of an HDF5 file, from 0; default ${DEFAULT-VALUE}.")
  private int number;

  /// What was named.
  ///
  /// @param model if one was given
  record Named(
      Path file, EventRecording recording, @Nullable ReservoirModel model, Liquid liquid) {}

  Named read() {
    EventRecording recording = read(file, number);
    if (model != null) {
      ReservoirModel loaded = ReservoirModel.load(model);
      return new Named(file, recording, loaded, loaded.liquid());
    }
    return new Named(file, recording, null, described(recording.sensor()));
  }

  /// The liquid that the options describe for a sensor.
  Liquid described(Sensor sensor) {
    return new Liquid(options.liquid(sensor), options.framing(sensor));
  }

  /// One recording of a file: the only one, or one of an HDF5 file.
  static EventRecording read(Path file, int number) {
    if (!RecordingSet.isHdf5(file)) {
      if (number != 0) {
        throw SpillwayException.badInput("--recording %d, %s holds only one", number, file);
      }
      return EventFiles.read(file);
    }
    try (SpikeFile set = SpikeFile.open(file)) {
      if (number < 0 || number >= set.size()) {
        throw SpillwayException.badInput(
            "--recording %d, %s has %d recordings from 0", number, file, set.size());
      }
      return set.read(number);
    }
  }
}
