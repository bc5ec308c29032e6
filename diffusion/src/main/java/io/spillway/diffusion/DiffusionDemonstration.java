package io.spillway.diffusion;

import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.shapes.Png;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.units.Bytes;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import io.spillway.report.TextTable;
import io.spillway.tensor.Devices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The same pictures by one device and by four ranks, with their error maps.
public final class DiffusionDemonstration implements Demonstration {
  private static final int RANKS = 4;
  private static final int STEPS = 8;
  private static final int WARM_UP = 2;
  private static final int[] CLASSES = {0, 5, 7};

  @Override
  public String system() {
    return "diffusion";
  }

  @Override
  public String task() {
    return "draw three shapes, each on four ranks that share the picture";
  }

  /// What one model's pictures cost and lost by one strategy.
  private record Measured(long bytes, double psnr) {}

  @Override
  public Outcome run(Seeds seeds, Progress progress, HtmlPage page) {
    Strategy whole = new Strategy.DistriFusion(Strategy.Sync.CORRECTED_ASYNC_GN, false);
    Strategy near = new Strategy.Pcpp(0.3, 0, false);
    Strategy pooled = new Strategy.Pcpp(0.3, 4, false);
    try (Progress.Task task = progress.start("diffuse", 7L * STEPS)) {
      Map<Strategy, Measured> dit =
          model("shapes-dit", List.of(whole, near, pooled), seeds, task, page);
      Map<Strategy, Measured> unet = model("shapes-unet", List.of(whole, near), seeds, task, page);
      Measured most = java.util.Objects.requireNonNull(dit.get(whole));
      Measured least = java.util.Objects.requireNonNull(dit.get(near));
      Measured middle = java.util.Objects.requireNonNull(dit.get(pooled));
      Measured convolved = java.util.Objects.requireNonNull(unet.get(near));
      double saved = 100.0 * (most.bytes - least.bytes) / most.bytes;
      return new Outcome(
          String.format(
              Locale.ROOT,
              "PCPP receives %.0f %% fewer bytes than DistriFusion on %d ranks",
              saved,
              RANKS),
          String.format(
              Locale.ROOT,
              "its pictures are %.1f dB (DiT; %.1f dB with pooled keys) and %.1f dB (UNet) from one"
                  + " device's",
              least.psnr,
              middle.psnr,
              convolved.psnr),
          Map.of(
              "distrifusionBytes", most.bytes,
              "pcppBytes", least.bytes,
              "pcppPsnrDb", least.psnr,
              "pooledPsnrDb", middle.psnr,
              "unetPcppPsnrDb", convolved.psnr));
    }
  }

  /// The same pictures of one model by one device and by each strategy, on the page.
  private static Map<Strategy, Measured> model(
      String name, List<Strategy> strategies, Seeds seeds, Progress.Task task, HtmlPage page) {
    Map<Strategy, Measured> measured = new LinkedHashMap<>();
    try (ImageModel model = ImageModel.open(name, Devices.cpu())) {
      long[] noise = new long[CLASSES.length];
      java.util.Arrays.setAll(noise, i -> seeds.seed() + i);
      Images images = new Images(model, model.size(), noise, CLASSES);
      Images.Made one = images.make(job(images, new Strategy.Single()), 1, task);
      List<ContactSheet.Strip> strips = new ArrayList<>();
      strips.add(new ContactSheet.Strip("one device", one.pixels()));
      TextTable table = new TextTable("strategy", "received a rank and step", "PSNR to one device");
      for (Strategy s : strategies) {
        Images.Made made = images.make(job(images, s), RANKS, task);
        long bytes =
            made.ranks().stream()
                .mapToLong(RankRenderer.Outcome::displacedReceived)
                .max()
                .orElse(0);
        double quality = meanPsnr(made.pixels(), one.pixels());
        table.row(
            s.label(), new Bytes(bytes).toString(), String.format(Locale.ROOT, "%.1f dB", quality));
        strips.add(new ContactSheet.Strip(s.label(), made.pixels()));
        measured.put(s, new Measured(bytes, quality));
      }
      page.image(
              Png.encode(ContactSheet.draw(strips, model.size(), CLASSES.length), Map.of()),
              "image/png",
              name + ": pictures by strategy, and where they differ from one device")
          .table(table);
    }
    return measured;
  }

  private static Job job(Images images, Strategy strategy) {
    return new Job(
        strategy, false, WARM_UP, STEPS, images.model().sampler(), 3, images.rows(), images.rows());
  }

  private static double meanPsnr(float[] pixels, float[] reference) {
    int each = pixels.length / CLASSES.length;
    double sum = 0;
    for (int i = 0; i < CLASSES.length; i++) {
      sum += Quality.psnr(pixels, reference, i * each, each);
    }
    return sum / CLASSES.length;
  }
}
