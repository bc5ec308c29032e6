package io.spillway.cli.diffusion;

import io.spillway.cli.DeviceOption;
import io.spillway.cli.SpillwayCommand;
import io.spillway.diffusion.Comparison;
import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.shapes.Classifier;
import io.spillway.diffusion.shapes.Png;
import io.spillway.diffusion.shapes.Raster;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.report.TextTable;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `diffuse judge`: how many samples of one of our models our classifier recognises.
@Command(
    name = "judge",
    description = "Let the classifier name samples of one of our models; classes in turn.")
public final class JudgeCommand extends SpillwayCommand {
  private static final int SHOWN = 64;

  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--images",
      defaultValue = "256",
      description = "Samples, classes in turn; default ${DEFAULT-VALUE}.")
  private int images;

  @Mixin private DeviceOption device = new DeviceOption();

  @Option(names = "--sheet", description = "PNG file for a sheet of the first 64 samples.")
  private @Nullable Path sheet;

  @Override
  protected void execute() {
    if (images < 1 || images > 10_000) {
      throw SpillwayException.badInput("--images %d: between 1 and 10000", images);
    }
    ComputeDevice chosen = device.choose();
    int classes = Shape.values().length;
    int[] asked = new int[classes];
    int[] right = new int[classes];
    Comparison.Row row;
    try (ImageModel model = ImageModel.open(options.model, chosen);
        Classifier classifier = Images.classifier(Devices.cpu());
        Progress.Task task = progress().start("judge", (images + 7L) / 8 * options.steps)) {
      if (model.classes() != classes || options.size(model) != 64) {
        throw SpillwayException.badInput(
            "%s: the classifier knows our %d classes on 64 x 64 pixels alone",
            model.name(), classes);
      }
      Comparison.Result result =
          Comparison.run(
              new Comparison.Subject(model, classifier, images, options.seed),
              options.job(model, "single", 1),
              1,
              new float[0],
              task);
      row = result.row();
      int[] named = classifier.judge(result.pixels(), images, 64).labels();
      for (int i = 0; i < images; i++) {
        asked[i % classes]++;
        right[i % classes] += named[i] == i % classes ? 1 : 0;
      }
      if (sheet != null) {
        Png.write(
            sheet,
            Raster.grid(result.pixels(), Math.min(SHOWN, images), 64, classes),
            Map.of("Software", "spillway diffuse judge", "model", model.name()));
      }
    }
    Map<String, Double> shares = new LinkedHashMap<>();
    TextTable table = new TextTable("class", "samples", "recognised");
    for (Shape s : Shape.values()) {
      double share = asked[s.ordinal()] == 0 ? 0 : (double) right[s.ordinal()] / asked[s.ordinal()];
      shares.put(s.label(), share);
      table.row(s.label(), asked[s.ordinal()], String.format(Locale.ROOT, "%.1f %%", 100 * share));
    }
    table.row("all", images, String.format(Locale.ROOT, "%.1f %%", 100 * row.accuracy()));
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("model", options.model);
    answer.put("device", chosen.toString());
    answer.put("images", images);
    answer.put("steps", options.steps);
    answer.put("guidance", options.guidance);
    answer.put("firstSeed", options.seed);
    answer.put("recognised", row.accuracy());
    answer.put("frechet", row.frechet());
    answer.put("secondsPerImage", row.secondsPerImage());
    answer.put("byClass", shares);
    answer(answer, table);
  }
}
