package io.spillway.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.planner.cost.Breakdown;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.cost.ComputeCost;
import io.spillway.planner.cost.StageTimes;
import io.spillway.planner.simulate.PipelineSimulator;
import io.spillway.planner.simulate.PipelineSimulator.Pipeline;
import io.spillway.planner.simulate.PipelineSimulator.Timeline;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import io.spillway.platform.hardware.Node;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// How an iteration is put together from its parts, which have tests of their own.
final class LatencyModelTest {
  private static final Calibration ROUND = new Calibration(0.5, 8, 1e-3, 1, 1, 1, "by hand");
  private static final LatencyModel MODEL = new LatencyModel(ROUND);
  private static final Accelerator A100 = Accelerators.named("A100-80");
  private static final Accelerator T4 = Accelerators.named("T4");
  private static final Job JOB =
      new Job(ModelShape.gpt("m", 1024, 8, 16, 32_000, 1024), 32, 1024, Precision.FP16, true);

  /// Nodes of two accelerators each, joined by a slow network.
  private static Cluster cluster(Accelerator... kinds) {
    List<Node> nodes = new ArrayList<>();
    for (Accelerator kind : kinds) {
      nodes.add(new Node("n" + nodes.size(), kind, 2, Link.of(5e-6, 100e9), List.of()));
    }
    return new Cluster("by hand", nodes, Network.of(Link.of(20e-6, 5e9), 1));
  }

  private static IterationTime predict(Cluster cluster, Parallel cut) {
    return MODEL.predict(JOB, cluster, cut, Placement.identity(cluster.gpus()));
  }

  private static void same(double actual, double expected) {
    assertThat(actual).isCloseTo(expected, within(1e-9 * Math.abs(expected) + 1e-15));
  }

  @Test
  void oneDeviceDoesNothingButArithmeticAndTheStep() {
    Cluster one =
        Cluster.even("one", 1, 1, A100, Link.of(5e-6, 1e9), Network.of(Link.of(1e-5, 1e9), 1));
    Parallel cut = Parallel.of(1, 1, 1, 4, 8);
    IterationTime time = predict(one, cut);
    ComputeCost cost = new ComputeCost(JOB, cut, ROUND);
    // eight micro-batches of four sequences
    double arithmetic =
        8
            * (8 * (cost.layerForward(A100) + cost.layerBackward(A100))
                + 2 * cost.embedding(A100)
                + cost.logitsForward(A100)
                + cost.logitsBackward(A100));
    double step = cost.optimizerStep(A100, StageTimes.stageParameters(JOB, cut, 0));
    Breakdown parts = time.breakdown();
    same(parts.compute(), arithmetic);
    assertThat(parts.tensorParallel()).isZero();
    same(1 + parts.bubble(), 1);
    assertThat(parts.reduce()).isZero();
    same(parts.optimizer(), step);
    same(time.seconds(), arithmetic + step);
    same(parts.total(), time.seconds());
    assertThat(time.timeline()).isEmpty();
  }

  @Test
  void theSlowestReplicaSetsThePaceAndAllReduceWhenItIsDone() {
    Cluster uneven = cluster(A100, T4);
    // given two replicas of two tensor-parallel ranks, the slow one last or first
    Parallel cut = Parallel.of(2, 1, 2, 4, 8);
    IterationTime slowLast = predict(uneven, cut);
    IterationTime slowFirst = MODEL.predict(JOB, uneven, cut, Placement.of(new int[] {2, 3, 0, 1}));
    IterationTime allSlow = predict(cluster(T4, T4), cut);
    same(slowLast.breakdown().compute(), allSlow.breakdown().compute());
    // the step is the slow replica's too, wherever it stands
    same(slowFirst.seconds(), slowLast.seconds());
    same(slowLast.breakdown().optimizer(), allSlow.breakdown().optimizer());
    assertThat(slowLast.breakdown().tensorParallel()).isPositive();
    StageTimes parts = new StageTimes(JOB, uneven, cut, Placement.identity(4), ROUND);
    same(slowLast.breakdown().reduce(), parts.reductions()[0]);
    same(
        slowLast.breakdown().tensorParallel(),
        parts.pipelines().times().get(1).microBatches() * parts.pipelines().communication()[1][0]);
  }

  @Test
  void gradientsTravelBesideTheLastBackwardPassButForATwentieth() {
    Parallel plain = Parallel.of(1, 1, 4, 4, 8);
    // a fast network: all but a twentieth is hidden
    Cluster fast =
        Cluster.even("fast", 2, 2, A100, Link.of(5e-6, 300e9), Network.of(Link.of(1e-6, 300e9), 1));
    double whole = predict(fast, plain).breakdown().reduce();
    same(predict(fast, plain.withOverlap(true)).breakdown().reduce(), 0.05 * whole);
    // a slow one: what nine tenths of the last pass do not cover is left
    Cluster slow = cluster(A100, A100);
    StageTimes parts = new StageTimes(JOB, slow, plain, Placement.identity(4), ROUND);
    double last = PipelineSimulator.run(parts.pipelines().times().getFirst()).lastBackward()[0];
    double all = predict(slow, plain).breakdown().reduce();
    assertThat(all).isGreaterThan(last);
    same(predict(slow, plain.withOverlap(true)).breakdown().reduce(), all - 0.9 * last);
  }

  @Test
  void everyPartOfAPipelineIsAccountedFor() {
    Cluster uneven = cluster(A100, T4, A100, T4);
    Placement crossed = Placement.of(new int[] {0, 4, 2, 6, 5, 1, 7, 3});
    for (Placement placement : List.of(Placement.identity(8), crossed)) {
      for (Parallel cut :
          List.of(
              Parallel.of(1, 2, 4, 2, 8),
              Parallel.of(1, 4, 2, 2, 8).withOverlap(true),
              Parallel.of(2, 2, 2, 4, 8).withRecompute(Recompute.FULL),
              Parallel.of(1, 2, 4, 2, 8).withLayers(List.of(6, 2)).withOverlap(true),
              // the last stage ends first and then reduces longest
              Parallel.of(1, 2, 4, 2, 8).withLayers(List.of(1, 7)),
              new Parallel(
                  1, 2, 4, 1, 1, 2, 1, false, Recompute.NONE, true, true, List.of(1, 3, 2, 2)))) {
        check(uneven, placement, cut);
      }
    }
  }

  /// The stage whose slowest replica and reduction end last, found by looking at all of them.
  private static void check(Cluster cluster, Placement placement, Parallel cut) {
    StageTimes parts = new StageTimes(JOB, cluster, cut, placement, ROUND);
    StageTimes.Pipelines pipelines = parts.pipelines();
    List<Timeline> played = pipelines.times().stream().map(PipelineSimulator::run).toList();
    record End(int stage, int replica, double finish, double left) {}
    List<End> ends = new ArrayList<>();
    for (int x = 0; x < cut.pp(); x++) {
      int stage = x;
      int slowest =
          IntStream.range(0, cut.dp())
              .boxed()
              .max(Comparator.comparingDouble(z -> played.get(z).finish()[stage]))
              .orElseThrow();
      double reduction = parts.reductions()[x];
      double hidden = cut.overlapGradReduce() ? 0.9 * played.get(slowest).lastBackward()[x] : 0;
      double left = reduction - Math.min(hidden, 0.95 * reduction);
      ends.add(new End(x, slowest, played.get(slowest).finish()[x], left));
    }
    End last =
        ends.stream().max(Comparator.comparingDouble(e -> e.finish() + e.left())).orElseThrow();
    Pipeline line = pipelines.times().get(last.replica());
    double busy = 0;
    for (int at = last.stage(); at < line.forward().length; at += cut.pp()) {
      for (int m = 0; m < line.microBatches(); m++) {
        busy += line.forward()[at] + line.backward()[at];
      }
    }
    double within = pipelines.communication()[last.replica()][last.stage()] * cut.microBatches(JOB);

    IterationTime time = MODEL.predict(JOB, cluster, cut, placement);
    Breakdown b = time.breakdown();
    same(b.compute(), busy - within);
    same(b.tensorParallel(), within);
    same(b.bubble(), last.finish() - busy);
    assertThat(b.bubble()).isPositive();
    same(b.reduce(), last.left() + parts.tiedEmbeddings());
    same(b.optimizer(), parts.optimizerStep());
    same(
        time.seconds(),
        last.finish() + last.left() + parts.tiedEmbeddings() + parts.optimizerStep());
    same(b.total(), time.seconds());
    IterationTime explained = MODEL.explain(JOB, cluster, cut, placement);
    assertThat(explained.seconds()).isEqualTo(time.seconds());
    Timeline shown = explained.timeline().orElseThrow();
    assertThat(shown.finish()[last.stage()]).isEqualTo(last.finish());
    assertThat(shown.operations())
        .hasSize(2 * cut.pp() * cut.virtualStages() * line.microBatches());
  }

  @Test
  void aCutThatDoesNotSuitTheClusterIsRefused() {
    assertThatThrownBy(() -> predict(cluster(A100, A100), Parallel.of(1, 1, 2, 1, 8)))
        .isInstanceOf(SpillwayException.class);
    assertThat(MODEL.calibration()).isEqualTo(ROUND);
  }
}
