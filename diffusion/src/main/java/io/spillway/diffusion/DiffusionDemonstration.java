package io.spillway.diffusion;

import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.shapes.Png;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import io.spillway.report.TextTable;
import io.spillway.tensor.Devices;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// The same pictures by one device and by four ranks, with their error maps.
public final class DiffusionDemonstration implements Demonstration {
  private static final int RANKS = 4;
  private static final int STEPS = 10;
  private static final int WARM_UP = 2;
  private static final int[] CLASSES = {0, 2, 5, 7};

  @Override
  public String system() {
    return "diffusion";
  }

  @Override
  public String task() {
    return "draw four shapes on four ranks that share each picture";
  }

  @Override
  public Outcome run(Seeds seeds, Progress progress, HtmlPage page) {
    try (ImageModel model = ImageModel.open("shapes-dit", Devices.cpu());
        Progress.Task task = progress.start("diffuse", 4L * STEPS)) {
      long[] noise = new long[CLASSES.length];
      java.util.Arrays.setAll(noise, i -> seeds.seed() + i);
      Images images = new Images(model, model.size(), noise, CLASSES);
      Images.Made one = images.make(job(images, new Strategy.Single()), 1, task);
      List<ContactSheet.Strip> strips = new ArrayList<>();
      strips.add(new ContactSheet.Strip("one device", one.pixels()));
      TextTable table = new TextTable("strategy", "received a rank and step", "PSNR to one device");
      Strategy whole = new Strategy.DistriFusion(Strategy.Sync.CORRECTED_ASYNC_GN, false);
      long wholeBytes = 0;
      long partialBytes = 0;
      double psnr = 0;
      for (Strategy s :
          List.of(whole, new Strategy.Pcpp(0.3, 0, false), new Strategy.Pcpp(0.3, 4, true))) {
        Images.Made made = images.make(job(images, s), RANKS, task);
        long bytes =
            made.ranks().stream()
                .mapToLong(RankRenderer.Outcome::displacedReceived)
                .max()
                .orElse(0);
        double quality = meanPsnr(made.pixels(), one.pixels());
        table.row(s.label(), bytes + " B", String.format(Locale.ROOT, "%.1f dB", quality));
        strips.add(new ContactSheet.Strip(s.label(), made.pixels()));
        wholeBytes = s == whole ? bytes : wholeBytes;
        partialBytes = bytes;
        psnr = quality;
      }
      page.image(
              Png.encode(ContactSheet.draw(strips, model.size(), CLASSES.length), Map.of()),
              "image/png",
              "Pictures by strategy, and where they differ from one device")
          .table(table);
      double saved = 100.0 * (wholeBytes - partialBytes) / wholeBytes;
      return new Outcome(
          String.format(
              Locale.ROOT,
              "PCPP with pooled keys receives %.0f %% fewer bytes than DistriFusion on %d ranks",
              saved,
              RANKS),
          String.format(Locale.ROOT, "its pictures are %.1f dB from one device's", psnr),
          Map.of(
              "distrifusionBytes", wholeBytes,
              "pooledBytes", partialBytes,
              "psnrDb", psnr));
    }
  }

  private static Job job(Images images, Strategy strategy) {
    return new Job(
        strategy,
        false,
        WARM_UP,
        STEPS,
        images.model().sampler(),
        2.5,
        images.rows(),
        images.rows());
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
