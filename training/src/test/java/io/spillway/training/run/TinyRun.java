package io.spillway.training.run;

import io.spillway.platform.Progress;
import io.spillway.training.config.LearningRate;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.plan.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/// A llama of some thousand parameters on a text of its own.
final class TinyRun {
  static final String CONFIG =
      """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 257,
       "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
       "num_key_value_heads": 2, "intermediate_size": 64, "max_position_embeddings": 128,
       "tie_word_embeddings": %s, "rms_norm_eps": 1e-5}
      """;

  final Path folder;
  final Path config;
  final Path text;

  TinyRun(Path folder, boolean tied) throws IOException {
    this.folder = folder;
    config = folder.resolve("config.json");
    text = folder.resolve("text.txt");
    Files.createDirectories(folder);
    Files.writeString(config, CONFIG.formatted(tied));
    StringBuilder words = new StringBuilder();
    for (int i = 0; i < 600; i++) {
      words.append("line ").append(i * i % 97).append(" of the dam holds ").append(i).append('\n');
    }
    Files.writeString(text, words.toString());
  }

  static TrainSettings settings(Optional<Schedule> schedule) {
    TrainSettings d = TrainSettings.defaults();
    return new TrainSettings(
        2,
        1,
        32,
        d.precision(),
        d.adam(),
        new LearningRate(3e-3, 2, 20, 0, LearningRate.Shape.COSINE),
        1,
        3000,
        schedule,
        d.master(),
        false,
        d.scaling(),
        Optional.empty(),
        2,
        7);
  }

  TrainJob job(String output, TrainSettings settings, long steps, long saveEvery, boolean resume) {
    return new TrainJob(
        config,
        List.of(text),
        folder.resolve(output),
        settings,
        steps,
        new TrainDevice.Simulated(DeviceSpec.parse("memory=64MiB,link=5GB/s")),
        Long.MAX_VALUE,
        1,
        0,
        4,
        saveEvery,
        2,
        resume);
  }

  static TrainReport run(TrainJob job) {
    try (Trainer trainer = new Trainer(job, Progress.silent(), new AtomicBoolean())) {
      return trainer.run();
    }
  }

  static byte[] weights(TrainReport report) throws IOException {
    return Files.readAllBytes(Path.of(report.checkpoint()).resolve("model.safetensors"));
  }
}
