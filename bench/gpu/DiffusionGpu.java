import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.ParameterShape;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.Unet;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.parallel.AbsentRanks;
import io.spillway.diffusion.parallel.Exchange;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.parallel.ProcessExchange;
import io.spillway.diffusion.parallel.RankRenderer;
import io.spillway.diffusion.sampling.FlowEuler;
import io.spillway.platform.Json;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.CudaMemory;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// One rank of the measurements of SDXL and DiT-XL with random weights (diffusion.sh starts it).
///
/// `DiffusionGpu KIND FOLDER`, KIND full, quick, graph (steps recorded as CUDA graphs beside others) or rehearse (tiny, on CPUs): runs one part after another
/// (a model at a size: one device, one rank's strips, each strategy; the links) and appends a line of
/// JSON to FOLDER/results-RANK.jsonl for each. Rank 0 notes in FOLDER/begun what it begins, and parts that
/// stand there are left out, so that a part that ends the process does not come back.
public final class DiffusionGpu {
  private record Subject(String name, int pixels) {}

  private final Path folder;
  private final String kind;
  private final ComputeDevice device;
  private final int rank;
  private final int ranks;
  private final ProcessGroup group;
  private final ProcessExchange world;
  private final Set<String> begun;
  private String modelName = "";
  private Denoiser model;

  private DiffusionGpu(String kind, Path folder) throws Exception {
    this.kind = kind;
    this.folder = folder;
    boolean several = RankEnvironment.isSet();
    this.device = Devices.choose(kind.equals("rehearse") ? "cpu" : "cuda");
    this.rank = several ? RankEnvironment.current().rank() : 0;
    this.ranks = several ? RankEnvironment.current().worldSize() : 1;
    Path noted = folder.resolve("begun");
    this.begun = Files.exists(noted) ? new TreeSet<>(Files.readAllLines(noted)) : new TreeSet<>();
    this.group =
        ranks == 1
            ? null
            : ProcessGroup.init(
                device.isCuda() ? GroupBackend.NCCL : GroupBackend.GLOO,
                RankEnvironment.current(),
                GroupOptions.defaults().withTimeout(Duration.ofSeconds(45)));
    this.world = group == null ? null : new ProcessExchange(group);
  }

  public static void main(String[] args) throws Exception {
    if (args[0].equals("parameters")) {
      System.out.println(count(UnetConfig.SDXL.parameters()) + " " + count(dit(64).parameters()));
      return;
    }
    if (args[0].equals("rehearse")) {
      Torch.threads(1);
    }
    DiffusionGpu bench = new DiffusionGpu(args[0], Path.of(args[1]));
    bench.run();
    if (bench.world != null) {
      bench.world.close();
    }
    System.exit(0);
  }

  private List<Subject> subjects() {
    return switch (kind) {
      case "full" ->
          List.of(
              new Subject("sdxl", 2048),
              new Subject("sdxl", 3840),
              new Subject("sdxl", 1024),
              new Subject("dit-xl", 1024),
              new Subject("dit-xl", 2048));
      case "graph" -> List.of(new Subject("sdxl", 1024), new Subject("dit-xl", 1024), new Subject("sdxl", 2048));
      case "quick" -> List.of(new Subject("sdxl", 1024), new Subject("sdxl", 2048), new Subject("dit-xl", 1024));
      default -> List.of(new Subject("dit-xl", 256), new Subject("sdxl", 256));
    };
  }

  private static long count(List<ParameterShape> shapes) {
    return shapes.stream().mapToLong(ParameterShape::elements).sum();
  }

  private static DitConfig dit(int latent) {
    return DitConfig.paper("XL", 2, latent);
  }

  private boolean tiny() {
    return kind.equals("rehearse");
  }

  /// The network of a subject with random weights; the last one's are kept.
  private Denoiser model(String name) {
    if (modelName.equals(name)) {
      return model;
    }
    if (model != null) {
      model.close();
      model.parameters().close();
    }
    long began = System.nanoTime();
    DType type = tiny() ? DType.BF16 : DType.F16; // CPUs have fast kernels for the former
    if (name.equals("sdxl")) {
      UnetConfig config =
          tiny()
              ? SMALL_UNET
              : UnetConfig.SDXL;
      model = new Unet(config, Parameters.randomOn(config.parameters(), type, device, 1));
    } else {
      DitConfig config = tiny() ? SMALL_DIT : dit(64);
      model = new Dit(config, Parameters.randomOn(config.parameters(), type, device, 1));
    }
    modelName = name;
    Devices.synchronize(device);
    System.out.printf("rank %d: %s, %.2f GB of weights in %.1f s%n", rank, name, model.parameters().bytes() / 1e9, (System.nanoTime() - began) / 1e9);
    return model;
  }

  private void run() throws Exception {
    meet();
    if (ranks > 1) {
      part("links", this::links);
    }
    part("right", this::right);
    part("recorded", this::recordedEqual);
    for (Subject s : subjects()) {
      String at = s.name + " " + s.pixels;
      // one device on rank 0; on another rank, meanwhile, the strips of rank n/2 of n without company
      part(at + " alone", () -> alone(s));
      if (ranks > 1) {
        for (String name : strategies(s)) {
          part(at + " " + name, () -> together(s, name));
        }
      }
      if (device.isCuda()) {
        CudaMemory.releaseUnused();
      }
    }
  }

  private interface Body {
    void run() throws Exception;
  }

  private void part(String name, Body body) throws Exception {
    if (begun.contains(name)) {
      return;
    }
    meet();
    if (rank == 0) {
      Files.writeString(
          folder.resolve("begun"), name + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }
    long began = System.nanoTime();
    try {
      body.run();
    } catch (RuntimeException e) {
      System.out.println("rank " + rank + ", " + name + ": " + e);
      StackTraceElement[] at = e.getStackTrace();
      for (int i = 0; i < Math.min(6, at.length); i++) {
        System.out.println("    " + at[i]);
      }
      write(Map.of("part", name, "failed", String.valueOf(e)));
      if (device.isCuda() && String.valueOf(e).contains("CUDA error")) {
        throw e; // the context is lost; the script starts again behind this part
      }
    }
    if (rank == 0) {
      System.out.printf("%-34s %6.1f s%n", name, (System.nanoTime() - began) / 1e9);
    }
  }

  private void meet() {
    if (group != null) {
      TensorScope.run(group::barrier);
      Devices.synchronize(device);
    }
  }

  private void write(Map<String, Object> line) throws Exception {
    Files.writeString(
        folder.resolve("results-" + rank + ".jsonl"),
        Json.line(line) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  private List<String> strategies(Subject s) {
    if (kind.equals("graph")) {
      return List.of(
          "pcpp", "pcpp+graph", "distrifusion", "distrifusion+graph", "pcpp-pool", "pcpp-pool+graph", "naive", "naive+graph",
          ranks == 2 ? "single+split" : "pcpp+split", ranks == 2 ? "single+split+graph" : "pcpp+split+graph");
    }
    List<String> names = new ArrayList<>(List.of("pcpp", "distrifusion", "pcpp-pool", "pcpp-pool-x", "naive"));
    names.add("ulysses");
    names.add("ring");
    if (ranks >= 4) {
      names.addAll(List.of("mesh", "distrifusion+split", "pcpp+split", "pcpp-pool+split", "ulysses+split"));
    } else {
      names.add("single+split");
    }
    names.add("tensor");
    if (tiny()) {
      names.add("pcpp+graph");
    }
    if (s.name.equals("dit-xl")) {
      names.add("pipefusion");
    }
    if (s.name.equals("dit-xl") && ranks >= 4) {
      names.add("pipefusion+split");
    }
    return names;
  }

  private static Job job(Subject s, How how, int steps) {
    return new Job(how.strategy, how.split, 1, steps, new FlowEuler(1), 5, s.pixels / 8, s.pixels / 8, how.recorded);
  }

  /// How a step is run.
  ///
  /// @param recorded as a CUDA graph
  private record How(Strategy strategy, boolean split, boolean recorded) {
    How(Strategy strategy) {
      this(strategy, false, false);
    }

    /// `pcpp`, `pcpp+split`, `pcpp+graph` or `pcpp+split+graph`.
    static How named(String name, int ranks) {
      boolean split = name.contains("+split");
      return new How(DiffusionGpu.strategy(name.replaceAll("\\+.*", ""), split ? ranks / 2 : ranks), split, name.endsWith("+graph"));
    }
  }

  private int timed(Subject s) {
    int all = s.pixels >= 3000 ? 2 : s.pixels >= 2000 ? 4 : 8;
    return kind.equals("full") ? all : Math.min(all, 3);
  }

  private void alone(Subject s) throws Exception {
    int elsewhere = ranks == 1 ? 0 : 1;
    if (rank == 0) {
      String name = s.name + " " + s.pixels + " alone";
      write(measured(name, measure(s, new How(new Strategy.Single()), new AbsentRanks(0, 1), timed(s)), 1));
      if (kind.equals("graph")) {
        How recorded = new How(new Strategy.Single(), false, true);
        write(measured(name + "+graph", measure(s, recorded, new AbsentRanks(0, 1), timed(s)), 1));
      }
    }
    if (rank == elsewhere) {
      boolean graph = kind.equals("graph");
      for (int n : graph || kind.equals("full") ? new int[] {2, 4, 8} : new int[] {2}) {
        for (String name : List.of("pcpp", "distrifusion", "pcpp-pool")) {
          String part = s.name + " " + s.pixels + (graph ? " strip+graph " : " strip ") + name + " " + n;
          try {
            write(measured(part, measure(s, new How(strategy(name, n), false, graph), new AbsentRanks(n / 2, n), timed(s)), n));
          } catch (RuntimeException e) {
            write(Map.of("part", part, "failed", String.valueOf(e)));
          }
        }
      }
    }
  }

  private static Strategy strategy(String name, int n) {
    return Strategy.named(name, n, 0.3, 4, Strategy.Sync.CORRECTED_ASYNC_GN);
  }

  private void together(Subject s, String name) throws Exception {
    How how = How.named(name, ranks);
    String at = s.name + " " + s.pixels + " ";
    try {
      job(s, how, 4).check(model(s.name), ranks);
    } catch (RuntimeException e) {
      write(Map.of("part", at + name, "impossible", String.valueOf(e.getMessage())));
      return;
    }
    write(measured(at + name, measure(s, how, world, timed(s)), ranks));
    boolean hides = how.strategy instanceof Strategy.DistriFusion || how.strategy instanceof Strategy.Pcpp;
    if (kind.equals("full") && !how.split && hides) {
      // the same computation without the exchanges, on all ranks at once
      meet();
      write(measured(at + name + " unexchanged", measure(s, how, new AbsentRanks(rank, ranks), timed(s)), ranks));
    }
  }

  private record Times(double syncMs, double stepMs, double enqueueMs, int steps, RankRenderer.Outcome outcome, double peakGiB) {}

  private Map<String, Object> measured(String part, Times t, int n) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("part", part);
    line.put("ranks", n);
    line.put("syncMs", t.syncMs);
    line.put("stepMs", t.stepMs);
    line.put("enqueueMs", t.enqueueMs);
    line.put("timedSteps", t.steps);
    line.put("stepBytes", t.outcome.displacedReceived());
    line.put("bufferBytes", t.outcome.bufferBytes());
    line.put("peakGiB", t.peakGiB);
    line.put("recording", t.outcome.recording());
    boolean finite = true;
    for (float f : t.outcome.image()) {
      finite &= Float.isFinite(f);
    }
    line.put("finite", finite);
    return line;
  }

  /// A synchronous step after a first one, then displaced steps after a first one (and after the one that is
  /// recorded), with nothing between them that waits for the device.
  private Times measure(Subject s, How how, Exchange exchange, int timed) {
    Denoiser denoiser = model(s.name);
    if (device.isCuda()) {
      CudaMemory.releaseUnused();
      CudaMemory.resetPeak(device);
    }
    int first = how.recorded ? 3 : 2;
    int last = first + timed;
    Job job = job(s, how, last + 2);
    double[] at = new double[4]; // ends of steps 0 to 3
    double[] end = new double[2]; // of the timed ones when queued and when done
    try (TensorScope scope = TensorScope.open()) {
      Tensor like = denoiser.parameters().tensors().values().iterator().next();
      Torch.seed(7);
      Tensor noise =
          torch.randn(new long[] {1, 4, job.rows(), job.columns()}, like.options()).to(torch.ScalarType.Float);
      Condition both = condition(s, like);
      RankRenderer.Outcome outcome =
          RankRenderer.render(
              denoiser,
              job,
              noise,
              both,
              exchange,
              i -> {
                if (i <= first || i == last) {
                  end[0] = System.nanoTime() / 1e6;
                  Devices.synchronize(device);
                  end[1] = System.nanoTime() / 1e6;
                  if (i <= first) {
                    at[i] = end[1];
                  }
                }
              });
      return new Times(
          at[1] - at[0],
          (end[1] - at[first]) / timed,
          (end[0] - at[first]) / timed,
          timed,
          outcome,
          device.isCuda() ? CudaMemory.peakAllocated(device) / (double) (1 << 30) : 0);
    }
  }

  private Condition condition(Subject s, Tensor like) {
    if (s.name.equals("dit-xl")) {
      return new Condition.Labels(Tensors.of(new long[] {10, 3}, 2).to(like.device(), torch.ScalarType.Long));
    }
    long context = tiny() ? 24 : 2048;
    long pooled = 2816 - 6 * 256;
    return new Condition.SizedText(
        torch.randn(new long[] {2, 77, context}, like.options()),
        torch.randn(new long[] {2, pooled}, like.options()),
        torch.full(new long[] {2, 6}, new Scalar((double) s.pixels), like.options()));
  }

  private static final UnetConfig SMALL_UNET =
      new UnetConfig(4, List.of(32, 64, 64), List.of(0, 1, 2), 2, 16, 24, 2816, 0, 8);
  private static final DitConfig SMALL_DIT = new DitConfig(4, 4, 16, 2, 4, 8, 32, 10);

  /// Small networks in f32: the device against the CPU, every strategy whose steps are all synchronous
  /// against one device, PCPP of everything against DistriFusion; differences in units of the deviation.
  private void right() throws Exception {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("part", "right");
    double worst = 0;
    for (String name : List.of("sdxl", "dit-xl")) {
      Subject s = new Subject(name, name.equals("sdxl") ? 512 : 256);
      try (Parameters onCpu =
              Parameters.randomOn(
                  name.equals("sdxl") ? SMALL_UNET.parameters() : SMALL_DIT.parameters(),
                  DType.F32,
                  Devices.cpu(),
                  1);
          Parameters here = onCpu.on(device)) {
        float[] cpu = smallImage(s, onCpu, Devices.cpu(), new How(new Strategy.Single()), new AbsentRanks(0, 1), 4, 4).image();
        float[] one = smallImage(s, here, device, new How(new Strategy.Single()), new AbsentRanks(0, 1), 4, 4).image();
        line.put(name + " device", furthest(one, cpu));
        worst = Math.max(worst, furthest(one, cpu));
        if (ranks > 1) {
          for (String each : strategies(s)) {
            How how = How.named(each, ranks);
            if (how.strategy instanceof Strategy.NaivePatches || how.recorded) {
              continue;
            }
            try {
              double far = furthest(smallImage(s, here, device, how, world, 4, 4).image(), one);
              line.put(name + " " + each, far);
              worst = Math.max(worst, far);
            } catch (RuntimeException e) {
              line.put(name + " " + each, String.valueOf(e.getMessage()));
            }
          }
          if (ranks == 2) {
            float[] all = smallImage(s, here, device, new How(strategy("distrifusion", 2)), world, 1, 4).image();
            float[] partial = smallImage(s, here, device, new How(new Strategy.Pcpp(1, 0, false)), world, 1, 4).image();
            line.put(name + " pcpp of everything to distrifusion", furthest(partial, all));
            line.put(name + " distrifusion displaced to one device", furthest(all, one));
          }
        }
      }
    }
    line.put("worst", worst);
    write(line);
    if (rank == 0) {
      System.out.println("right: " + Json.line(line));
    }
  }

  /// Displaced steps recorded as a CUDA graph must give the image that they give otherwise.
  private void recordedEqual() throws Exception {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("part", "right");
    List<String> wrong = new ArrayList<>();
    List<String> names = new ArrayList<>(List.of("single"));
    if (ranks > 1) {
      names.addAll(List.of("naive", "pcpp", "pcpp-pool", "distrifusion"));
    }
    for (String name : List.of("sdxl", "dit-xl")) {
      Subject s = new Subject(name, tiny() ? 128 : name.equals("sdxl") ? 512 : 256);
      try (Parameters here =
          Parameters.randomOn(
              name.equals("sdxl") ? SMALL_UNET.parameters() : SMALL_DIT.parameters(), DType.F32, device, 1)) {
        for (String each : names) {
          boolean one = each.equals("single");
          Strategy strategy = strategy(each, ranks);
          Exchange exchange = one ? new AbsentRanks(0, 1) : world;
          RankRenderer.Outcome plain = smallImage(s, here, device, new How(strategy), exchange, 1, 12);
          RankRenderer.Outcome recorded = smallImage(s, here, device, new How(strategy, false, true), exchange, 1, 12);
          double far = furthest(recorded.image(), plain.image());
          line.put(name + " " + each + ", recorded to not", far);
          line.put(name + " " + each, recorded.recording());
          if (far > 1e-5 || recorded.received() != plain.received() || device.isCuda() && !recorded.recording().contains("pieces")) {
            wrong.add(name + " " + each + ": " + far + ", " + recorded.recording() + ", bytes " + recorded.received() + " for " + plain.received());
          }
        }
      }
    }
    write(line);
    if (rank == 0) {
      System.out.println("recorded: " + Json.line(line));
    }
    if (!wrong.isEmpty()) {
      throw new IllegalStateException("recorded steps differ: " + wrong);
    }
  }

  private RankRenderer.Outcome smallImage(
      Subject s, Parameters p, ComputeDevice on, How how, Exchange exchange, int warmup, int steps) {
    Job job = new Job(how.strategy, how.split, warmup, steps, new FlowEuler(1), 2, s.pixels / 8, s.pixels / 8, how.recorded);
    boolean unet = s.name.equals("sdxl");
    try (Denoiser denoiser = unet ? new Unet(SMALL_UNET, p) : new Dit(SMALL_DIT, p);
        TensorScope scope = TensorScope.open()) {
      Torch.seed(9);
      Tensor noise = Tensors.to(torch.randn(new long[] {2, 4, job.rows(), job.columns()}), on);
      Condition both =
          unet
              ? new Condition.SizedText(
                  Tensors.to(torch.randn(new long[] {4, 7, 24}), on),
                  Tensors.to(torch.randn(new long[] {4, 2816 - 6 * 256}), on),
                  Tensors.to(torch.ones(new long[] {4, 6}), on))
              : new Condition.Labels(Tensors.to(Tensors.of(new long[] {10, 10, 3, 5}, 4), on));
      return RankRenderer.render(denoiser, job, noise, both, exchange, i -> {});
    }
  }

  private static double furthest(float[] a, float[] b) {
    double most = 0;
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
      squares += b[i] * b[i];
    }
    return most / Math.sqrt(squares / a.length);
  }

  /// All-gathers and trades with the next rank over sizes; seconds of one, queued in a row.
  private void links() throws Exception {
    long most = tiny() ? 1 << 18 : 256L << 20;
    for (long bytes = 4096; bytes <= most; bytes *= 8) {
      int rounds = bytes > (16 << 20) ? 10 : 40;
      try (TensorScope scope = TensorScope.open()) {
        Tensor mine = Tensors.empty(DType.U8, device, bytes);
        Tensor all = Tensors.empty(DType.U8, device, bytes * ranks);
        Tensor got = Tensors.empty(DType.U8, device, bytes);
        long[] to = new long[ranks];
        long[] from = new long[ranks];
        to[(rank + 1) % ranks] = bytes;
        from[(rank + ranks - 1) % ranks] = bytes;
        double gather = timedExchange(rounds, () -> world.allGather(mine, all));
        double trade = timedExchange(rounds, () -> world.allToAll(mine, to, got, from));
        write(Map.of("part", "link", "bytes", bytes, "gatherSeconds", gather, "tradeSeconds", trade));
      }
    }
  }

  private double timedExchange(int rounds, java.util.function.Supplier<Exchange.Pending> exchange) {
    for (int i = 0; i < 3; i++) {
      exchange.get().await();
    }
    meet();
    long began = System.nanoTime();
    for (int i = 0; i < rounds; i++) {
      exchange.get().await();
    }
    Devices.synchronize(device);
    return (System.nanoTime() - began) / 1e9 / rounds;
  }
}
