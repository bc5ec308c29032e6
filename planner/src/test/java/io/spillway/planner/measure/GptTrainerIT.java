package io.spillway.planner.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// However the small GPT is cut, it learns the same.
@Timeout(150)
class GptTrainerIT {
  private static final GptShape SHAPE = new GptShape(4, 32, 4, 64, 16);
  @TempDir Path folder;

  @Test
  void everyCutOfFourProcessesLearnsTheSame() throws InterruptedException {
    List<Double> alone = losses(1, List.of(Cut.of(1, 1, 1, 2, 8))).getFirst();
    assertThat(alone).hasSize(5);
    // it learns, so that equal losses say something about the gradients
    assertThat(alone.getLast()).isLessThan(alone.getFirst() - 0.05);
    List<Cut> cuts =
        List.of(
            Cut.of(4, 1, 1, 2, 8),
            Cut.of(1, 4, 1, 1, 8),
            Cut.of(1, 1, 4, 2, 8),
            Cut.of(2, 2, 1, 2, 8),
            Cut.of(2, 1, 2, 1, 8),
            Cut.of(1, 2, 2, 2, 8),
            Cut.of(1, 2, 2, 1, 8).on(List.of(2, 0, 3, 1)));
    List<List<Double>> all = losses(4, cuts);
    for (int i = 0; i < cuts.size(); i++) {
      for (int step = 0; step < alone.size(); step++) {
        assertThat(all.get(i).get(step))
            .as("%s, step %d", cuts.get(i).label(), step)
            .isCloseTo(alone.get(step), within(2e-4));
      }
    }
  }

  private List<List<Double>> losses(int processes, List<Cut> cuts) throws InterruptedException {
    Experiment.Plan plan =
        new Experiment.Plan("cpu", false, SHAPE, cuts, List.of(), 0, 1, 0, 5, false, 7);
    return MeasuredJob.run(processes, plan, folder).trained().stream()
        .map(Experiment.Trained::losses)
        .toList();
  }
}
