package io.spillway.training.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.kernels.Precision;
import io.spillway.training.plan.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DeepSpeedConfigTest {
  @TempDir Path folder;

  private TrainSettings read(String json, int ranks) throws IOException {
    Path file = Files.writeString(folder.resolve("ds.json"), json);
    return TrainSettings.defaults().with(DeepSpeedConfig.read(file), ranks);
  }

  @Test
  void followsTheKeysThatPeopleWrite() throws IOException {
    TrainSettings s =
        read(
            """
            {"train_batch_size": 32, "train_micro_batch_size_per_gpu": 4, "gradient_clipping": 0.5,
             "optimizer": {"type": "Adam", "params": {"lr": 2e-4, "betas": [0.8, 0.99], "eps": 1e-7,
               "weight_decay": 0.02, "adam_w_mode": false}},
             "scheduler": {"type": "WarmupDecayLR", "params": {"warmup_min_lr": 0,
               "warmup_max_lr": 2e-4, "warmup_num_steps": 10, "warmup_type": "linear",
               "total_num_steps": 100}},
             "fp16": {"enabled": true, "loss_scale": 0, "initial_scale_power": 12,
               "loss_scale_window": 500},
             "bf16": {"enabled": "auto"},
             "activation_checkpointing": {"partition_activations": false},
             "zero_optimization": {"stage": 1, "sub_group_size": 1e8, "overlap_comm": true,
               "offload_optimizer": {"device": "nvme", "nvme_path": "/tmp/nvme", "ratio": 0.6,
                 "buffer_count": 4, "pin_memory": true}}}
            """,
            2);
    assertThat(s.microBatch()).isEqualTo(4);
    assertThat(s.accumulation()).isEqualTo(4);
    assertThat(s.precision()).isEqualTo(Precision.F16);
    assertThat(s.scaling()).isEqualTo(new LossScaling(4096, 500));
    assertThat(s.adam().decoupled()).isFalse();
    assertThat(s.adam().beta1()).isEqualTo(0.8);
    assertThat(s.clip()).isEqualTo(0.5);
    assertThat(s.subgroupSize()).isEqualTo(100_000_000);
    assertThat(s.checkpointActivations()).isTrue();
    assertThat(s.schedule()).isEqualTo(Optional.of(new Schedule.TwinFlow(0.6)));
    assertThat(s.stateFolder()).contains(Path.of("/tmp/nvme"));
    assertThat(s.buffers()).isEqualTo(4);
    assertThat(s.learningRate().at(9)).isCloseTo(2e-4 * 10 / 11, within(1e-12));
    assertThat(s.learningRate().at(100)).isZero();
  }

  @Test
  void unknownKeysNameTheNearestKnownOne() {
    assertThatThrownBy(() -> read("{\"gradient_cliping\": 1}", 1))
        .hasMessageContaining("unknown key 'gradient_cliping'")
        .hasMessageContaining("gradient_clipping");
    assertThatThrownBy(() -> read("{\"zero_optimization\": {\"subgroup_size\": 1}}", 1))
        .hasMessageContaining("in zero_optimization")
        .hasMessageContaining("sub_group_size");
  }

  @Test
  void contradictionsAreErrors() {
    assertThatThrownBy(
            () -> read("{\"bf16\": {\"enabled\": true}, \"fp16\": {\"enabled\": true}}", 1))
        .hasMessageContaining("one must be false");
    assertThatThrownBy(() ->
            read(
                "{\"train_batch_size\": 10, \"train_micro_batch_size_per_gpu\": 4,"
                    + " \"gradient_accumulation_steps\": 2}",
                1))
        .hasMessageContaining("train_batch_size 10");
    assertThatThrownBy(() -> read("{\"gradient_clipping\": \"one\"}", 1))
        .hasMessageContaining("a number was expected");
    assertThatThrownBy(() -> read("{\"optimizer\": {\"type\": \"Lion\"}}", 1))
        .hasMessageContaining("optimizer.type 'Lion'");
    assertThatThrownBy(() ->
            read("{\"zero_optimization\": {\"offload_optimizer\": {\"device\": \"nvme\"}}}", 1))
        .hasMessageContaining("nvme_path");
  }

  @Test
  void warmUpIsLogarithmicUnlessTheFileSaysLinear() throws IOException {
    LearningRate log =
        read(
                """
                {"scheduler": {"type": "WarmupLR", "params": {"warmup_min_lr": 1e-5,
                  "warmup_max_lr": 1e-3, "warmup_num_steps": 100}}}
                """,
                1)
            .learningRate();
    assertThat(log.at(0)).isEqualTo(1e-5);
    // ln 10 / ln 100 is a half
    assertThat(log.at(9)).isCloseTo(1e-5 + 0.5 * (1e-3 - 1e-5), within(1e-12));
    assertThat(log.at(99)).isCloseTo(1e-3, within(1e-12));
    assertThat(log.at(5000)).isEqualTo(1e-3);
    assertThatThrownBy(() ->
            read(
                "{\"scheduler\": {\"type\": \"WarmupLR\", \"params\": {\"warmup_type\":"
                    + " \"liner\"}}}",
                1))
        .hasMessageContaining("scheduler.params.warmup_type 'liner', did you mean 'linear'");
  }

  @Test
  void cosineEndsAtItsOwnRatio() throws IOException {
    LearningRate rate =
        read(
                """
                {"optimizer": {"type": "adamw", "params": {"lr": 2e-3}},
                 "scheduler": {"type": "WarmupCosineLR", "params": {"warmup_num_steps": 4,
                   "total_num_steps": 20, "warmup_min_ratio": 0.1, "cos_min_ratio": 0.05}}}
                """,
                1)
            .learningRate();
    assertThat(rate.at(0)).isCloseTo(2e-4, within(1e-12));
    assertThat(rate.at(4)).isCloseTo(2e-3, within(1e-12));
    assertThat(rate.at(12)).isCloseTo(1e-4 + 0.5 * (2e-3 - 1e-4), within(1e-12));
    assertThat(rate.at(20)).isCloseTo(1e-4, within(1e-12));
  }

  @Test
  void defaultsOfDeepSpeedAreNotTakenForWishes() throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("notes.json"),
            """
            {"bf16": {"enabled": "auto"}, "steps_per_print": 10,
             "zero_optimization": {"stage": 3, "sub_group_size": 1e9, "overlap_comm": true,
               "offload_optimizer": {"device": "none"}}}
            """);
    DeepSpeedConfig config = DeepSpeedConfig.read(file);
    TrainSettings s = TrainSettings.defaults().with(config, 1);
    assertThat(s.precision()).isEqualTo(Precision.BF16);
    assertThat(s.subgroupSize()).isZero();
    assertThat(s.schedule()).contains(new Schedule.AllGpu());
    assertThat(config.notes()).hasSize(3);
    assertThat(config.notes().getFirst()).contains("steps_per_print").contains("overlap_comm");
    assertThatThrownBy(() -> read("{\"zero_optimization\": {\"stage\": 5}}", 1))
        .hasMessageContaining("stage is 5, it must be 0 to 3");
  }
}
