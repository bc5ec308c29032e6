package io.spillway.cli.diffusion;

import io.spillway.cli.SpillwayCommand;
import io.spillway.diffusion.Comparison;
import io.spillway.diffusion.ContactSheet;
import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.Quality;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.shapes.Classifier;
import io.spillway.diffusion.shapes.Png;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import io.spillway.report.TextTable;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `diffuse compare`: the same images by many strategies, each measured against one device.
@Command(
    name = "compare",
    description =
        "Make the same images by many strategies; latency, bytes, PSNR, SSIM, seams,"
            + " class accuracy, Fréchet distance, a contact sheet with error maps.")
public final class CompareCommand extends SpillwayCommand {
  @Mixin private JobOptions options = new JobOptions();

  @Option(
      names = "--strategies",
      split = ",",
      defaultValue =
          "naive,distrifusion,distrifusion-x,pcpp,pcpp-pool,pcpp-pool-x,ulysses,ring,mesh,"
              + "pipefusion,tensor",
      description =
          "Strategies, comma-separated; those that the model does not allow on that many"
              + " ranks are named and left out; default all.")
  private List<String> strategies = List.of();

  @Option(
      names = "--on",
      split = ",",
      defaultValue = "2,4,8",
      description = "Numbers of ranks, comma-separated; default ${DEFAULT-VALUE}.")
  private List<Integer> on = List.of();

  @Option(
      names = "--images",
      defaultValue = "16",
      description = "Images for each strategy, classes in turn; default ${DEFAULT-VALUE}.")
  private int images;

  @Override
  protected void execute() {
    if (images < 1 || images > 10_000) {
      throw SpillwayException.badInput("--images %d: between 1 and 10000", images);
    }
    ComputeDevice cpu = Devices.choose("cpu");
    Torch.threads(1);
    Path folder = newRunFolder();
    List<Comparison.Row> rows = new ArrayList<>();
    List<ContactSheet.Strip> strips = new ArrayList<>();
    List<String> leftOut = new ArrayList<>();
    int size;
    try (ImageModel model = ImageModel.open(options.model, cpu);
        Classifier classifier = Images.classifier(cpu);
        Progress.Task task =
            progress().start("compare", (strategies.size() * (long) on.size() + 1))) {
      size = options.size(model);
      Comparison.Subject subject = new Comparison.Subject(model, classifier, images, options.seed);
      Progress.Task silent = Progress.silent().start("steps", -1);
      Job single = options.job(model, "single", 1);
      Comparison.Result reference = Comparison.run(subject, single, 1, new float[0], silent);
      rows.add(reference.row());
      strips.add(new ContactSheet.Strip("single", reference.pixels()));
      task.advance(1);
      for (int n : on) {
        for (String name : strategies) {
          task.note(name + " on " + n);
          Job job = options.job(model, name, n);
          try {
            job.check(model.denoiser(), n);
          } catch (SpillwayException e) {
            leftOut.add(name + " on " + n + ": " + e.getMessage());
            task.advance(1);
            continue;
          }
          Comparison.Result result = Comparison.run(subject, job, n, reference.pixels(), silent);
          rows.add(result.row());
          strips.add(
              new ContactSheet.Strip(result.row().strategy() + ", n = " + n, result.pixels()));
          task.advance(1);
        }
      }
    }
    Path sheet = folder.resolve("contact-sheet.png");
    Png.write(
        sheet,
        ContactSheet.draw(strips, size, Math.min(8, images)),
        Map.of("Software", "spillway diffuse compare"));
    record(folder, options.seed, Map.of("rows", rows, "leftOut", leftOut));
    answer(
        Map.of("rows", rows, "leftOut", leftOut, "contactSheet", sheet.toString()),
        table(rows).render(io.spillway.report.Terminal.width())
            + (leftOut.isEmpty() ? "" : "\nleft out:\n  " + String.join("\n  ", leftOut))
            + "\ncontact sheet: "
            + sheet);
  }

  private static TextTable table(List<Comparison.Row> rows) {
    TextTable table =
        new TextTable(
            "strategy",
            "n",
            "steps",
            "step bytes",
            "all bytes",
            "buffers",
            "time/image",
            "PSNR dB",
            "SSIM",
            "seam",
            "class",
            "Fréchet");
    for (Comparison.Row r : rows) {
      table.row(
          r.strategy(),
          r.ranks(),
          r.steps(),
          new Bytes(r.stepBytes()),
          new Bytes(r.totalBytes()),
          new Bytes(r.bufferBytes()),
          new Seconds(r.secondsPerImage()),
          interval(r.psnr(), 1),
          interval(r.ssim(), 3),
          interval(r.seam(), 2),
          String.format(Locale.ROOT, "%.1f %%", 100 * r.accuracy()),
          String.format(Locale.ROOT, "%.2f", r.frechet()));
    }
    return table;
  }

  private static String interval(Quality.Interval i, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f ± %." + digits + "f", i.mean(), i.half());
  }
}
