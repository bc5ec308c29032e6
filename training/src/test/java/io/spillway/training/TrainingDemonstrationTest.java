package io.spillway.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import org.junit.jupiter.api.Test;

final class TrainingDemonstrationTest {
  @Test
  void theOffloadedRunEndsInTheSameWeightsWithLessDeviceMemory() {
    Demonstration.Outcome outcome =
        new TrainingDemonstration().run(new Seeds(1), Progress.silent(), new HtmlPage("test"));
    assertThat(outcome.figures()).containsEntry("same_weights", true);
    assertThat(outcome.answer()).startsWith("the same weights");
  }
}
