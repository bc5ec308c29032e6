package io.spillway.training.config;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.SpillwayException;
import io.spillway.testkit.Damage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// A DeepSpeed configuration from a stranger is taken or refused with one line. `bench/fuzz`
/// searches for new inputs.
final class DeepSpeedFuzzTest {
  private static final String SOUND =
      """
      {"train_batch_size": 32, "train_micro_batch_size_per_gpu": 4, "gradient_clipping": 0.5,
       "optimizer": {"type": "Adam", "params": {"lr": 2e-4, "betas": [0.8, 0.99], "eps": 1e-7}},
       "scheduler": {"type": "WarmupDecayLR", "params": {"warmup_max_lr": 2e-4,
         "warmup_num_steps": 10, "total_num_steps": 100}}, "bf16": {"enabled": true},
       "zero_optimization": {"stage": 1, "sub_group_size": 1e8,
         "offload_optimizer": {"device": "cpu", "ratio": 0.6, "buffer_count": 4}}}
      """;

  @FuzzTest
  void configuration(byte[] data) throws IOException {
    Path file = Files.createTempFile("fuzz", ".json");
    try {
      Files.writeString(file, Damage.of(SOUND, data));
      TrainSettings.defaults().with(DeepSpeedConfig.read(file), 1);
    } catch (SpillwayException e) {
      if (String.valueOf(e.getMessage()).contains("\n")) {
        throw new AssertionError("more than one line: " + e.getMessage(), e);
      }
    } finally {
      Files.delete(file);
    }
  }
}
