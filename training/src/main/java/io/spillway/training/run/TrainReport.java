package io.spillway.training.run;

import java.util.List;

/// What a run did.
///
/// @param device which device, and whether it is simulated
/// @param schedule how the update was split
/// @param parameters of the model
/// @param step steps taken in all
/// @param losses of the steps of this process's run
/// @param evaluationLoss the last, NaN if none
/// @param tokensPerSecond over the steady steps
/// @param predictedSeconds of one step by the performance model, NaN if it was not asked
/// @param measuredSeconds of one step, median
/// @param devicePeakBytes most device memory in use
/// @param hostBytes host memory of the optimizer
/// @param skipped steps skipped for overflow
/// @param checkpoint the last checkpoint's folder
/// @param interrupted whether a signal ended it
public record TrainReport(
    String device,
    String schedule,
    long parameters,
    long step,
    List<Double> losses,
    double evaluationLoss,
    double tokensPerSecond,
    double predictedSeconds,
    double measuredSeconds,
    long devicePeakBytes,
    long hostBytes,
    int skipped,
    String checkpoint,
    boolean interrupted) {
  public TrainReport {
    losses = List.copyOf(losses);
  }
}
