package io.spillway.reservoir.protocol;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.reservoir.ReservoirTrainer;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.LiquidConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// A training of six blocks and a bit, for a process of its own that is killed.
final class LongTraining {
  static final int RECORDINGS = 400;
  static final LiquidConfig CONFIG = LiquidConfig.LOCAL_NMNIST.withNeurons(256);

  private LongTraining() {}

  public static void main(String[] args) {
    to(Path.of(args[0]), CONFIG, RECORDINGS);
  }

  /// Trains, writes the model and returns what was said of kept encodings.
  static List<String> to(Path model, LiquidConfig config, int recordings) {
    List<String> said = new ArrayList<>();
    try (KeptEncodings kept = KeptEncodings.beside(model, "test", said::add)) {
      ReservoirTrainer.train(
              drawn(recordings),
              config,
              Framing.NMNIST,
              new Engine.Sparse(),
              new Seeds(1),
              kept,
              Progress.silent())
          .model()
          .save(model);
      kept.remove();
    }
    return said;
  }

  static RecordingSet drawn(int n) {
    return RecordingSet.of(
        Path.of("drawn"),
        IntStream.range(0, n).mapToObj(Integer::toString).toList(),
        IntStream.range(0, n).mapToObj(i -> Integer.toString(i % 5)).toList(),
        i ->
            Saccades.record(
                DrawnDigits.draw(i % 5, new Seeds(i).stream("hand")),
                PixelModel.NMNIST,
                new Seeds(i).stream("camera")),
        i -> "digit " + i % 5 + " of seed " + i);
  }
}
