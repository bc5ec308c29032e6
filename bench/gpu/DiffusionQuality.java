import io.spillway.diffusion.Comparison;
import io.spillway.diffusion.ContactSheet;
import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.Strategy;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// Quality against bytes of every strategy on one of our trained models, with the ranks as threads of one
/// process on one device, which exchange real copies (diffusion-quality.sh starts it).
///
/// `DiffusionQuality MODEL DEVICE IMAGES SECONDS OUT EARLIER CELLS`: at most so many images a cell (0: as DiffusionCells says);
/// no cell begins after the seconds; OUT.json is written after each, OUT.png at the end; cells that EARLIER, the file of a
/// run before, holds are kept; CELLS picks some, a regular expression over NAME/RANKS/STEPS/WARM-UP.
public final class DiffusionQuality {
  private static final double GUIDANCE = 3;
  private static final int REFERENCES = 256; // images of one device for each number of steps

  private final ImageModel model;
  private final Comparison.Subject subject;
  private final ComputeDevice device;
  private final long end;
  private final Path out;
  private final List<Object> rows = new ArrayList<>();
  private final Set<String> done = new HashSet<>();
  private final List<String> leftOut = new ArrayList<>();
  private final Map<Integer, Comparison.Result> references = new HashMap<>();
  private final List<ContactSheet.Strip> strips = new ArrayList<>();

  private DiffusionQuality(ImageModel model, Classifier classifier, ComputeDevice device, int images, double seconds, Path out) {
    this.model = model;
    this.device = device;
    this.end = System.nanoTime() + (long) (seconds * 1e9);
    this.out = out;
    int all = images == 0 ? REFERENCES : Math.min(REFERENCES, images);
    this.subject = new Comparison.Subject(model, classifier, all, 1, device.isCuda() ? all : 16);
  }

  public static void main(String[] args) throws Exception {
    ComputeDevice device = Devices.choose(args[1]);
    int images = Integer.parseInt(args[2]);
    Path out = Path.of(args[4]);
    if (device.isCuda()) {
      Torch.allowTf32();
    } else {
      Torch.threads(1);
    }
    try (ImageModel model = ImageModel.open(args[0], device);
        Classifier classifier = Images.classifier(device)) {
      DiffusionQuality bench = new DiffusionQuality(model, classifier, device, images, Double.parseDouble(args[3]), out);
      bench.keep(Path.of(args[5]));
      Pattern wanted = Pattern.compile(args[6]);
      for (DiffusionCells.Cell cell : DiffusionCells.of(args[0].contains("unet"), images)) {
        if (wanted.matcher(cell.key()).find()) {
          bench.measure(cell);
        }
      }
      bench.write();
      if (bench.strips.size() > 1) {
        Png.write(
            Path.of(out + ".png"), ContactSheet.draw(bench.strips, model.size(), 8), Map.of("Software", "spillway bench"));
      }
    }
    System.exit(0);
  }

  /// Takes over what an earlier run measured of this model; nothing where there is no such file.
  private void keep(Path earlier) {
    if (!Files.isRegularFile(earlier)) {
      return;
    }
    for (JsonNode of : Json.readTree(earlier).path("models")) {
      if (of.path("model").asString().equals(model.name())) {
        of.path("rows").forEach(row -> {
          JsonNode r = row.path("row");
          rows.add(row);
          done.add(
              DiffusionCells.Cell.key(
                  row.path("name").asString(), r.path("ranks").asInt(), r.path("steps").asInt(), r.path("warmup").asInt()));
        });
      }
    }
    System.out.println(rows.size() + " rows kept from the earlier run");
  }

  private Job job(Strategy strategy, int steps, int warmup) {
    int side = model.size() / model.pixelFold();
    return new Job(strategy, false, warmup, steps, model.sampler(), GUIDANCE, side, side);
  }

  private void measure(DiffusionCells.Cell cell) throws Exception {
    if (done.contains(cell.key())) {
      return;
    }
    if (System.nanoTime() > end) {
      leftOut.add(cell.key() + ": out of time");
      return;
    }
    try {
      Job job = job(cell.strategy(), cell.steps(), cell.warmup());
      job.check(model.denoiser(), cell.ranks());
      float[] reference = reference(cell.steps()).pixels();
      Comparison.Subject some = subject.of(Math.min(cell.images(), subject.images()));
      long began = System.nanoTime();
      Comparison.Result result = Comparison.run(some, job, cell.ranks(), reference, silent());
      add(cell.table(), cell.name(), some.images(), result.row(), (System.nanoTime() - began) / 1e9);
      if (cell.shown()) {
        strips.add(new ContactSheet.Strip(cell.name() + ", n = " + cell.ranks(), firstImages(result.pixels())));
      }
    } catch (RuntimeException e) {
      leftOut.add(cell.key() + ": " + e);
      System.out.println(cell.key() + ": " + e);
      if (String.valueOf(e).contains("CUDA error")) {
        write();
        throw e;
      }
    }
    if (device.isCuda()) {
      CudaMemory.releaseUnused();
    }
  }

  private static Progress.Task silent() {
    return Progress.silent().start("steps", -1);
  }

  /// One device's pictures for that many steps; cells with fewer images compare with the first.
  private Comparison.Result reference(int steps) throws Exception {
    Comparison.Result known = references.get(steps);
    if (known == null) {
      long began = System.nanoTime();
      known = Comparison.run(subject, job(new Strategy.Single(), steps, 0), 1, new float[0], silent());
      references.put(steps, known);
      if (done.add(DiffusionCells.Cell.key("single", 1, steps, 0))) {
        add("one device", "single", subject.images(), known.row(), (System.nanoTime() - began) / 1e9);
      }
      if (strips.isEmpty()) {
        strips.add(new ContactSheet.Strip("one device", firstImages(known.pixels())));
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

  private void add(String table, String name, int images, Comparison.Row r, double seconds) throws Exception {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("table", table);
    row.put("name", name);
    row.put("images", images);
    row.put("row", r);
    row.put("accuracyHalf", r.accuracyHalf(images));
    row.put("seconds", seconds);
    rows.add(row);
    System.out.printf(
        Locale.ROOT,
        "%-10s %-24s n %d steps %2d warm-up %2d images %3d | %9.1f KiB a step %8.2f MiB all | PSNR %5.1f +- %.1f SSIM %.3f +- %.3f seam %.2f | class %5.1f +- %.1f %% Frechet %8.1f | %.1f s%n",
        table, name, r.ranks(), r.steps(), r.warmup(), images, r.stepBytes() / 1024.0, r.totalBytes() / 1048576.0,
        r.psnr().mean(), r.psnr().half(), r.ssim().mean(), r.ssim().half(), r.seam().mean(),
        100 * r.accuracy(), 100 * r.accuracyHalf(images), r.frechet(), seconds);
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
