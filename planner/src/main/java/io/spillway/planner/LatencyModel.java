package io.spillway.planner;

import io.spillway.planner.cost.Breakdown;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.cost.StageTimes;
import io.spillway.planner.simulate.PipelineSimulator;
import io.spillway.planner.simulate.PipelineSimulator.Pipeline;
import io.spillway.planner.simulate.PipelineSimulator.Timeline;
import io.spillway.platform.hardware.Cluster;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Spillway's latency model: the real schedule of every replica's pipeline, played event by event
/// over the links that the placement gives it, then the reduction of gradients and the optimizer.
///
/// **Units:** seconds. **Errors:** a configuration that does not suit the job or the cluster.
public final class LatencyModel implements IterationModel {
  /// Share of the last backward pass beside which gradients can travel.
  private static final double OVERLAP = 0.9;

  private final Calibration calibration;

  public LatencyModel(Calibration calibration) {
    this.calibration = calibration;
  }

  public Calibration calibration() {
    return calibration;
  }

  @Override
  public IterationTime predict(Job job, Cluster cluster, Parallel cut, Placement placement) {
    return predict(job, cluster, cut, placement, false);
  }

  /// The predicted time with the timeline of the slowest pipeline.
  public IterationTime explain(Job job, Cluster cluster, Parallel cut, Placement placement) {
    return predict(job, cluster, cut, placement, true);
  }

  private IterationTime predict(
      Job job, Cluster cluster, Parallel cut, Placement placement, boolean trace) {
    cut.check(job, cluster.gpus());
    StageTimes stages = new StageTimes(job, cluster, cut, placement, calibration);
    StageTimes.Pipelines pipelines = stages.pipelines();
    double[] reductions = stages.reductions();
    // the replicas of a stage reduce together, when the last of them is done
    double[] finish = new double[cut.pp()];
    double[] lastBackward = new double[cut.pp()];
    int[] latest = new int[cut.pp()];
    Map<List<Double>, Timeline> known = new HashMap<>();
    for (int z = 0; z < cut.dp(); z++) {
      Pipeline line = pipelines.times().get(z);
      Timeline timeline = known.computeIfAbsent(key(line), k -> PipelineSimulator.run(line));
      for (int x = 0; x < cut.pp(); x++) {
        if (timeline.finish()[x] > finish[x]) {
          finish[x] = timeline.finish()[x];
          lastBackward[x] = timeline.lastBackward()[x];
          latest[x] = z;
        }
      }
    }
    int critical = 0;
    double end = -1;
    double exposed = 0;
    for (int x = 0; x < cut.pp(); x++) {
      double hidden = cut.overlapGradReduce() ? OVERLAP * lastBackward[x] : 0;
      double left = Math.max(reductions[x] * 0.05, reductions[x] - hidden);
      if (finish[x] + left > end) {
        end = finish[x] + left;
        exposed = left;
        critical = x;
      }
    }
    double tied = stages.tiedEmbeddings();
    double optimizer = stages.optimizerStep();
    double total = end + tied + optimizer;
    int z = latest[critical];
    Pipeline line = pipelines.times().get(z);
    double busy = busy(line, critical);
    double collective = line.microBatches() * pipelines.communication()[z][critical];
    Breakdown breakdown =
        new Breakdown(
            busy - collective,
            collective,
            finish[critical] - busy,
            exposed + tied,
            optimizer,
            total);
    Optional<Timeline> timeline =
        trace ? Optional.of(PipelineSimulator.trace(line)) : Optional.empty();
    return new IterationTime(total, breakdown, timeline);
  }

  private static double busy(Pipeline line, int stage) {
    double each = 0;
    for (int c = 0; c < line.chunks(); c++) {
      int at = c * line.stages() + stage;
      each += line.forward()[at] + line.backward()[at];
    }
    return each * line.microBatches();
  }

  /// Equal costs give equal timelines; replicas on equal links are played once.
  private static List<Double> key(Pipeline line) {
    var all = new java.util.ArrayList<Double>();
    for (double[] part :
        List.of(line.forward(), line.backward(), line.sendForward(), line.sendBackward())) {
      for (double value : part) {
        all.add(value);
      }
    }
    return all;
  }
}
