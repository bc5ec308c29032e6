package io.spillway.training;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.Precision;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import io.spillway.report.Plot;
import io.spillway.training.config.LearningRate;
import io.spillway.training.config.LossScaling;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.plan.Schedule;
import io.spillway.training.run.TrainDevice;
import io.spillway.training.run.TrainJob;
import io.spillway.training.run.TrainReport;
import io.spillway.training.run.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/// Trains one small llama twice: with its optimizer whole on the device, and split between the
/// host's processor, a streamed and a resident part. The weights end the same, bit for bit.
public final class TrainingDemonstration implements Demonstration {
  private static final int STEPS = 30;
  private static final String CONFIG =
      """
      {"model_type": "llama", "vocab_size": 257, "hidden_size": 64, "num_hidden_layers": 2,
       "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 176,
       "max_position_embeddings": 128, "tie_word_embeddings": true, "rms_norm_eps": 1e-5}
      """;

  @Override
  public String system() {
    return "training";
  }

  @Override
  public String task() {
    return "train a llama whose optimizer does not fit, and one whose does";
  }

  @Override
  public Outcome run(Seeds seeds, Progress progress, HtmlPage page) {
    Path folder = temporary();
    try {
      Path config = Files.writeString(folder.resolve("config.json"), CONFIG);
      Path text = Files.writeString(folder.resolve("text.txt"), text());
      TrainReport whole =
          train(config, text, folder.resolve("whole"), new Schedule.AllGpu(), "2MB", seeds);
      TrainReport split =
          train(
              config,
              text,
              folder.resolve("split"),
              new Schedule.Fraction(0.5, 0.1),
              "900kB",
              seeds);
      boolean same = sameBytes(whole, split);
      double[] steps = new double[STEPS];
      double[] losses = new double[STEPS];
      for (int i = 0; i < STEPS; i++) {
        steps[i] = i + 1;
        losses[i] = split.losses().get(i);
      }
      page.plot(
          Plot.xy("Loss of the offloaded run", "step", "cross entropy (nats)")
              .line("offloaded", steps, losses),
          "Each step gives the weights of plain Adam.");
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("parameters", split.parameters());
      figures.put("same_weights", same);
      figures.put("device_bytes_whole", whole.devicePeakBytes());
      figures.put("device_bytes_split", split.devicePeakBytes());
      figures.put("first_loss", split.losses().getFirst());
      figures.put("last_loss", split.losses().getLast());
      return new Outcome(
          String.format(
              Locale.ROOT,
              "%s weights after %d steps with %.0f %% of the device memory, loss %.2f -> %.2f",
              same ? "the same" : "OTHER",
              STEPS,
              100.0 * split.devicePeakBytes() / whole.devicePeakBytes(),
              split.losses().getFirst(),
              split.losses().getLast()),
          "plain Adam with all of its state on the device (simulated)",
          figures);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      remove(folder);
    }
  }

  private static TrainReport train(
      Path config, Path text, Path output, Schedule schedule, String memory, Seeds seeds) {
    TrainSettings settings =
        new TrainSettings(
            4,
            1,
            64,
            Precision.BF16,
            new AdamSettings(0.9, 0.95, 1e-8, 0.1, true),
            new LearningRate(5e-3, 3, STEPS, 0, LearningRate.Shape.COSINE),
            1,
            4000,
            Optional.of(schedule),
            MasterLayout.FULL,
            false,
            LossScaling.none(),
            Optional.empty(),
            2,
            seeds.seed());
    TrainJob job =
        new TrainJob(
            config,
            List.of(text),
            output,
            settings,
            STEPS,
            new TrainDevice.Simulated(DeviceSpec.parse("memory=" + memory + ",link=1GB/s")),
            Long.MAX_VALUE,
            1,
            0,
            0,
            0,
            1,
            false);
    try (Trainer trainer = new Trainer(job, Progress.silent(), new AtomicBoolean())) {
      return trainer.run();
    }
  }

  private static String text() {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < 400; i++) {
      out.append("gate ").append(i % 7).append(" of the spillway opens at ");
      out.append(i * 37 % 100).append(" cubic metres a second\n");
    }
    return out.toString();
  }

  private static boolean sameBytes(TrainReport a, TrainReport b) throws IOException {
    return Files.mismatch(weights(a), weights(b)) < 0;
  }

  private static Path weights(TrainReport report) {
    return Path.of(report.checkpoint()).resolve("model.safetensors");
  }

  private static Path temporary() {
    try {
      return Files.createTempDirectory("spillway-training");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void remove(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
