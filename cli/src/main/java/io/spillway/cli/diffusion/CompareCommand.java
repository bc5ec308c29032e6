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
import io.spillway.diffusion.shapes.Raster;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import io.spillway.report.HtmlPage;
import io.spillway.report.Plot;
import io.spillway.report.TextTable;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
          "naive,distrifusion,distrifusion-x,pcpp,pcpp-pool,pcpp-pool-x,turns,ulysses,ring,mesh,"
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

  @Option(
      names = "--batch",
      defaultValue = "16",
      description = "Images that are made at once; default ${DEFAULT-VALUE}.")
  private int batch;

  @Option(
      names = "--device",
      defaultValue = "cpu",
      description =
          "cpu, cuda or cuda:N, on which all ranks live as threads; default ${DEFAULT-VALUE}.")
  private String device = "cpu";

  @Override
  protected void execute() {
    if (images < 1 || images > 10_000) {
      throw SpillwayException.badInput("--images %d: between 1 and 10000", images);
    }
    if (batch < 1 || batch > 4096) {
      throw SpillwayException.badInput("--batch %d: between 1 and 4096", batch);
    }
    ComputeDevice chosen = Devices.choose(device);
    if (!chosen.isCuda()) {
      Torch.threads(1);
    }
    Path folder = newRunFolder();
    List<Comparison.Row> rows = new ArrayList<>();
    List<ContactSheet.Strip> strips = new ArrayList<>();
    List<String> leftOut = new ArrayList<>();
    int size;
    try (ImageModel model = ImageModel.open(options.model, chosen);
        Classifier classifier = Images.classifier(chosen);
        Progress.Task task =
            progress().start("compare", (strategies.size() * (long) on.size() + 1))) {
      size = options.size(model);
      Comparison.Subject subject =
          new Comparison.Subject(model, classifier, images, options.seed, batch);
      Progress.Task silent = Progress.silent().start("steps", -1);
      Job single = options.job(model, "single", 1);
      Comparison.Result reference = Comparison.run(subject, single, 1, new float[0], silent);
      rows.add(reference.row());
      strips.add(new ContactSheet.Strip("one device", reference.pixels()));
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
              new ContactSheet.Strip(
                  result.row().strategy()
                      + System.lineSeparator()
                      + "n = "
                      + n
                      + ", "
                      + (equal(result.row())
                          ? "equal"
                          : String.format(Locale.ROOT, "%.1f dB", result.row().psnr().mean())),
                  result.pixels()));
          task.advance(1);
        }
      }
    }
    Path sheet = folder.resolve("contact-sheet.png");
    Raster drawn = ContactSheet.draw(strips, size, Math.min(8, images));
    Map<String, String> software = Map.of("Software", "spillway diffuse compare");
    Png.write(sheet, drawn, software);
    List<Plot> plots = on.stream().map(n -> plot(rows, n)).flatMap(Optional::stream).toList();
    HtmlPage page = new HtmlPage("Strategies for one image on many ranks").table(table(rows));
    plots.forEach(p -> page.plot(p, "Towards the upper left is better"));
    page.image(
        Png.encode(drawn, software), "image/png", "Images and where they differ from one device");
    page.write(folder.resolve("index.html"));
    record(folder, options.seed, Map.of("rows", rows, "leftOut", leftOut));
    answer(
        Map.of("rows", rows, "leftOut", leftOut, "contactSheet", sheet.toString()),
        table(rows).render(io.spillway.report.Terminal.width())
            + (leftOut.isEmpty() ? "" : "\nleft out:\n  " + String.join("\n  ", leftOut))
            + "\ncontact sheet: "
            + sheet
            + "\npage: "
            + folder.resolve("index.html"));
  }

  /// PSNR against the bytes of a displaced step for strategies that differ from one device.
  private static Optional<Plot> plot(List<Comparison.Row> rows, int ranks) {
    List<Comparison.Row> shown =
        rows.stream()
            .filter(r -> r.ranks() == ranks && r.stepBytes() > 0 && r.psnr().mean() < 60)
            .toList();
    if (shown.isEmpty()) {
      return Optional.empty();
    }
    Plot plot =
        Plot.xy(ranks + " ranks", "KiB received by a rank in a displaced step", "PSNR, dB").logX();
    for (Comparison.Row r : shown) {
      plot.line(
          r.strategy(),
          new double[] {r.stepBytes() / 1024.0},
          new double[] {r.psnr().mean()},
          new double[] {r.psnr().half()});
    }
    return Optional.of(plot);
  }

  private TextTable table(List<Comparison.Row> rows) {
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
          equal(r) ? "equal" : interval(r.psnr(), 1),
          interval(r.ssim(), 3),
          interval(r.seam(), 2),
          String.format(
              Locale.ROOT, "%.1f ± %.1f %%", 100 * r.accuracy(), 100 * r.accuracyHalf(images)),
          String.format(Locale.ROOT, "%.2f", r.frechet()));
    }
    return table;
  }

  /// Whether every image equals one device's but for rounding.
  private static boolean equal(Comparison.Row row) {
    return row.psnr().mean() >= Quality.MOST_DB;
  }

  private static String interval(Quality.Interval i, int digits) {
    return String.format(Locale.ROOT, "%." + digits + "f ± %." + digits + "f", i.mean(), i.half());
  }
}
