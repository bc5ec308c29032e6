package io.spillway.planner.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.planner.IterationTime;
import io.spillway.planner.Job;
import io.spillway.planner.Method;
import io.spillway.planner.Plan;
import io.spillway.planner.Planner;
import io.spillway.planner.PlannerDemonstration;
import io.spillway.planner.cost.Breakdown;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.search.Request;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ExplanationTest {
  private static Plan taking(Plan plan, double compute, double bubble) {
    Breakdown parts = new Breakdown(compute, 0, bubble, 0, 0, compute + bubble);
    return new Plan(
        plan.method(),
        plan.cut(),
        plan.placement(),
        parts.total(),
        new IterationTime(parts.total(), parts, Optional.empty()),
        parts.total(),
        plan.memory());
  }

  @Test
  void theRunnerUpLosesWhereItTakesLonger() {
    Plan some =
        Planner.plan(
                Method.MEGATRON,
                new Request(
                    new Job(
                        ModelShape.gpt("m", 1024, 8, 16, 32_000, 1024),
                        64,
                        1024,
                        Precision.BF16,
                        true),
                    PlannerDemonstration.unevenCluster(2, new Seeds(1)),
                    Calibration.builtIn(),
                    MemoryModel.builtIn(),
                    1,
                    1,
                    0.06,
                    new Seeds(1)),
                Progress.silent())
            .plans()
            .getFirst();
    String name = some.cut().label();
    Plan best = taking(some, 8, 2);
    assertThat(Explanation.whyRunnerUpLost(best, taking(some, 8, 2)))
        .isEqualTo("The runner-up " + name + " takes as long.");
    assertThat(Explanation.whyRunnerUpLost(best, taking(some, 8, 2.5)))
        .isEqualTo(
            "The runner-up "
                + name
                + " needs 0.5000 s more (5.00 %): +0.5000 s in waiting in the pipeline.");
    assertThat(Explanation.whyRunnerUpLost(best, taking(some, 7, 4)))
        .isEqualTo(
            "The runner-up "
                + name
                + " needs 1.000 s more (10.00 %): +2.000 s in waiting in the pipeline, against"
                + " -1.000 s in arithmetic.");
  }
}
