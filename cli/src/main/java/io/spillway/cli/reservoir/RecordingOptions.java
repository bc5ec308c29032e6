package io.spillway.cli.reservoir;

import io.spillway.reservoir.ReservoirModel;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventRecording;
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
      description = "The recording: .bin, .aedat, .aedat4, .dat or .bs1.")
  private Path file = Path.of("");

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE",
      description = "Use the liquid of this model of reservoir train.")
  private @Nullable Path model;

  /// What was named.
  ///
  /// @param model if one was given
  record Named(
      Path file, EventRecording recording, @Nullable ReservoirModel model, Liquid liquid) {}

  Named read() {
    EventRecording recording = EventFiles.read(file);
    if (model != null) {
      ReservoirModel loaded = ReservoirModel.load(model);
      return new Named(file, recording, loaded, loaded.liquid());
    }
    Liquid liquid =
        new Liquid(options.liquid(recording.sensor()), options.framing(recording.sensor()));
    return new Named(file, recording, null, liquid);
  }
}
