package io.spillway.diffusion.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.diffusion.Strategy;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The file of the run on two H100 that is kept in docs/results.
final class MeasuredGpuTest {
  private static final Path KEPT = Path.of("../docs/results/gpu/diffusion.json");

  @Test
  void whatTheRunItselfPredictedComesOutAgain() {
    MeasuredGpu gpu = MeasuredGpu.read(KEPT);
    assertThat(gpu.gpu()).contains("H100");
    int count = 0;
    for (JsonNode row : Json.readTree(KEPT).path("predictions")) {
      String[] subject = row.path("subject").asString().split(" ");
      JsonNode known = row.path("prediction");
      int n = known.path("ranks").asInt();
      Strategy strategy =
          Strategy.named(
              known.path("strategy").asString().split(":")[0],
              n,
              0.3,
              4,
              Strategy.Sync.CORRECTED_ASYNC_GN);
      double seconds =
          gpu.predict(Workload.of(subject[0], Integer.parseInt(subject[1])), strategy, n, 50, 4)
              .seconds();
      double before = known.path("seconds").asDouble();
      assertThat(seconds).as("%s", row).isCloseTo(before, within(1e-9 * before));
      double measured = row.path("measuredSeconds").asDouble(Double.NaN);
      if (!Double.isNaN(measured)) {
        assertThat(seconds).as("%s", row).isCloseTo(measured, within(0.055 * measured));
        count++;
      }
    }
    assertThat(count).isEqualTo(15);
  }

  /// Ulysses and ring have no strips of their own there: their floor is DistriFusion's.
  @Test
  void untimedStrategiesComeNearWhatTwoGpusTook() {
    MeasuredGpu gpu = MeasuredGpu.read(KEPT);
    JsonNode parts = Json.readTree(KEPT).path("parts");
    for (String subject : new String[] {"sdxl 2048", "sdxl 3840", "dit-xl 2048"}) {
      String[] words = subject.split(" ");
      Workload workload = Workload.of(words[0], Integer.parseInt(words[1]));
      for (String name : new String[] {"ulysses", "ring"}) {
        double measured = parts.path(subject + " " + name).path("stepMs").asDouble();
        Strategy strategy = Strategy.named(name, 2, 0.3, 4, Strategy.Sync.CORRECTED_ASYNC_GN);
        double predicted = 1e3 * gpu.predict(workload, strategy, 2, 50, 4).displacedSeconds();
        assertThat(predicted)
            .as("%s %s", subject, name)
            .isCloseTo(measured, within(0.15 * measured));
      }
    }
  }

  @Test
  void whatLacksIsSaid(@TempDir Path folder) throws Exception {
    assertThatThrownBy(() -> MeasuredGpu.read(folder.resolve("none.json")))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("none.json is no file");
    Path one = folder.resolve("one.json");
    Files.writeString(one, "{\"parts\":{\"sdxl 1024 alone\":{\"stepMs\":44}}}");
    assertThatThrownBy(() -> MeasuredGpu.read(one)).hasMessageContaining("two GPUs or more");
    MeasuredGpu gpu = MeasuredGpu.read(KEPT);
    assertThatThrownBy(
            () -> gpu.predict(Workload.of("sdxl", 512), new Strategy.NaivePatches(), 2, 50, 4))
        .hasMessageContaining("no step of sdxl at 512 pixels was measured")
        .hasMessageContaining("sdxl 2048");
  }
}
