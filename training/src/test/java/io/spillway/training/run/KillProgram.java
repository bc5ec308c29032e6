package io.spillway.training.run;

import io.spillway.kernels.AdamSettings;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.engine.Lanes;
import io.spillway.training.engine.SimulatedDevice;
import io.spillway.training.optimizer.OffloadedOptimizer;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;

/// A training run without a model, for [CheckpointKillIT]: it resumes from the newest checkpoint,
/// takes steps and saves each of them in the background, until it is killed or done. Each line of
/// `losses` is a step and the bits of its loss.
public final class KillProgram {
  static final int PARAMETERS = 20_000;

  private KillProgram() {}

  /// @param args folder and number of steps
  public static void main(String[] args) throws IOException {
    run(Path.of(args[0]), Long.parseLong(args[1]));
  }

  static void run(Path folder, long steps) throws IOException {
    Checkpoints checkpoints = new Checkpoints(folder, 2);
    List<Subgroup> subgroups = Subgroup.cut(0, PARAMETERS, 3000);
    try (SimulatedDevice device =
            new SimulatedDevice(DeviceSpec.parse("memory=64MiB,link=20GB/s"));
        Lanes lanes = new Lanes();
        Arena arena = Arena.ofShared();
        Ranks alone = Ranks.alone();
        CheckpointWriter writer = new CheckpointWriter(checkpoints, alone, device)) {
      MemorySegment weights = device.allocate(2L * PARAMETERS, "weights");
      MemorySegment gradients = device.allocate(2L * PARAMETERS, "gradients");
      Shard shard = CheckpointWriter.shard(arena, 0, PARAMETERS);
      Optional<Path> latest = checkpoints.latest();
      long step = 0;
      if (latest.isPresent()) {
        TrainState state = Checkpoints.read(latest.get());
        Checkpoints.readShards(latest.get(), state, shard);
        step = state.step();
      } else {
        for (int i = 0; i < PARAMETERS; i++) {
          shard.master().set(ValueLayout.JAVA_FLOAT, 4L * i, (i * 7919 % 1000) * 1e-3f - 0.5f);
        }
      }
      try (OffloadedOptimizer optimizer =
          new OffloadedOptimizer(
              device,
              weights,
              gradients,
              subgroups,
              new Schedule.Fraction(0.5, 0.2),
              OptimizerOptions.usual(AdamSettings.adamW()),
              lanes,
              x -> x)) {
        optimizer.steps(step);
        for (Subgroup g : subgroups) {
          optimizer.set(
              g,
              shard.master().asSlice(4 * g.from(), 4 * g.size()),
              shard.momentum().asSlice(4 * g.from(), 4 * g.size()),
              shard.variance().asSlice(4 * g.from(), 4 * g.size()));
        }
        for (; step < steps; step++) {
          optimizer.awaitWeights(0, PARAMETERS);
          double loss = 0;
          optimizer.beginBackward(1e-3);
          for (int i = 0; i < PARAMETERS; i++) {
            float w = Float.intBitsToFloat(weights.get(ValueLayout.JAVA_SHORT, 2L * i) << 16);
            float target = (float) Math.sin(i * 0.37 + step);
            loss += (w - target) * (w - target);
            io.spillway.kernels.Precision.BF16.set(gradients, i, w - target);
          }
          optimizer.gradientsReady(0, PARAMETERS);
          optimizer.finishBackward(1);
          Files.writeString(
              folder.resolve("losses"),
              step + " " + Long.toHexString(Double.doubleToLongBits(loss)) + "\n",
              StandardOpenOption.CREATE,
              StandardOpenOption.APPEND);
          writer.save(
              optimizer,
              weights,
              new TrainState(
                  TrainState.FORMAT, step + 1, step + 1, 0, 1, 0, 0, PARAMETERS, 1, List.of()),
              (part, copy) -> {});
        }
        writer.await();
      }
    }
  }
}
