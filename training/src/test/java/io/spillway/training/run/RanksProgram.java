package io.spillway.training.run;

import io.spillway.platform.Progress;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.plan.Schedule;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// One rank of a tiny training run, for [RanksIT].
public final class RanksProgram {
  private RanksProgram() {}

  /// @param args folder, output, steps, whether to resume, sequences a rank, step at which rank 1
  ///   kills itself or 0
  public static void main(String[] args) throws Exception {
    TinyRun run = new TinyRun(Path.of(args[0]), true);
    TrainSettings s = TinyRun.settings(Optional.of(new Schedule.Fraction(0.5, 0.2)));
    TrainSettings mine =
        new TrainSettings(
            Integer.parseInt(args[4]),
            1,
            s.sequence(),
            s.precision(),
            s.adam(),
            s.learningRate(),
            s.clip(),
            s.subgroupSize(),
            s.schedule(),
            s.master(),
            false,
            s.scaling(),
            s.stateFolder(),
            2,
            s.seed());
    TrainJob job =
        run.job(args[1], mine, Long.parseLong(args[2]), 2, Boolean.parseBoolean(args[3]));
    long fatal = Long.parseLong(args[5]);
    Progress counting =
        (name, total) ->
            new Progress.Task() {
              private long steps;

              @Override
              public void advance(long n) {
                steps++;
                if (name.equals("training") && steps == fatal) {
                  Runtime.getRuntime().halt(9);
                }
              }

              @Override
              public void note(String text) {}

              @Override
              public void close() {}
            };
    try (Trainer trainer = new Trainer(job, counting, new AtomicBoolean())) {
      TrainReport report = trainer.run();
      if (trainer.isFirstRank()) {
        System.out.println("losses " + report.losses());
      }
    }
  }
}
