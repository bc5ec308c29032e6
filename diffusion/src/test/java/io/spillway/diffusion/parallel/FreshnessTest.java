package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Guards against the defect of a published release, whose neighbours' values froze at the first
/// displaced step: whatever a neighbour computes in a step must be felt one step later, in every
/// step.
final class FreshnessTest {
  private static final int STEPS = 6;

  @BeforeAll
  static void oneThread() {
    Torch.threads(1);
  }

  /// Predictions of rank 0 at every step; at step `disturbed` the lower half of the image differs.
  private static List<float[]> run(Denoiser model, Strategy strategy, int disturbed) {
    return ThreadRanks.run(
            2,
            exchange -> {
              List<float[]> outputs = new ArrayList<>();
              try (NoGrad off = NoGrad.begin();
                  TensorScope scope = TensorScope.open();
                  RankCooperation ranks =
                      RankRenderer.cooperation(
                          strategy,
                          exchange,
                          new DisplacedStrips.Layout(
                              model.sites(Rig.ROWS, Rig.COLUMNS), 2, Rig.noise(3)))) {
                assert off != null && scope != null;
                Condition labels = new Condition.Labels(Tensors.of(new long[] {1, 3}, 2));
                for (int i = 0; i < STEPS; i++) {
                  ranks.begin(i == 0, i == STEPS - 1);
                  Tensor x = Rig.noise(model.channels()).mul(new Scalar(1 - 0.1 * i));
                  if (i == disturbed) {
                    x.narrow(2, Rig.ROWS / 2, Rig.ROWS / 2).add_(new Scalar(0.5));
                  }
                  Tensor times = Forward.times(x, 900 - 100 * i);
                  outputs.add(Tensors.floats(model.predict(x, times, labels, ranks)));
                }
                ranks.drain();
              }
              return outputs;
            })
        .getFirst();
  }

  @ParameterizedTest
  @CsvSource({"pcpp,0.3", "pcpp-pool,0.3", "pcpp-pool-x,0", "distrifusion,1", "turns:0.1,0"})
  void whatANeighbourComputesIsFeltOneStepLater(String name, double conditioning) {
    Strategy strategy = Strategy.named(name, 2, conditioning, 4, Strategy.Sync.CORRECTED_ASYNC_GN);
    Denoiser model = Rig.dit();
    List<float[]> calm = run(model, strategy, -1);
    for (int disturbed = 1; disturbed < STEPS - 1; disturbed++) {
      List<float[]> moved = run(model, strategy, disturbed);
      assertThat(moved.get(disturbed)).isEqualTo(calm.get(disturbed));
      assertThat(Rig.distance(moved.get(disturbed + 1), calm.get(disturbed + 1)))
          .isGreaterThan(1e-5);
    }
  }
}
