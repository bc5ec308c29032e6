import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.CacheStorage;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.cache.Session;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.models.Family;
import io.spillway.models.FusedAttention;
import io.spillway.models.FusedWeights;
import io.spillway.models.RopeScaling;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.CudaMemory;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Long prompts on one device with random weights: prefill and decode rates, peak memory, and the
/// device's own rates beside them (longcontext.sh starts it).
///
/// `LongContext OUT SECONDS [quick|steps|million|rehearse] [device]`; rehearse is tiny and meant for the CPU.
public final class LongContext {
  private static final Map<String, Object> RESULT = new LinkedHashMap<>();
  private static final List<Object> FAILURES = new ArrayList<>();
  private static final int DECODED = 128;

  private final Path out;
  private final long deadline;
  private final boolean quick;
  private final boolean small;
  private final boolean onlyMillion;
  private final boolean onlySteps;
  private final ComputeDevice device;
  private final DType type;
  private final DecoderConfig config;
  private final int budget;
  private final int chunk;
  private double copyBytesPerSecond;
  private double matrixRate;
  private long weightBytes;
  private long streamedBytes;
  private long headBytes;

  private LongContext(String[] args) {
    out = Path.of(args[0]);
    deadline = System.nanoTime() + (long) (Double.parseDouble(args[1]) * 1e9);
    String kind = args.length > 2 ? args[2] : "";
    quick = kind.equals("quick");
    small = kind.equals("rehearse");
    onlyMillion = kind.equals("million");
    onlySteps = kind.equals("steps");
    device = Devices.choose(args.length > 3 ? args[3] : small ? "cpu" : "cuda");
    type = small ? DType.F32 : DType.BF16;
    budget = small ? 512 : 16_384;
    chunk = small ? 256 : 4096;
    config =
        small
            ? shape(512, 128, 2, 8, 2, 32, 256)
            : shape(128_256, 4096, 32, 32, 8, 128, 14_336);
  }

  /// Llama 3.1 of that size.
  private static DecoderConfig shape(
      int vocabulary, int hidden, int layers, int heads, int kvHeads, int headDim, int inner) {
    return new DecoderConfig(
        Family.LLAMA,
        vocabulary,
        hidden,
        layers,
        heads,
        kvHeads,
        headDim,
        inner,
        1 << 20,
        5e5,
        headDim,
        new RopeScaling.Llama3(8, 1, 4, 8192),
        1e-5,
        false,
        false,
        0,
        List.of(2));
  }

  public static void main(String[] args) throws Exception {
    new LongContext(args).run();
  }

  private void run() throws Exception {
    RESULT.put("command", "bench/gpu/longcontext.sh" + (quick ? " --quick" : ""));
    RESULT.put("gpu", told("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit", "--format=csv,noheader"));
    RESULT.put("device", device.name());
    RESULT.put("torch", Torch.buildConfiguration().lines().limit(3).toList());
    RESULT.put("java", System.getProperty("java.vm.version"));
    RESULT.put("shape", config);
    RESULT.put("type", type);
    RESULT.put("budget", budget);
    RESULT.put("chunk", chunk);
    RESULT.put("failures", FAILURES);
    Torch.seed(1);
    try (NoGrad guard = NoGrad.begin();
        TensorHolder holder = new TensorHolder()) {
      part("limits", this::limits);
      if (!onlySteps) {
        part("kernels", this::kernels);
      }
      Decoder[] decoder = new Decoder[1];
      RetainingHeads[] heads = new RetainingHeads[1];
      part("weights", () -> {
        decoder[0] = model(holder);
        heads[0] = RetainingHeads.random(config, small ? 64 : 1024, device, type);
        headBytes = heads[0].size() * type.bytes();
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("weightBytes", weightBytes);
        told.put("streamedBytesPerToken", streamedBytes);
        told.put("headBytes", headBytes);
        told.put("allocated", device.isCuda() ? CudaMemory.allocated(device) : 0);
        return told;
      });
      if (decoder[0] != null) {
        part("stepCheck", () -> stepCheck(decoder[0]));
        measure(decoder[0], heads[0]);
      }
    }
    RESULT.put("attention", FusedAttention.cudaKernel());
    System.out.println("attention: " + FusedAttention.cudaKernel());
    save();
    System.out.println("results: " + out);
  }

  private interface Body {
    Object run() throws Exception;
  }

  private void part(String name, Body body) {
    long begin = System.nanoTime();
    try {
      Object told = body.run();
      RESULT.put(name, told);
      System.out.printf(Locale.ROOT, "%s (%.1f s): %s%n", name, (System.nanoTime() - begin) / 1e9, Json.line(told));
    } catch (Exception | LinkageError e) {
      failed(name, e);
    }
    save();
  }

  private static void failed(String name, Throwable e) {
    String text = name + ": " + e;
    FAILURES.add(text.lines().limit(12).toList());
    System.out.println("FAILED " + text);
    StackTraceElement[] trace = e.getStackTrace();
    for (int i = 0; i < Math.min(8, trace.length); i++) {
      System.out.println("    at " + trace[i]);
    }
  }

  private void save() {
    AtomicFiles.writeString(out, Json.write(RESULT) + "\n");
  }

  private double left() {
    return (deadline - System.nanoTime()) / 1e9;
  }

  /// Seconds of one run: the best of `times` after one to warm up.
  private double seconds(int times, Supplier<Tensor> body) {
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i <= times; i++) {
      try (TensorScope scope = TensorScope.open()) {
        Devices.synchronize(device);
        long begin = System.nanoTime();
        body.get();
        Devices.synchronize(device);
        double took = (System.nanoTime() - begin) / 1e9;
        if (i > 0) {
          best = Math.min(best, took);
        }
      }
    }
    return best;
  }

  private Tensor random(long... shape) {
    return Tensors.empty(type, device, shape).normal_(0, 1, new GeneratorOptional());
  }

  private Object limits() {
    Map<String, Object> told = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      long n = small ? 512 : 8192;
      Tensor a = random(n, n);
      Tensor b = random(n, n);
      int runs = small ? 3 : 20;
      double square = seconds(3, () -> repeated(runs, () -> a.matmul(b))) / runs;
      matrixRate = 2.0 * n * n * n / square;
      told.put("matrixFlops8192", matrixRate);
      long rows = small ? 256 : 4096;
      Tensor x = random(rows, config.hidden());
      Tensor w = random(2L * config.intermediate(), config.hidden());
      double wide = seconds(3, () -> repeated(runs, () -> torch.linear(x, w))) / runs;
      told.put("matrixFlopsGateUp", 2.0 * rows * config.hidden() * 2 * config.intermediate() / wide);
    }
    try (TensorScope scope = TensorScope.open()) {
      long bytes = small ? 1L << 24 : 4L << 30;
      Tensor from = Tensors.empty(DType.U8, device, bytes);
      Tensor to = Tensors.empty(DType.U8, device, bytes);
      from.zero_();
      double copy = seconds(5, () -> to.copy_(from));
      copyBytesPerSecond = 2.0 * bytes / copy;
      told.put("copyBytesPerSecond", copyBytesPerSecond);
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor x = random(1, config.hidden());
      Tensor w = random(config.vocabulary(), config.hidden());
      double once = seconds(5, () -> repeated(8, () -> torch.linear(x, w))) / 8;
      told.put("vectorTimesMatrixBytesPerSecond", (double) w.numel() * type.bytes() / once);
    }
    return told;
  }

  private static Tensor repeated(int times, Supplier<Tensor> body) {
    Tensor last = body.get();
    for (int i = 1; i < times; i++) {
      last = body.get();
    }
    return last;
  }

  /// The fused attention against the plain formula, and its rates.
  private Object kernels() {
    Map<String, Object> told = new LinkedHashMap<>();
    long heads = config.heads();
    long kv = config.kvHeads();
    long dim = config.headDim();
    for (long[] c : new long[][] {{512, 0}, {512, 1024}, {300, 777}, {1, 900}}) {
      try (TensorScope scope = TensorScope.open()) {
        Tensor q = random(1, heads, c[0], dim);
        Tensor k = random(1, kv, c[0] + c[1], dim);
        Tensor v = random(1, kv, c[0] + c[1], dim);
        Tensor fused = Tensors.to(FusedAttention.attend(q, k, v, c[1]), DType.F32);
        Tensor plain = plain(q, k, v, c[1]);
        told.put(
            "error " + c[0] + " after " + c[1],
            fused.sub(plain).abs().max().item_float() / plain.abs().max().item_float());
      }
    }
    long t = chunk;
    long past = small ? 1024 : FusedAttentionBlock.SIZE;
    for (long[] c : new long[][] {{t, 0}, {t, past}, {t - 96, past}}) {
      try (TensorScope scope = TensorScope.open()) {
        Tensor q = random(1, heads, c[0], dim);
        Tensor k = random(1, kv, c[0] + c[1], dim);
        Tensor v = random(1, kv, c[0] + c[1], dim);
        double s = seconds(3, () -> repeated(4, () -> FusedAttention.attend(q, k, v, c[1]))) / 4;
        told.put("flops " + c[0] + " after " + c[1], 4.0 * heads * dim * (c[0] * (double) c[1] + c[0] * (double) c[0] / 2) / s);
      }
    }
    if (device.isCuda()) {
      alone(told, "_scaled_dot_product_flash_attention", true);
      alone(told, "_scaled_dot_product_cudnn_attention", false);
    }
    told.put("kernel", device.isCuda() ? FusedAttention.cudaKernel() : "CPU");
    return told;
  }

  /// One kernel of libtorch by itself: a chunk's own keys causally, and a block that all queries see.
  private void alone(Map<String, Object> told, String name, boolean flash) {
    for (boolean causal : new boolean[] {true, false}) {
      try (TensorScope scope = TensorScope.open()) {
        long keys = causal ? chunk : 16_384;
        Tensor q = random(1, config.heads(), chunk, config.headDim());
        Tensor k = random(1, config.kvHeads(), keys, config.headDim());
        Object[] arguments =
            flash
                ? new Object[] {q, k, k, 0.0, causal, false, io.spillway.tensor.Operators.none()}
                : new Object[] {q, k, k, io.spillway.tensor.Operators.none(), true, 0.0, causal, false, io.spillway.tensor.Operators.none()};
        double s = seconds(5, () -> repeated(10, () -> io.spillway.tensor.Operators.call(name, 1, arguments).get(0))) / 10;
        told.put("flops " + name + (causal ? " causal " : " block ") + keys, 4.0 * config.heads() * config.headDim() * (double) chunk * keys / (causal ? 2 : 1) / s);
      } catch (RuntimeException e) {
        told.put(name + (causal ? " causal" : " block"), String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
      }
    }
  }

  private static final class FusedAttentionBlock {
    static final long SIZE = 16_384;
  }

  private Tensor plain(Tensor q, Tensor k, Tensor v, long past) {
    long heads = config.heads();
    long group = config.groupSize();
    Tensor qf = Tensors.to(q, DType.F32).squeeze(0);
    Tensor kf = Tensors.to(k, DType.F32).squeeze(0).repeat_interleave(group, new org.bytedeco.pytorch.LongOptional(0), new org.bytedeco.pytorch.LongOptional());
    Tensor vf = Tensors.to(v, DType.F32).squeeze(0).repeat_interleave(group, new org.bytedeco.pytorch.LongOptional(0), new org.bytedeco.pytorch.LongOptional());
    Tensor scores = qf.matmul(kf.transpose(1, 2)).mul_(new Scalar(1 / Math.sqrt(config.headDim())));
    Tensor hidden = torch.triu(torch.full(new long[] {q.size(2), k.size(2)}, new Scalar(Double.NEGATIVE_INFINITY), scores.options()), past + 1);
    return torch.softmax(scores.add_(hidden), -1).matmul(vf).view(1, heads, q.size(2), config.headDim());
  }

  private Decoder model(TensorHolder holder) {
    FusedWeights weights = new FusedWeights(config, type, device, holder);
    config.shapes().forEach((name, shape) -> TensorScope.run(() -> {
      Tensor room = weights.room(name, shape);
      if (shape.length == 1) {
        room.fill_(new Scalar(1.0));
      } else {
        room.normal_(0, 0.02, new GeneratorOptional());
      }
    }));
    weightBytes = config.parameters() * type.bytes();
    streamedBytes = weightBytes - (long) config.vocabulary() * config.hidden() * type.bytes();
    return new Decoder(config, weights.tensors());
  }

  /// Two recorded single steps against the same two tokens read together.
  private Object stepCheck(Decoder decoder) {
    Map<String, Object> told = new LinkedHashMap<>();
    int[] prompt = tokens(small ? 300 : 3000);
    try (Session one = session(decoder, null, new Policy.Full(), settings(CacheStorage.MODEL));
        Session two = session(decoder, null, new Policy.Full(), settings(CacheStorage.MODEL))) {
      one.prefill(prompt, new int[0]);
      two.prefill(prompt, new int[0]);
      one.extend(new int[] {5});
      float[] a = one.extend(new int[] {9});
      float[] b = two.extend(new int[] {5, 9});
      told.put("stepping", one.stepping());
      told.put("relativeError", error(a, b));
      for (CacheStorage storage : List.of(CacheStorage.Q8, CacheStorage.Q4, CacheStorage.Q2)) {
        try (Session three = session(decoder, null, new Policy.Full(), settings(storage))) {
          three.prefill(prompt, new int[0]);
          told.put("relativeError " + storage.label(), error(three.extend(new int[] {5, 9}), b));
        }
      }
    }
    return told;
  }

  private static double error(float[] a, float[] b) {
    double largest = 0;
    double scale = 0;
    for (int i = 0; i < a.length; i++) {
      largest = Math.max(largest, Math.abs(a[i] - b[i]));
      scale = Math.max(scale, Math.abs(b[i]));
    }
    return largest / scale;
  }

  private int[] tokens(int count) {
    return new java.util.Random(count).ints(count, 3, config.vocabulary()).toArray();
  }

  private CacheSettings settings(CacheStorage storage) {
    return CacheSettings.of(budget, chunk).storedAs(storage);
  }

  private static Session session(Decoder decoder, RetainingHeads heads, Policy policy, CacheSettings settings) {
    return new Session(decoder, policy, settings, heads, null);
  }

  private record Case(Policy policy, CacheStorage storage, int length) {
    String label() {
      return policy.label() + (storage == CacheStorage.MODEL ? "" : " " + storage.label());
    }
  }

  private void measure(Decoder decoder, RetainingHeads heads) {
    List<Object> rows = new ArrayList<>();
    RESULT.put("rows", rows);
    List<Case> cases = new ArrayList<>();
    if (onlySteps) {
      for (int length : new int[] {64, 8192, 16_384}) {
        cases.add(new Case(new Policy.Full(), CacheStorage.MODEL, length));
      }
    }
    int[] lengths = onlyMillion || onlySteps ? new int[0] : small ? new int[] {512, 2048} : quick ? new int[] {8192, 32_768} : new int[] {8192, 131_072, 32_768};
    for (int length : lengths) {
      for (Policy policy : List.of(new Policy.Full(), new Policy.Locret(0.15), new Policy.SnapKv(32, 5), new Policy.StreamingLlm())) {
        cases.add(new Case(policy, CacheStorage.MODEL, length));
      }
      for (CacheStorage storage : List.of(CacheStorage.Q8, CacheStorage.Q4, CacheStorage.Q2)) {
        cases.add(new Case(new Policy.Full(), storage, length));
      }
      cases.add(new Case(new Policy.Locret(0.15), CacheStorage.Q4, length));
    }
    if (quick) {
      cases.add(new Case(new Policy.Locret(0.15), CacheStorage.MODEL, 131_072));
    }
    System.out.printf("%-14s %8s %10s %7s %9s %9s %8s %9s %7s  %s%n", "policy", "prompt", "prefill/s", "of GEMM", "peak GiB", "over MiB", "decode/s", "of bound", "ms", "steps");
    warm(decoder, heads);
    for (Case c : cases) {
      if (left() < 8 + c.length() / 8000.0) {
        FAILURES.add(c.label() + " at " + c.length() + ": no time left");
        continue;
      }
      try {
        rows.add(row(decoder, heads, c));
      } catch (RuntimeException | LinkageError e) {
        failed(c.label() + " at " + c.length(), e);
      }
      save();
    }
    if (!small && !quick && !onlySteps) {
      part("million", () -> million(decoder, heads));
    }
  }

  private void warm(Decoder decoder, RetainingHeads heads) {
    for (Policy policy : List.of(new Policy.Full(), new Policy.Locret(0.15), new Policy.SnapKv(32, 5))) {
      try (Session session = session(decoder, heads, policy, settings(CacheStorage.MODEL))) {
        session.prefill(tokens(policy instanceof Policy.Locret ? budget + 2 * chunk : 2 * chunk), new int[0]);
        session.extend(new int[] {3});
      } catch (RuntimeException | LinkageError e) {
        failed("warm " + policy.label(), e);
      }
    }
  }

  private Object row(Decoder decoder, RetainingHeads heads, Case c) {
    if (device.isCuda()) {
      CudaMemory.releaseUnused();
      CudaMemory.resetPeak(device);
    }
    int[] prompt = tokens(c.length());
    Map<String, Object> row = new LinkedHashMap<>();
    try (Session session = session(decoder, heads, c.policy(), settings(c.storage()))) {
      Devices.synchronize(device);
      long begin = System.nanoTime();
      session.prefill(prompt, new int[0]);
      session.logits();
      double prefill = (System.nanoTime() - begin) / 1e9;
      long peak = device.isCuda() ? CudaMemory.peakAllocated(device) : 0;
      long reserved = device.isCuda() ? CudaMemory.peakReserved(device) : 0;
      double[] steps = new double[DECODED];
      session.extend(new int[] {4});
      session.extend(new int[] {6});
      for (int i = 0; i < DECODED; i++) {
        long at = System.nanoTime();
        session.extend(new int[] {7 + i});
        steps[i] = (System.nanoTime() - at) / 1e9;
      }
      double whole = Arrays.stream(steps).sum() / DECODED;
      Arrays.sort(steps);
      double flops = flops(c);
      double perEntry = config.cacheBytesPerToken(type.bytes());
      boolean bounded = c.policy().evicts();
      double cacheBytes = (bounded ? Math.min(budget, c.length()) : c.length()) * 2.0 * config.layers() * config.kvHeads() * config.headDim() * c.storage().bytesPerNumber(type.bytes());
      double allowed = weightBytes + headBytes + (bounded ? (budget + (double) chunk) * perEntry : cacheBytes);
      row.put("policy", c.policy().label());
      row.put("storage", c.storage().label());
      row.put("prompt", c.length());
      row.put("prefillSeconds", prefill);
      row.put("prefillTokensPerSecond", c.length() / prefill);
      row.put("prefillShareOfMatrixRate", flops / prefill / matrixRate);
      row.put("peakAllocated", peak);
      row.put("peakReserved", reserved);
      row.put("overWeightsAndCache", peak - allowed);
      row.put("sessionPeakBytes", session.peakBytes());
      row.put("decodeTokensPerSecond", 1 / whole);
      row.put("decodeMedianSeconds", steps[DECODED / 2]);
      row.put("decodeShareOfWeightStreaming", streamedBytes / copyBytesPerSecond / whole);
      row.put("decodeShareOfWeightAndCacheStreaming", (streamedBytes + cacheBytes) / copyBytesPerSecond / whole);
      row.put("stepping", session.stepping());
      System.out.printf(Locale.ROOT, "%-14s %8d %10.0f %6.1f%% %9.2f %9.0f %8.1f %8.1f%% %7.2f  %s%n", c.label(), c.length(), c.length() / prefill, 100 * flops / prefill / matrixRate, peak / 1073741824.0, (peak - allowed) / 1048576.0, 1 / whole, 100 * streamedBytes / copyBytesPerSecond / whole, 1e3 * steps[DECODED / 2], session.stepping());
    }
    return row;
  }

  /// Operations of the layers' matrices and of attention, without the retaining heads.
  private double flops(Case c) {
    double dense = 2.0 * (config.parameters() - 2.0 * config.vocabulary() * config.hidden()) * c.length();
    double attention = 0;
    int past = 0;
    for (int at = 0; at < c.length(); at += chunk) {
      int count = Math.min(chunk, c.length() - at);
      attention += 4.0 * config.layers() * config.heads() * config.headDim() * (count * (double) past + count * (double) count / 2);
      past += count;
      if (c.policy().evicts()) {
        past = Math.min(past, budget);
      }
    }
    return dense + attention;
  }

  /// As much of a million tokens as time allows, under Locret's budget.
  private Object million(Decoder decoder, RetainingHeads heads) {
    Map<String, Object> told = new LinkedHashMap<>();
    CudaMemory.releaseUnused();
    CudaMemory.resetPeak(device);
    int[] piece = tokens(65_536);
    try (Session session = session(decoder, heads, new Policy.Locret(0.15), settings(CacheStorage.MODEL))) {
      long begin = System.nanoTime();
      while (session.seen() < 1 << 20 && left() > 8) {
        session.prefill(piece, new int[0]);
        session.logits();
      }
      double took = (System.nanoTime() - begin) / 1e9;
      told.put("tokens", session.seen());
      told.put("tokensPerSecond", session.seen() / took);
      told.put("peakAllocated", CudaMemory.peakAllocated(device));
    }
    return told;
  }

  private static String told(String... command) throws Exception {
    try {
      Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
      String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      p.waitFor();
      return text.strip();
    } catch (java.io.IOException e) {
      return "not available: " + e.getMessage();
    }
  }
}
