package io.spillway.planner.measure;

import io.spillway.planner.IterationModel;
import io.spillway.planner.IterationTime;
import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.Recompute;
import io.spillway.planner.cost.Breakdown;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.search.Answer;
import io.spillway.planner.search.Request;
import io.spillway.planner.search.Scope;
import io.spillway.planner.search.SpillwaySearch;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import java.util.Arrays;
import java.util.Optional;

/// The planner's own search for the small GPT over a measured cluster: the same space, the same
/// placement, judged by [IterationPredictor] instead of the calibrated model.
public final class MeasuredSearch {
  private final GptShape shape;
  private final int globalBatch;
  private final IterationPredictor predictor;

  public MeasuredSearch(GptShape shape, int globalBatch, IterationPredictor predictor) {
    this.shape = shape;
    this.globalBatch = globalBatch;
    this.predictor = predictor;
  }

  /// The best plans over that cluster, whose accelerators are the processes in order.
  public Answer search(Cluster cluster, int top, long seed) {
    Precision precision =
        shape.type() == io.spillway.tensor.DType.F32 ? Precision.FP32 : Precision.BF16;
    Job job =
        new Job(
            ModelShape.gpt(
                "measured",
                shape.hidden(),
                shape.layers(),
                shape.heads(),
                shape.vocabulary(),
                shape.sequence()),
            globalBatch,
            shape.sequence(),
            precision,
            true);
    IterationModel model = (j, c, cut, placement) -> time(cut(cut, placement));
    Request request =
        new Request(
            job,
            cluster,
            Calibration.builtIn(),
            MemoryModel.builtIn(),
            top,
            30,
            0.06,
            new Seeds(seed),
            new Scope(model, false, this::trainable));
    return SpillwaySearch.search(request, Progress.silent());
  }

  /// The plan as the trainer takes it.
  public Cut cut(Parallel cut, Placement placement) {
    return Cut.of(cut.tp(), cut.pp(), cut.dp(), cut.microBatch(), globalBatch)
        .on(Arrays.stream(placement.toArray()).boxed().toList())
        .withLayers(cut.chunkLayers());
  }

  private IterationTime time(Cut cut) {
    IterationPredictor.Prediction p = predictor.predict(cut);
    return new IterationTime(
        p.seconds(),
        new Breakdown(p.computing(), p.tensor(), p.waiting(), p.reduction(), 0, p.seconds()),
        Optional.empty());
  }

  /// What the trainer can do and the profile has the pieces of.
  private boolean trainable(Parallel cut) {
    return cut.cp() == 1
        && cut.ep() == 1
        && cut.virtualStages() == 1
        && !cut.sequenceParallel()
        && !cut.distributedOptimizer()
        && cut.recompute() == Recompute.NONE
        && predictor.knows(cut.tp(), cut.microBatch());
  }
}
