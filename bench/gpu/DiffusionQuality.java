import io.spillway.diffusion.Comparison;
import io.spillway.diffusion.ContactSheet;
import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.shapes.Classifier;
import io.spillway.diffusion.shapes.Png;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Progress;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.CudaMemory;
import io.spillway.tensor.Devices;
import io.spillway.tensor.Torch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Quality against bytes of every strategy on one of our trained models, with the ranks as threads of one
/// process on one device, which exchange real copies (diffusion-quality.sh starts it).
///
/// `DiffusionQuality MODEL DEVICE KIND SECONDS OUT`: KIND full, quick or rehearse; parts come in the order
/// of their weight and stop when the seconds are over; OUT.json is written after each, OUT.png at the end.
public final class DiffusionQuality {
  private static final double GUIDANCE = 3;
  private static final Strategy DISTRIFUSION = new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, false);

  private final ImageModel model;
  private final Comparison.Subject many;
  private final String kind;
  private final ComputeDevice device;
  private final long end;
  private final Path out;
  private final List<Map<String, Object>> rows = new ArrayList<>();
  private final List<String> leftOut = new ArrayList<>();
  private final Map<String, float[]> references = new LinkedHashMap<>();
  private final List<ContactSheet.Strip> strips = new ArrayList<>();

  private DiffusionQuality(ImageModel model, Classifier classifier, ComputeDevice device, String[] args) {
    this.model = model;
    this.device = device;
    this.kind = args[2];
    this.end = System.nanoTime() + (long) (Double.parseDouble(args[3]) * 1e9);
    this.out = Path.of(args[4]);
    this.many = new Comparison.Subject(model, classifier, images(2048), 1, kind.equals("rehearse") ? 4 : 256);
  }

  private int images(int full) {
    return switch (kind) {
      case "full" -> full;
      case "quick" -> Math.min(full, 256);
      default -> 4;
    };
  }

  public static void main(String[] args) throws Exception {
    ComputeDevice device = Devices.choose(args[1]);
    if (device.isCuda()) {
      Torch.allowTf32();
    } else {
      Torch.threads(1);
    }
    try (ImageModel model = ImageModel.open(args[0], device);
        Classifier classifier = Images.classifier(device)) {
      DiffusionQuality bench = new DiffusionQuality(model, classifier, device, args);
      bench.run();
      bench.write();
      if (!bench.strips.isEmpty()) {
        Png.write(
            Path.of(args[4] + ".png"),
            ContactSheet.draw(bench.strips, model.size(), 8),
            Map.of("Software", "spillway bench"));
      }
    }
    System.exit(0);
  }

  private record Named(String name, Strategy strategy) {}

  private static Named pcpp(double p, int pool, boolean extrapolate) {
    return new Named(
        "pcpp p=" + p + (pool > 0 ? " pool=" + pool : "") + (extrapolate ? " x" : ""),
        new Strategy.Pcpp(p, pool, extrapolate));
  }

  private List<Named> displaced(int n) {
    List<Named> all =
        new ArrayList<>(
            List.of(
                pcpp(0.3, 0, false),
                new Named("distrifusion", DISTRIFUSION),
                pcpp(0.18, 32, false),
                pcpp(0.3, 4, false),
                pcpp(0, 16, false),
                new Named("pipefusion", new Strategy.PipeFusion(0)),
                pcpp(0, 8, false),
                new Named("naive", new Strategy.NaivePatches()),
                pcpp(0.3, 4, true),
                new Named("distrifusion x", new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, true))));
    return all;
  }

  /// The paper's own setting, then those about its bytes, then those with more.
  private static List<Named> front() {
    List<Named> all = new ArrayList<>(List.of(pcpp(0.3, 0, false)));
    for (double[] at : new double[][] {{0.18, 32}, {0.2, 32}, {0.15, 32}, {0, 16}, {0.1, 32}, {0.2, 16}, {0.1, 8}, {0, 4}, {0.1, 4}, {0.3, 4}}) {
      all.add(pcpp(at[0], (int) at[1], false));
    }
    all.add(new Named("distrifusion", DISTRIFUSION));
    all.add(pcpp(0.3, 4, true));
    return all;
  }

  private void run() throws Exception {
    boolean rehearse = kind.equals("rehearse");
    // the front on 8 ranks first: fewer images a cell, so that quality against bytes is whole early
    Comparison.Subject some = many.of(images(512));
    for (Named s : rehearse ? List.<Named>of() : front()) {
      row("front", some, s, 8, 25, 4, true);
    }
    // the main table
    for (int n : rehearse ? List.of(2) : List.of(8, 4, 2)) {
      for (Named s : displaced(n)) {
        row("main", many, s, n, rehearse ? 6 : 25, 4, n == (rehearse ? 2 : 8));
      }
    }
    // exact strategies: they equal one device, few images show it
    Comparison.Subject few = many.of(images(64));
    for (int n : rehearse ? List.of(2) : List.of(2, 4, 8)) {
      row("exact", few, new Named("ulysses", new Strategy.SequenceParallel(n, 1)), n, rehearse ? 6 : 25, 4, false);
      row("exact", few, new Named("ring", new Strategy.SequenceParallel(1, n)), n, rehearse ? 6 : 25, 4, false);
      row("exact", few, new Named("tensor", new Strategy.TensorParallel()), n, rehearse ? 6 : 25, 4, false);
      row("exact", few, new Named("full_sync", new Strategy.DistriFusion(Sync.FULL_SYNC, false)), n, rehearse ? 6 : 25, 4, false);
    }
    if (rehearse) {
      return;
    }
    // p, pools, extrapolation and warm-up on 8 ranks
    for (double p : new double[] {0, 0.1, 0.2, 0.3, 0.5, 0.75, 1}) {
      row("p", some, pcpp(p, 0, false), 8, 25, 4, false);
    }
    for (int pool : new int[] {2, 4, 8, 16, 32}) {
      for (double p : new double[] {0, 0.1, 0.3}) {
        if (front().stream().noneMatch(f -> f.strategy.equals(new Strategy.Pcpp(p, pool, false)))) {
          row("pool", some, pcpp(p, pool, false), 8, 25, 4, false);
        }
      }
    }
    for (int warmup : new int[] {0, 1, 2, 4, 8, 12}) {
      row("warm-up", some, pcpp(0.3, 0, false), 8, 25, warmup, false);
      row("warm-up", some, pcpp(0.3, 4, false), 8, 25, warmup, false);
      row("warm-up", some, new Named("distrifusion", DISTRIFUSION), 8, 25, warmup, false);
    }
    // few and many steps
    for (int steps : new int[] {10, 50}) {
      for (int n : List.of(8, 4, 2)) {
        for (Named s : displaced(n)) {
          row("steps", some, s, n, steps, 4, false);
        }
      }
    }
    // extrapolation where steps are small and warm-up long
    for (int warmup : new int[] {4, 12}) {
      for (int steps : new int[] {50, 100}) {
        for (int n : List.of(2, 8)) {
          row("extrapolation", some, pcpp(0.3, 4, true), n, steps, warmup, false);
          row("extrapolation", some, pcpp(0.3, 4, false), n, steps, warmup, false);
          row("extrapolation", some, new Named("distrifusion x", new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, true)), n, steps, warmup, false);
          row("extrapolation", some, new Named("distrifusion", DISTRIFUSION), n, steps, warmup, false);
        }
      }
    }
  }

  private Job job(Strategy strategy, int steps, int warmup) {
    int side = model.size() / model.pixelFold();
    return new Job(strategy, false, warmup, steps, model.sampler(), GUIDANCE, side, side);
  }

  private void row(String table, Comparison.Subject subject, Named s, int n, int steps, int warmup, boolean show)
      throws Exception {
    String label = table + ": " + s.name + ", n " + n + ", " + steps + " steps, warm-up " + warmup;
    if (System.nanoTime() > end) {
      leftOut.add(label + ": out of time");
      return;
    }
    Job job = job(s.strategy, steps, warmup);
    try {
      job.check(model.denoiser(), n);
    } catch (RuntimeException e) {
      leftOut.add(label + ": " + e.getMessage());
      return;
    }
    Progress.Task silent = Progress.silent().start("steps", -1);
    try {
      float[] reference = reference(subject, steps);
      long began = System.nanoTime();
      Comparison.Result result = Comparison.run(subject, job, n, reference, silent);
      add(table, subject, s.name, result.row(), (System.nanoTime() - began) / 1e9);
      if (show) {
        strips.add(new ContactSheet.Strip(s.name + ", n = " + n, firstImages(result.pixels())));
      }
    } catch (RuntimeException e) {
      leftOut.add(label + ": " + e);
      System.out.println(label + ": " + e);
      if (String.valueOf(e).contains("CUDA error")) {
        write();
        throw e;
      }
    }
    if (device.isCuda()) {
      CudaMemory.releaseUnused();
    }
  }

  /// One device's pictures for that many steps; of more images than are asked for, the first.
  private float[] reference(Comparison.Subject subject, int steps) throws Exception {
    String key = steps + "/" + subject.images();
    float[] known = references.get(key);
    if (known == null) {
      long began = System.nanoTime();
      Comparison.Result single =
          Comparison.run(subject, job(new Strategy.Single(), steps, 0), 1, new float[0], Progress.silent().start("steps", -1));
      add("one device", subject, "single", single.row(), (System.nanoTime() - began) / 1e9);
      known = single.pixels();
      references.put(key, known);
      if (strips.isEmpty()) {
        strips.add(new ContactSheet.Strip("one device", firstImages(known)));
      }
    }
    return known;
  }

  private float[] firstImages(float[] pixels) {
    int each = 3 * model.size() * model.size();
    float[] eight = new float[8 * each];
    System.arraycopy(pixels, 0, eight, 0, Math.min(eight.length, pixels.length));
    return eight;
  }

  private void add(String table, Comparison.Subject subject, String name, Comparison.Row r, double seconds)
      throws Exception {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("table", table);
    row.put("name", name);
    row.put("images", subject.images());
    row.put("row", r);
    row.put("accuracyHalf", r.accuracyHalf(subject.images()));
    row.put("seconds", seconds);
    rows.add(row);
    System.out.printf(
        Locale.ROOT,
        "%-13s %-24s n %d steps %3d warm-up %2d images %4d | %9.1f KiB a step %8.2f MiB all | PSNR %5.1f +- %.1f SSIM %.3f +- %.3f seam %.2f | class %5.1f +- %.1f %% Frechet %8.1f | %.1f s%n",
        table, name, r.ranks(), r.steps(), r.warmup(), subject.images(), r.stepBytes() / 1024.0, r.totalBytes() / 1048576.0,
        r.psnr().mean(), r.psnr().half(), r.ssim().mean(), r.ssim().half(), r.seam().mean(),
        100 * r.accuracy(), 100 * r.accuracyHalf(subject.images()), r.frechet(), seconds);
    write();
  }

  private void write() throws Exception {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("model", model.name());
    all.put("device", device.toString());
    all.put("guidance", GUIDANCE);
    all.put("command", "bench/gpu/diffusion-quality.sh");
    all.put("libtorch", Torch.buildConfiguration());
    all.put("rows", rows);
    all.put("leftOut", leftOut);
    AtomicFiles.writeString(Path.of(out + ".json"), Json.write(all));
  }
}
