import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.Quality;
import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.shapes.Classifier;
import io.spillway.diffusion.shapes.Picture;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.Torch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;

/// Quality against bytes of every strategy on one of our models on a CPU, sharpened in rounds: each round makes
/// one more image of every class for every cell (seeds follow one another), so that the table is whole early and
/// its intervals narrow as long as time is given. diffusion-quality.sh starts it.
///
/// `DiffusionGrid MODEL OUT.json SECONDS ROUNDS`: ends after the seconds or rounds; a later call goes on where the
/// file beside it (OUT.state.json, all images' values) ends. Ranks are threads that exchange real copies.
public final class DiffusionGrid {
  private static final double GUIDANCE = 3;
  private static final int CLASSES = Shape.values().length;
  private static final int DRAWN = 2048;

  /// One cell of the tables.
  ///
  /// @param rounds how many rounds it takes part in at most
  public record Cell(String table, String name, Strategy strategy, int ranks, int steps, int warmup, int rounds) {
    String key() {
      return name + "/" + ranks + "/" + steps + "/" + warmup;
    }
  }

  /// What is known of a cell, image by image.
  public static final class Values {
    public long stepBytes;
    public long totalBytes;
    public long bufferBytes;
    public List<Double> psnr = new ArrayList<>();
    public List<Double> ssim = new ArrayList<>();
    public List<Double> seam = new ArrayList<>();
    public List<Integer> named = new ArrayList<>();
    public List<double[]> features = new ArrayList<>();
  }

  /// All cells by key.
  public record State(Map<String, Values> cells) {}

  /// A row of the result.
  public record Row(
      String table,
      String name,
      int ranks,
      int steps,
      int warmup,
      int images,
      long stepBytes,
      long totalBytes,
      long bufferBytes,
      Quality.Interval psnr,
      Quality.Interval ssim,
      Quality.Interval seam,
      double recognised,
      double frechet) {}

  /// The result: quality to one device, bytes of the busiest rank for one image with both guidance branches.
  public record Result(String model, double guidance, String command, List<Row> rows) {}

  private final ImageModel model;
  private final Classifier classifier;
  private final Path out;
  private final Path stateFile;
  private final List<Cell> cells = new ArrayList<>();
  private final Map<String, Values> state;
  private final List<double[]> drawn = new ArrayList<>();

  private DiffusionGrid(ImageModel model, Classifier classifier, Path out) throws Exception {
    this.model = model;
    this.classifier = classifier;
    this.out = out;
    this.stateFile = out.resolveSibling(out.getFileName().toString().replaceAll("\\.json$", "") + ".state.json");
    this.state =
        Files.exists(stateFile)
            ? new LinkedHashMap<>(Json.read(stateFile, State.class).cells())
            : new LinkedHashMap<>();
  }

  public static void main(String[] args) throws Exception {
    ComputeDevice cpu = Devices.choose("cpu");
    Torch.threads(1);
    long end = System.nanoTime() + (long) (Double.parseDouble(args[2]) * 1e9);
    try (ImageModel model = ImageModel.open(args[0], cpu);
        Classifier classifier = Images.classifier(cpu)) {
      DiffusionGrid grid = new DiffusionGrid(model, classifier, Path.of(args[1]).toAbsolutePath());
      grid.lay(args[0].equals("shapes-unet"));
      grid.run(end, Integer.parseInt(args[3]), Pattern.compile(args.length > 4 ? args[4] : ".*"));
      grid.write();
    }
    System.exit(0);
  }

  private static Strategy pcpp(double p, int pool, boolean extrapolate) {
    return new Strategy.Pcpp(p, pool, extrapolate);
  }

  private void cell(String table, String name, Strategy strategy, int n, int steps, int warmup, int rounds) {
    Cell cell = new Cell(table, name, strategy, n, steps, warmup, rounds);
    try {
      job(cell).check(model.denoiser(), n);
    } catch (RuntimeException e) {
      return; // this model cannot be shared so, as a UNet cannot be a pipeline
    }
    if (cells.stream().noneMatch(c -> c.key().equals(cell.key()))) {
      cells.add(cell);
    }
  }

  private void lay(boolean unet) {
    Strategy distrifusion = new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, false);
    Strategy extrapolated = new Strategy.DistriFusion(Sync.CORRECTED_ASYNC_GN, true);
    for (int steps : List.of(25, 10, 50)) {
      int rounds = steps == 50 ? 8 : 16;
      cell("one device", "single", new Strategy.Single(), 1, steps, 4, rounds);
      for (int n : List.of(8, 4, 2)) {
        cell("grid", "naive", new Strategy.NaivePatches(), n, steps, 4, rounds);
        cell("grid", "distrifusion", distrifusion, n, steps, 4, rounds);
        cell("grid", "pcpp p=0.3", pcpp(0.3, 0, false), n, steps, 4, rounds);
        cell("grid", "pcpp p=0.3 pool=4", pcpp(0.3, 4, false), n, steps, 4, rounds);
        cell("grid", "pcpp p=0 pool=16", pcpp(0, 16, false), n, steps, 4, rounds);
        cell("grid", "turns 0.125", new Strategy.Turns(0.125), n, steps, 4, rounds);
        cell("grid", "pipefusion", new Strategy.PipeFusion(0), n, steps, 4, rounds);
        if (!unet) {
          cell("grid", "distrifusion x", extrapolated, n, steps, 4, rounds);
          cell("grid", "pcpp p=0.3 pool=4 x", pcpp(0.3, 4, true), n, steps, 4, rounds);
        }
      }
      if (steps == 25) {
        for (int n : List.of(8, 4, 2)) {
          cell("exact", "ulysses", new Strategy.SequenceParallel(n, 1), n, steps, 4, 1);
          cell("exact", "ring", new Strategy.SequenceParallel(1, n), n, steps, 4, 1);
          cell("exact", "tensor", new Strategy.TensorParallel(), n, steps, 4, 1);
        }
        for (double p : unet ? new double[] {0, 1} : new double[] {0, 0.1, 0.2, 0.5, 0.75, 1}) {
          cell("p", "pcpp p=" + p, pcpp(p, 0, false), 8, steps, 4, rounds);
        }
        for (int pool : unet ? new int[0] : new int[] {8, 32}) {
          cell("pool", "pcpp p=0 pool=" + pool, pcpp(0, pool, false), 8, steps, 4, rounds);
        }
        for (double share : unet ? new double[0] : new double[] {0.0625, 0.25}) {
          cell("share", "turns " + share, new Strategy.Turns(share), 8, steps, 4, rounds);
        }
        for (int warmup : unet ? new int[] {1, 8} : new int[] {0, 1, 2, 8, 12}) {
          cell("warm-up", "pcpp p=0.3", pcpp(0.3, 0, false), 8, steps, warmup, rounds);
          cell("warm-up", "pcpp p=0 pool=16", pcpp(0, 16, false), 8, steps, warmup, rounds);
          cell("warm-up", "distrifusion", distrifusion, 8, steps, warmup, rounds);
        }
      }
    }
  }

  private Job job(Cell c) {
    int side = model.size() / model.pixelFold();
    return new Job(c.strategy, false, c.warmup, c.steps, model.sampler(), GUIDANCE, side, side);
  }

  private void run(long end, int rounds, Pattern wanted) throws Exception {
    for (int round = 0; round < rounds; round++) {
      int known = -1;
      float[] reference = new float[0];
      for (Cell c : cells) {
        Values v = state.computeIfAbsent(c.key(), _ -> new Values());
        boolean reaches = v.psnr.size() >= (round + 1) * CLASSES;
        if (reaches || round >= c.rounds || !wanted.matcher(c.key()).matches()) {
          continue;
        }
        if (System.nanoTime() > end) {
          return;
        }
        if (known != c.steps) {
          reference = make(c.strategy instanceof Strategy.Single ? c : single(c.steps), round).pixels();
          known = c.steps;
        }
        long began = System.nanoTime();
        Images.Made made =
            c.strategy instanceof Strategy.Single ? new Images.Made(reference, List.of()) : make(c, round);
        add(c, v, made, reference);
        write();
        System.out.printf(
            Locale.ROOT, "round %d: %s: %.1f dB (%.1f s)%n", round + 1, c.key(),
            v.psnr.stream().mapToDouble(d -> d).average().orElse(0), (System.nanoTime() - began) / 1e9);
      }
    }
  }

  private Cell single(int steps) {
    return new Cell("one device", "single", new Strategy.Single(), 1, steps, 4, 1);
  }

  /// One image of every class.
  private Images.Made make(Cell c, int round) {
    long[] seeds = new long[CLASSES];
    int[] labels = new int[CLASSES];
    for (int i = 0; i < CLASSES; i++) {
      seeds[i] = 1L + round * CLASSES + i;
      labels[i] = i;
    }
    return new Images(model, model.size(), seeds, labels).make(job(c), c.ranks, _ -> {});
  }

  private void add(Cell c, Values v, Images.Made made, float[] reference) {
    int size = model.size();
    int each = 3 * size * size;
    Classifier.Verdict verdict = classifier.judge(made.pixels(), CLASSES, size);
    for (int i = 0; i < CLASSES; i++) {
      v.psnr.add(Quality.psnr(made.pixels(), reference, i * each, each));
      v.ssim.add(Quality.ssim(made.pixels(), reference, i * each, size));
      v.seam.add(Quality.seamRatio(made.pixels(), i * each, size, c.ranks));
      v.named.add(verdict.labels()[i]);
      v.features.add(verdict.features()[i]);
    }
    for (RankRenderer.Outcome o : made.ranks()) {
      v.stepBytes = Math.max(v.stepBytes, o.displacedReceived() / CLASSES);
      v.totalBytes = Math.max(v.totalBytes, o.received() / CLASSES);
      v.bufferBytes = Math.max(v.bufferBytes, o.bufferBytes());
    }
  }

  private void write() throws Exception {
    AtomicFiles.writeString(stateFile, Json.write(new State(state)));
    List<Row> rows = new ArrayList<>();
    for (Cell c : cells) {
      Values v = state.get(c.key());
      if (v != null && !v.psnr.isEmpty()) {
        rows.add(row(c, v));
      }
    }
    AtomicFiles.writeString(
        out, Json.write(new Result(model.name(), GUIDANCE, "bench/diffusion-quality.sh", rows)));
  }

  private Row row(Cell c, Values v) {
    int right = 0;
    for (int i = 0; i < v.named.size(); i++) {
      right += v.named.get(i) == i % CLASSES ? 1 : 0;
    }
    return new Row(
        c.table, c.name, c.ranks, c.steps, c.warmup, v.psnr.size(), v.stepBytes, v.totalBytes, v.bufferBytes,
        interval(v.psnr), interval(v.ssim), interval(v.seam), (double) right / v.named.size(),
        Quality.frechet(v.features, drawn()));
  }

  private static Quality.Interval interval(List<Double> values) {
    return Quality.Interval.of(values.stream().mapToDouble(d -> d).toArray());
  }

  /// The classifier's features of fresh pictures, classes in turn.
  private List<double[]> drawn() {
    if (drawn.isEmpty()) {
      int size = model.size();
      int each = 3 * size * size;
      RandomGenerator random = new Seeds(1).stream("drawn pictures");
      float[] some = new float[256 * each];
      for (int begin = 0; begin < DRAWN; begin += 256) {
        for (int i = 0; i < 256; i++) {
          Picture.draw(Shape.values()[i % CLASSES], size, random, some, i * each);
        }
        drawn.addAll(List.of(classifier.judge(some, 256, size).features()));
      }
    }
    return drawn;
  }
}
