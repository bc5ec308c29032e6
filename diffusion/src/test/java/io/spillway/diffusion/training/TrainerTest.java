package io.spillway.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.Unet;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Training at the smallest size: that it learns, and that an interrupted run loses nothing.
final class TrainerTest {
  private static final DitConfig DIT = new DitConfig(1, 2, 16, 4, 3, 3, 16, 8);
  private static final UnetConfig UNET =
      new UnetConfig(12, List.of(8, 16), List.of(0, 1), 1, 8, 0, 0, 8, 4);
  @TempDir private Path folder;

  private static Recipe recipe(long steps) {
    return recipe(steps, 3e-3);
  }

  private static Recipe recipe(long steps, double rate) {
    return new Recipe(steps, 0, 8, 16, rate, 0, 0.1, DType.F32, 3);
  }

  private Map<String, float[]> train(String name, long steps, int threads) {
    try (Parameters p = Dit.untrained(DIT, new Seeds(3));
        Dit dit = new Dit(DIT, p);
        Trainer trainer =
            new Trainer(dit, recipe(steps), folder.resolve(name), Devices.cpu(), threads);
        TensorScope scope = TensorScope.open()) {
      assert scope != null;
      assertThat(trainer.run(Progress.silent()).steps()).isEqualTo(steps);
      Map<String, float[]> weights = new TreeMap<>();
      trainer.averaged().forEach((n, t) -> weights.put(n, Tensors.floats(t)));
      return weights;
    }
  }

  @Test
  void aResumedRunEqualsAnUninterruptedOneOnAnyNumberOfThreads() {
    Map<String, float[]> whole = train("whole", 21, 3);
    train("parts", 9, 1);
    Map<String, float[]> parts = train("parts", 21, 2);
    assertThat(parts.keySet()).isEqualTo(whole.keySet());
    whole.forEach((name, values) -> assertThat(parts.get(name)).isEqualTo(values));
  }

  @Test
  void theLossOfADitFalls() {
    try (Parameters p = Dit.untrained(DIT, new Seeds(3));
        Dit dit = new Dit(DIT, p)) {
      assertThat(lossAfter(dit, 150, 3e-3)).isLessThan(0.8 * lossAfter(dit, 8, 3e-3));
    }
  }

  @Test
  void theLossOfAUnetFalls() {
    try (Parameters p = Unet.untrained(UNET, new Seeds(3));
        Unet unet = new Unet(UNET, p)) {
      assertThat(lossAfter(unet, 150, 2e-2)).isLessThan(0.8 * lossAfter(unet, 8, 2e-2));
    }
  }

  private double lossAfter(Denoiser model, long steps, double rate) {
    try (Trainer trainer =
        new Trainer(
            model,
            recipe(steps, rate),
            folder.resolve(model.getClass().getSimpleName() + steps),
            Devices.cpu(),
            1)) {
      return trainer.run(Progress.silent()).loss();
    }
  }

  @Test
  void aCheckpointOfAnotherModelIsRefused() {
    train("shared", 1, 1);
    try (Parameters p = Unet.untrained(UNET, new Seeds(3));
        Unet unet = new Unet(UNET, p);
        Trainer trainer =
            new Trainer(unet, recipe(2), folder.resolve("shared"), Devices.cpu(), 1)) {
      assertThatThrownBy(() -> trainer.run(Progress.silent()))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("belongs to another model");
    }
  }

  @Test
  void theRateIsATrapezoidInStepsOrTime() {
    Recipe timed = new Recipe(0, 100, 8, 16, 0.01, 0.5, 0, DType.F32, 1);
    assertThat(timed.progress(1_000_000, 25)).isEqualTo(0.25);
    assertThat(timed.rateAt(99, 0.1)).isEqualTo(0.005); // half of the 200 steps of warm-up
    assertThat(timed.rateAt(1000, 0.5)).isEqualTo(0.01);
    assertThat(timed.rateAt(1000, 0.75)).isEqualTo(0.005);
    assertThat(timed.rateAt(1000, 1)).isZero();
    Recipe both = new Recipe(10, 100, 8, 16, 0.01, 0.5, 0, DType.F32, 1);
    assertThat(both.progress(9, 1)).isEqualTo(0.9);
  }
}
