package io.spillway.diffusion.parallel;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.sampling.FlowEuler;
import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.Devices;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JobTest {
  private final Denoiser model = Rig.dit();

  private static void refused(ThrowingCallable call, String... words) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            SpillwayException.class,
            e -> {
              org.assertj.core.api.Assertions.assertThat(e.code().exitStatus()).isEqualTo(2);
              org.assertj.core.api.Assertions.assertThat(e.getMessage())
                  .contains(words)
                  .doesNotContain("\n");
            });
  }

  private static Job sized(Strategy strategy, int rows) {
    return new Job(strategy, false, 1, 4, new FlowEuler(1), 1, rows, 16);
  }

  @Test
  void badSizesRanksAndSharesAreRefusedInOneLine() {
    Strategy pcpp = new Strategy.Pcpp(0.3, 0, false);
    refused(() -> sized(pcpp, 30).check(model, 2), "30 x 16", "multiples of 4");
    refused(() -> sized(pcpp, 32).check(model, 16), "16 ranks", "at most 8");
    refused(() -> sized(pcpp, 32).check(model, 3), "3 equal strips");
    refused(() -> new Strategy.Pcpp(1.01, 0, false), "1.01", "[0, 1]");
    refused(() -> new Strategy.Pcpp(Double.NaN, 0, false), "NaN", "[0, 1]");
    refused(() -> sized(new Strategy.PipeFusion(0), 32).check(model, 4), "at most 3");
    refused(() -> sized(new Strategy.SequenceParallel(3, 1), 32).check(model, 2), "needs 3 ranks");
    refused(() -> sized(new Strategy.TensorParallel(), 32).check(model, 3), "8 heads", "3 ranks");
    refused(() -> Rig.job(pcpp, true, 1, 4).check(model, 3), "even number");
    refused(() -> sized(pcpp, 32).check(model, 0), "0 ranks", "at least 1");
    refused(() -> Rig.job(pcpp, false, -1, 4), "warm-up -1");
    refused(
        () -> Strategy.named("distrifuson", 2, 0.3, 4, Strategy.Sync.SYNC_GN),
        "did you mean 'distrifusion'");
  }

  @Test
  void missingComponentsAreNamed(@TempDir Path folder) throws Exception {
    refused(
        () -> ImageModel.open(folder.resolve("none").toString(), Devices.cpu()),
        "neither a folder");
    refused(() -> ImageModel.open(folder.toString(), Devices.cpu()), "model_index.json");
    Files.writeString(folder.resolve("model_index.json"), "{}");
    Files.createDirectories(folder.resolve("scheduler"));
    Files.writeString(
        folder.resolve("scheduler/scheduler_config.json"), "{\"_class_name\": \"DDIMScheduler\"}");
    refused(() -> ImageModel.open(folder.toString(), Devices.cpu()), "transformer/ or unet/");
    org.assertj.core.api.Assertions.assertThat(ErrorCode.BAD_INPUT.exitStatus()).isEqualTo(2);
  }
}
