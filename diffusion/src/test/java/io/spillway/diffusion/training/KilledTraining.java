package io.spillway.diffusion.training;

import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import java.nio.file.Path;

/// A small training in a process of its own, to be killed. It saves after every few steps, where a
/// long one saves every 90 s.
public final class KilledTraining {
  static final long STEPS = 60;
  private static final long BETWEEN = 3;

  private KilledTraining() {}

  /// @param arguments the folder
  public static void main(String[] arguments) {
    for (long end = BETWEEN; end <= STEPS; end += BETWEEN) {
      to(end, Path.of(arguments[0]));
    }
  }

  /// Trains to a step; one that is passed already changes nothing.
  static void to(long steps, Path folder) {
    DitConfig config = new DitConfig(1, 2, 16, 4, 3, 3, 16, 8);
    Recipe recipe = new Recipe(steps, 0, 8, 16, 3e-3, 0, 0.1, DType.F32, 3);
    try (Parameters p = Dit.untrained(config, new Seeds(3));
        Dit dit = new Dit(config, p);
        Trainer trainer = new Trainer(dit, recipe, folder, Devices.cpu(), 1)) {
      trainer.run(Progress.silent());
    }
  }
}
