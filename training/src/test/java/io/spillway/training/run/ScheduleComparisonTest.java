package io.spillway.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.Progress;
import io.spillway.training.engine.DeviceSpec;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScheduleComparisonTest {
  @TempDir Path folder;

  private ScheduleComparison open(String memory) throws Exception {
    TinyRun run = new TinyRun(folder, false);
    return new ScheduleComparison(
        ModelSource.shape(run.config),
        new TrainDevice.Simulated(DeviceSpec.parse("memory=" + memory + ",link=2GB/s")),
        TinyRun.settings(Optional.empty()),
        1,
        Long.MAX_VALUE,
        Progress.silent());
  }

  @Test
  void everyScheduleEndsInTheSameWeights() throws Exception {
    try (ScheduleComparison comparison = open("64MiB")) {
      Set<String> sums = new HashSet<>();
      for (String name : List.of("all-gpu", "zero-offload", "stride:2", "fraction:0.3:0.4")) {
        ScheduleComparison.Row row = comparison.run(comparison.schedule(name), 2, true);
        sums.add(row.weightsChecksum());
        assertThat(row.stepSeconds()).hasSize(2);
        assertThat(row.cpu() + row.streamed() + row.resident()).isEqualTo(1);
        assertThat(row.updateSeconds()).isPositive();
        assertThat(row.upBytes())
            .isEqualTo(
                12 * Math.round(row.streamed() * comparison.owned())
                    + 2 * Math.round(row.cpu() * comparison.owned()));
      }
      assertThat(sums).hasSize(1);
    }
  }

  @Test
  void withoutRoomForBuffersNothingIsStreamed() throws Exception {
    // weights and gradients, and less than the two streaming buffers of 3000 parameters
    try (ScheduleComparison small = open("180000B")) {
      ScheduleComparison.Row row = small.run(small.schedule("auto"), 1, false);
      assertThat(row.streamed()).isZero();
      assertThat(row.weightsChecksum()).isEmpty();
      assertThatThrownBy(() -> small.run(small.schedule("stride:2"), 1, false))
          .hasMessageContaining("smallest device memory that works");
    }
  }
}
