package io.spillway.planner.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.planner.Job;
import io.spillway.planner.LatencyModel;
import io.spillway.planner.Method;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.Planner;
import io.spillway.planner.PlannerDemonstration;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.MemoryConstants;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.memory.NoCorrection;
import io.spillway.platform.ErrorCode;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import io.spillway.platform.model.Models;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class SearchTest {
  private static final Job SMALL =
      new Job(ModelShape.gpt("small", 1024, 8, 16, 32_000, 1024), 64, 1024, Precision.BF16, true);
  private static final Cluster TWO_NODES = PlannerDemonstration.unevenCluster(2, new Seeds(1));

  @Test
  void noPlacementComesBelowTheBound() {
    Cluster cluster = PlannerDemonstration.unevenCluster(4, new Seeds(3));
    Bound bound = new Bound(SMALL, cluster, Calibration.builtIn());
    LatencyModel model = new LatencyModel(Calibration.builtIn());
    List<Parallel> all = new ArrayList<>();
    new Space(SMALL, cluster).forEach(all::add);
    RandomGenerator random = new Seeds(4).stream("test");
    for (int i = 0; i < 300; i++) {
      Parallel cut = all.get(random.nextInt(all.size()));
      Placement placement = Placement.identity(cluster.gpus());
      assertThat(model.predict(SMALL, cluster, cut, placement).seconds())
          .as(cut.label())
          .isGreaterThanOrEqualTo(bound.of(cut));
    }
  }

  @Test
  void pruningLosesNothing() {
    Request request = request(SMALL, TWO_NODES, 1);
    LatencyModel model = new LatencyModel(Calibration.builtIn());
    double[] best = {Double.POSITIVE_INFINITY};
    new Space(SMALL, TWO_NODES)
        .forEach(cut -> {
          double memory = request.memory().predict(SMALL, cut, request.card()).total();
          if (memory <= request.usable()) {
            best[0] =
                Math.min(
                    best[0],
                    model.predict(SMALL, TWO_NODES, cut, Placement.identity(16)).seconds());
          }
        });
    Answer answer = Planner.plan(Method.SPILLWAY, request, Progress.silent());
    assertThat(answer.best().time().seconds()).isLessThanOrEqualTo(best[0] + 1e-12);
    assertThat(answer.log().pruned()).isPositive();
    assertThat(answer.log().considered())
        .isEqualTo(answer.log().tooLarge() + answer.log().pruned() + answer.log().evaluated());
  }

  @Test
  void everyMethodAnswersAndSpillwayIsNotSlower() {
    Request request = request(SMALL, TWO_NODES, 3);
    double ours = Planner.plan(Method.SPILLWAY, request, Progress.silent()).best().time().seconds();
    for (Method method : Method.values()) {
      Answer answer = Planner.plan(method, request, Progress.silent());
      assertThat(answer.plans()).isNotEmpty();
      assertThat(answer.best().time().seconds()).as(method.name()).isGreaterThanOrEqualTo(ours);
      assertThat(answer.best().memory().total()).isLessThanOrEqualTo(request.usable());
    }
  }

  @Test
  void theSameSeedGivesTheSameAnswer() {
    Request request = request(SMALL, TWO_NODES, 3);
    Answer one = Planner.plan(Method.SPILLWAY, request, Progress.silent());
    Answer two = Planner.plan(Method.SPILLWAY, request, Progress.silent());
    assertThat(two.plans().stream().map(p -> p.cut() + " " + p.placement()).toList())
        .isEqualTo(one.plans().stream().map(p -> p.cut() + " " + p.placement()).toList());
  }

  @Test
  void whatFitsNowhereNamesTheNearestMissAndTheMend() {
    Job huge = new Job(Models.find("gpt-1t"), 64, 2048, Precision.BF16, true);
    assertThatThrownBy(
            () -> Planner.plan(Method.SPILLWAY, request(huge, TWO_NODES, 1), Progress.silent()))
        .isInstanceOfSatisfying(
            SpillwayException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DOES_NOT_FIT))
        .hasMessageContaining("nearest miss is")
        .hasMessageContaining("would make it fit");
  }

  @Test
  void aBatchThatNothingDividesIsAnError() {
    Job odd = new Job(SMALL.model(), 1, 1024, Precision.BF16, true);
    Cluster cluster = PlannerDemonstration.unevenCluster(11, new Seeds(1));
    assertThatThrownBy(
            () -> Planner.plan(Method.SPILLWAY, request(odd, cluster, 1), Progress.silent()))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("choose a batch that the number of replicas divides");
  }

  @Test
  void badJobsAreErrors() {
    ModelShape m = SMALL.model();
    fails(() -> new Job(m, 0, 1024, Precision.BF16, true), "the global batch is 0");
    fails(
        () -> new Job(m, 8, 4096, Precision.BF16, true),
        "too long for small, which takes at most 1024");
    fails(() -> Parallel.of(2, 2, 5, 1, 8).microBatches(SMALL), "choose a multiple of 5");
    fails(() -> Parallel.of(2, 2, 4, 1, 8).check(SMALL, 32), "is 16 ranks, the cluster has 32");
    fails(
        () -> Parallel.of(3, 2, 4, 1, 8).check(SMALL, 24),
        "tp 3 does not divide attention heads 16");
    fails(() -> Parallel.of(1, 16, 1, 1, 8), "8 layers cannot be cut into 16 stages");
    fails(() -> request(SMALL, TWO_NODES, 0), "--top is 0");
    fails(
        () -> request(new Job(m, 8, 1024, Precision.FP8, true), TWO_NODES, 1),
        "has no FP8 matrix units");
  }

  private static void fails(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String text) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SpillwayException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
        .hasMessageContaining(text);
  }

  private static Request request(Job job, Cluster cluster, int top) {
    return new Request(
        job,
        cluster,
        Calibration.builtIn(),
        new MemoryModel(MemoryConstants.PRIOR, new NoCorrection()),
        top,
        20,
        0.06,
        new Seeds(1));
  }
}
