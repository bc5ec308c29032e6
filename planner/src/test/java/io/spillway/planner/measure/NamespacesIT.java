package io.spillway.planner.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.testkit.CpuShares;
import io.spillway.testkit.NetworkNamespaces;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Real processes on hosts of their own: what is shaped is what is measured.
@Timeout(120)
class NamespacesIT {
  @TempDir Path folder;

  @Test
  void theProfileFindsTheShapedRates() throws Exception {
    Optional<String> why = NetworkNamespaces.whyNot().or(CpuShares::whyNot);
    Assumptions.assumeTrue(why.isEmpty(), () -> why.orElse(""));
    GptShape shape = new GptShape(2, 32, 2, 32, 16);
    Experiment.Plan plan =
        new Experiment.Plan(
            "cpu",
            false,
            shape,
            List.of(Cut.of(1, 2, 1, 1, 2), Cut.of(2, 1, 1, 1, 2)),
            List.of(4096L, 262_144L, 1_048_576L),
            0.05,
            1,
            0,
            2,
            true,
            3);
    Experiment.Outcome outcome =
        PredictedAgainstMeasured.measure(
            "spwit", plan, List.of(400_000_000L, 80_000_000L), 0.5, folder);
    // the slower uplink rules both ways: 80 Mbit/s are 10 MB/s, some of them for headers
    for (int from = 0; from < 2; from++) {
      double rate = outcome.links().rates(2)[from][1 - from];
      assertThat(rate).isBetween(7e6, 11e6);
    }
    assertThat(outcome.trained()).hasSize(2);
    // what the planner's own search picked was trained, beside the best of the others
    assertThat(outcome.picked()).hasSize(2);
    assertThat(outcome.picked().getFirst().seconds()).hasSize(2);
    assertThat(outcome.trained().getFirst().losses().getLast())
        .isCloseTo(
            outcome.trained().getLast().losses().getLast(),
            org.assertj.core.api.Assertions.within(1e-4));
    IterationPredictor predictor =
        new IterationPredictor(shape, outcome.compute(), outcome.links());
    assertThat(predictor.predict(Cut.of(1, 2, 1, 1, 2)).seconds()).isPositive();
    assertThat(Files.list(Path.of("/run/netns")).filter(p -> p.toString().contains("spwit-")))
        .isEmpty();
  }
}
