package io.spillway.cli.diffusion;

import io.spillway.cli.DeviceOption;
import io.spillway.cli.SpillwayCommand;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.Unet;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.training.ClassifierTrainer;
import io.spillway.diffusion.training.ModelFolder;
import io.spillway.diffusion.training.OwnModels;
import io.spillway.diffusion.training.Recipe;
import io.spillway.diffusion.training.Trainer;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Seconds;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Torch;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `diffuse train`: our own small models from pictures that are drawn while it runs.
@Command(
    name = "train",
    description = "Train a small model on pictures drawn on the way; goes on from its checkpoint.")
public final class DiffuseTrainCommand extends SpillwayCommand {
  @Option(
      names = "--kind",
      defaultValue = "dit",
      description = "dit, unet or classifier; default ${DEFAULT-VALUE}.")
  private String kind = "dit";

  @Option(
      names = "--out",
      required = true,
      description = "Folder of checkpoint and model, or the classifier's file.")
  private Path out = Path.of(".");

  @Option(
      names = "--steps",
      defaultValue = "0",
      description = "Steps after which the run ends; default 0: only the time ends it.")
  private long steps;

  @Option(
      names = "--time-limit",
      defaultValue = "0",
      paramLabel = "SECONDS",
      description =
          "Seconds of training after which the run ends, with its rate decayed by then; default"
              + " 0: only the steps end it.")
  private long seconds;

  @Option(
      names = "--batch",
      defaultValue = "0",
      description = "Pictures in a step; default 256 on a GPU, 16 on the CPU.")
  private int batch;

  @Option(
      names = "--rate",
      defaultValue = "0.001",
      description = "Learning rate between warm-up and decay; default ${DEFAULT-VALUE}.")
  private double rate;

  @Option(
      names = "--decay-share",
      defaultValue = "0.35",
      description = "Last share of the run, in which the rate falls; default ${DEFAULT-VALUE}.")
  private double decayShare;

  @Mixin private DeviceOption device = new DeviceOption();

  @Option(
      names = "--type",
      defaultValue = "AUTO",
      description =
          "F32 or BF16 for forward and backward; default ${DEFAULT-VALUE}: BF16 on a GPU. Weights"
              + " and moments are F32 always.")
  private ComputeType type = ComputeType.AUTO;

  @Option(
      names = "--drawing-threads",
      defaultValue = "0",
      description = "Threads that draw pictures ahead; default a quarter of the cores.")
  private int drawingThreads;

  @Option(
      names = "--seed",
      defaultValue = "7",
      description = "Seed of every random choice; default ${DEFAULT-VALUE}.")
  private long seed;

  /// What `--type` takes.
  enum ComputeType {
    AUTO,
    F32,
    BF16
  }

  @Override
  protected void execute() {
    Torch.seed(seed);
    if (kind.equals("classifier")) {
      trainClassifier();
      return;
    }
    ComputeDevice chosen = device.choose();
    Recipe recipe =
        new Recipe(
            steps,
            seconds,
            batch == 0 ? chosen.isCuda() ? 256 : 16 : batch,
            64,
            rate,
            decayShare,
            0.1,
            switch (type) {
              case AUTO -> chosen.isCuda() ? DType.BF16 : DType.F32;
              case F32 -> DType.F32;
              case BF16 -> DType.BF16;
            },
            seed);
    int threads =
        drawingThreads == 0
            ? Math.max(1, Runtime.getRuntime().availableProcessors() / 4)
            : drawingThreads;
    Torch.allowTf32();
    Trainer.Outcome outcome =
        switch (kind) {
          case "dit" -> trainDit(recipe, chosen, threads);
          case "unet" -> trainUnet(recipe, chosen, threads);
          default ->
              throw SpillwayException.badInput("--kind %s is none of dit, unet, classifier", kind);
        };
    answer(
        Map.of("folder", out.toString(), "outcome", outcome),
        String.format(
            Locale.ROOT,
            "model: %s%n%d steps, %d pictures in %s on %s, loss %.4f",
            out,
            outcome.steps(),
            outcome.pictures(),
            new Seconds(outcome.seconds()),
            outcome.device(),
            outcome.loss()));
  }

  private Trainer.Outcome trainDit(Recipe recipe, ComputeDevice chosen, int threads) {
    DitConfig config = OwnModels.DIT;
    try (Parameters p = Dit.untrained(config, new Seeds(seed));
        Dit model = new Dit(config, p);
        Trainer trainer = new Trainer(model, recipe, out, chosen, threads)) {
      Trainer.Outcome outcome = trainer.run(progress());
      TensorScope.run(() -> ModelFolder.write(out, config, trainer.averaged(), outcome));
      return outcome;
    }
  }

  private Trainer.Outcome trainUnet(Recipe recipe, ComputeDevice chosen, int threads) {
    UnetConfig config = OwnModels.UNET;
    try (Parameters p = Unet.untrained(config, new Seeds(seed));
        Unet model = new Unet(config, p);
        Trainer trainer = new Trainer(model, recipe, out, chosen, threads)) {
      Trainer.Outcome outcome = trainer.run(progress());
      TensorScope.run(() -> ModelFolder.write(out, config, trainer.averaged(), outcome));
      return outcome;
    }
  }

  private void trainClassifier() {
    long count = steps == 0 ? 1200 : steps;
    ClassifierTrainer.Trained trained =
        ClassifierTrainer.train(Math.toIntExact(count), new Seeds(seed), progress());
    try (io.spillway.diffusion.shapes.Classifier classifier = trained.classifier()) {
      Weights.save(
          out,
          classifier.parameters().tensors(),
          Map.of("accuracy", String.valueOf(trained.accuracy())));
    }
    answer(
        Map.of("file", out.toString(), "accuracy", trained.accuracy()),
        String.format("classifier: %s, right on %.1f %%", out, 100 * trained.accuracy()));
  }
}
