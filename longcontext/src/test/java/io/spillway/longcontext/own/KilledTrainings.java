package io.spillway.longcontext.own;

import io.spillway.longcontext.TinyModel;
import io.spillway.longcontext.TrainingLength;
import io.spillway.longcontext.retain.Importance;
import io.spillway.longcontext.retain.RetainTrainer;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import java.nio.file.Path;
import java.util.Optional;

/// Small trainings in a process of their own, to be killed.
public final class KilledTrainings {
  static final String MODEL = "model";
  static final String HEADS = "heads";

  private KilledTrainings() {}

  /// @param arguments which training, and where its result goes
  public static void main(String[] arguments) {
    run(arguments[0], Path.of(arguments[1]));
  }

  static void run(String which, Path out) {
    switch (which) {
      case MODEL ->
          OwnTrainer.train(
              new Recipe(128, 2, 384, 384, TrainingLength.ofSteps(16), 1e-3, 1, 100, false, 3),
              Optional.empty(),
              Devices.cpu(),
              DType.F32,
              1,
              0,
              out,
              Progress.silent());
      case HEADS -> {
        try (TinyModel model = new TinyModel(new Seeds(1).stream("model"))) {
          RetainTrainer.train(
              model.decoder(),
              random -> new RetainTrainer.Example(random.ints(40, 0, 40).toArray(), 34),
              new RetainTrainer.Recipe(
                  TrainingLength.ofSteps(700), 1, 5e-3, 24, Importance.Label.PRODUCT, false, 1),
              out,
              Progress.silent());
        }
      }
      default -> throw new IllegalArgumentException("'" + which + "'");
    }
  }
}
