package io.spillway.training.run;

import io.spillway.platform.SpillwayException;
import io.spillway.training.config.TrainSettings;
import java.nio.file.Path;
import java.util.List;

/// One training run.
///
/// @param model folder or config.json
/// @param data text, JSON lines or token files
/// @param output folder of checkpoints, metrics and token cache
/// @param settings what the weights depend on
/// @param steps optimizer steps in all
/// @param device where the model is trained
/// @param hostMemory bytes of host memory for the optimizer
/// @param cpuThreads threads of the CPU update
/// @param evaluateEvery steps between evaluations, 0 for none
/// @param evaluation sequences that are held out for evaluation
/// @param saveEvery steps between checkpoints, 0 for one at the end
/// @param keep checkpoints that stay
/// @param resume whether to go on from the newest checkpoint in `output`
public record TrainJob(
    Path model,
    List<Path> data,
    Path output,
    TrainSettings settings,
    long steps,
    TrainDevice device,
    long hostMemory,
    int cpuThreads,
    long evaluateEvery,
    long evaluation,
    long saveEvery,
    int keep,
    boolean resume) {
  public TrainJob {
    data = List.copyOf(data);
    if (steps < 1 || evaluateEvery < 0 || evaluation < 0 || saveEvery < 0 || cpuThreads < 1) {
      throw SpillwayException.badInput(
          "steps %d, evaluation every %d on %d sequences, checkpoints every %d, %d CPU threads: steps"
              + " and threads must be at least 1, the others not negative",
          steps, evaluateEvery, evaluation, saveEvery, cpuThreads);
    }
    if (evaluateEvery > 0 && evaluation == 0) {
      throw SpillwayException.badInput(
          "evaluation every %d steps needs held-out sequences; set their number", evaluateEvery);
    }
  }
}
