package io.spillway.cli.diffusion;

import io.spillway.cli.SpillwayCommand;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.Unet;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.diffusion.training.ClassifierTrainer;
import io.spillway.diffusion.training.ModelFolder;
import io.spillway.diffusion.training.Recipe;
import io.spillway.diffusion.training.Trainer;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.Torch;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
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
      names = "--small-steps",
      defaultValue = "4000",
      description = "Steps on pictures of half the size; default ${DEFAULT-VALUE}.")
  private long smallSteps;

  @Option(
      names = "--small-batch",
      defaultValue = "24",
      description = "Pictures in each of them; default ${DEFAULT-VALUE}.")
  private int smallBatch;

  @Option(
      names = "--steps",
      defaultValue = "1100",
      description =
          "Steps on pictures of full size, or of the classifier; default" + " ${DEFAULT-VALUE}.")
  private long steps;

  @Option(
      names = "--batch",
      defaultValue = "16",
      description = "Pictures in each of them; default ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--rate",
      defaultValue = "0.0015",
      description = "Learning rate; default ${DEFAULT-VALUE}.")
  private double rate;

  @Option(
      names = "--decay-steps",
      defaultValue = "450",
      description = "Last steps, in which the rate falls to zero; default ${DEFAULT-VALUE}.")
  private long decaySteps;

  @Option(
      names = "--seed",
      defaultValue = "7",
      description = "Seed of every random choice; default ${DEFAULT-VALUE}.")
  private long seed;

  @Override
  protected void execute() {
    Torch.seed(seed);
    if (kind.equals("classifier")) {
      trainClassifier();
      return;
    }
    Recipe recipe =
        new Recipe(smallSteps, smallBatch, steps, batch, 64, rate, decaySteps, 0.1, 0.99, seed);
    int classes = Shape.values().length;
    switch (kind) {
      case "dit" -> {
        DitConfig config = new DitConfig(6, 4, 32, 4, 3, 3, 64, classes);
        try (Parameters p = Dit.untrained(config, new Seeds(seed));
            Dit model = new Dit(config, p);
            Trainer trainer = new Trainer(model, recipe, out)) {
          trainer.run(progress());
          ModelFolder.write(out, config, trainer.averaged(), recipe);
        }
      }
      case "unet" -> {
        UnetConfig config =
            new UnetConfig(12, List.of(32, 64, 128), List.of(0, 1, 1), 1, 32, 0, 0, classes, 8);
        try (Parameters p = Unet.untrained(config, new Seeds(seed));
            Trainer trainer = new Trainer(new Unet(config, p), recipe, out)) {
          trainer.run(progress());
          ModelFolder.write(out, config, trainer.averaged(), recipe);
        }
      }
      default ->
          throw SpillwayException.badInput("--kind %s is none of dit, unet, classifier", kind);
    }
    answer(Map.of("folder", out.toString()), "model: " + out);
  }

  private void trainClassifier() {
    ClassifierTrainer.Trained trained =
        ClassifierTrainer.train(Math.toIntExact(steps), new Seeds(seed), progress());
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
