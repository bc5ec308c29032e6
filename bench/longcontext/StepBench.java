import io.spillway.kernels.Team;
import io.spillway.kernels.VectorMatrixVector;
import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.cache.Session;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.models.DecoderFolder;
import io.spillway.platform.Json;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Where the time of one token and of one chunk goes on the CPU, milliseconds: `StepBench DIR TOKENS ROUNDS` on the
/// folder that `CpuBench write` makes. Medians over rounds, everything in turn in each round, beside the reading rate of
/// the same weights and libtorch's rate of the same products.
public final class StepBench {
  private static final Map<String, List<Double>> TIMES = new LinkedHashMap<>();

  /// Steps before those that count: the compiler meets most of a step's loops once a layer.
  private static final int WARM_STEPS = 24;

  private StepBench() {}

  public static void main(String[] args) {
    int tokens = Integer.parseInt(args[1]);
    int rounds = Integer.parseInt(args[2]);
    try (NoGrad guard = NoGrad.begin();
        DecoderFolder model = DecoderFolder.open(Path.of(args[0]), DType.BF16, Devices.cpu());
        Team team = new Team(Torch.threads())) {
      Map<String, Object> told = new LinkedHashMap<>();
      List<Double> reading = new ArrayList<>();
      for (int round = 0; round <= rounds; round++) {
        if (round == 1) {
          TIMES.clear(); // the first warms up
          reading.clear();
        }
        reading.add(CpuBench.readRate(model) / 1e9);
        token(model, team, tokens, round == 0 ? 3 : 8);
        tell(round, reading);
        chunk(model, tokens, round == 0 ? 2 : 3);
        tell(round, reading);
      }
      DecoderConfig config = model.config();
      double matrices = config.parameters() - (double) config.vocabulary() * config.hidden();
      told.put("tokens", tokens);
      told.put("readGBs", reading);
      told.put("weightBytes", 2 * matrices);
      TIMES.forEach((name, times) -> told.put(name, round(median(times))));
      told.put("decodeGBs", round(2 * matrices / 1e6 / median(TIMES.get("token: whole step"))));
      System.out.println(Json.write(told));
    }
  }

  /// What is known so far, for runs that are cut short.
  private static void tell(int round, List<Double> reading) {
    Map<String, Object> told = new LinkedHashMap<>();
    TIMES.forEach((name, times) -> told.put(name, round(median(times))));
    System.err.println("round " + round + ", reading " + reading + " GB/s, " + Json.line(told));
  }

  private static double median(List<Double> times) {
    double[] sorted = times.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted[sorted.length / 2];
  }

  private static double round(double value) {
    return Math.round(value * 1000) / 1000.0;
  }

  /// Adds up what `body` takes under `name` in `into`.
  private static <T> T timed(Map<String, Double> into, String name, java.util.function.Supplier<T> body) {
    long begin = System.nanoTime();
    T result = body.get();
    into.merge(name, (System.nanoTime() - begin) / 1e6, Double::sum);
    return result;
  }

  private static void note(Map<String, Double> sums) {
    sums.forEach((name, value) -> TIMES.computeIfAbsent(name, key -> new ArrayList<>()).add(value));
  }

  /// One token over a cache of `past` entries.
  private static void token(DecoderFolder model, Team team, int past, int times) {
    Decoder decoder = model.decoder();
    DecoderConfig config = model.config();
    try (TensorScope outer = TensorScope.open();
        Session session = new Session(decoder, new Policy.Full(), CacheSettings.of(4096, 1024), null, null)) {
      session.prefill(new java.util.Random(1).ints(past, 3, config.vocabulary()).toArray(), new int[0]);
      Tensor keys = cache(config, past);
      Tensor values = cache(config, past);
      for (int i = 0; i < WARM_STEPS; i++) {
        session.extend(new int[] {5});
      }
      for (int i = 0; i < times; i++) {
        Map<String, Double> sums = new LinkedHashMap<>();
        timed(sums, "token: whole step", () -> session.extend(new int[] {5}));
        products(model, team, sums);
        try (TensorScope scope = TensorScope.open()) {
          Decoder.Angles angles = decoder.angles(past - 1L, 1, past);
          Tensor x = timed(sums, "token: embedding", () -> decoder.embed(Tensors.of(new long[] {5}, 1, 1)));
          for (int layer = 0; layer < config.layers(); layer++) {
            int at = layer;
            Tensor before = x;
            Decoder.Qkv qkv = timed(sums, "token: norm, query, key, value", () -> decoder.project(at, before));
            Tensor query = timed(sums, "token: rotation", () -> {
              decoder.rotate(qkv.key(), angles);
              return decoder.rotate(qkv.query(), angles);
            });
            Tensor attended = timed(sums, "token: attention", () -> decoder.look(query, keys, values, past - 1L, null));
            x = timed(sums, "token: output, norm, MLP", () -> decoder.finish(at, before, attended));
          }
          Tensor last = x;
          timed(sums, "token: logits", () -> decoder.logits(decoder.finalNorm(last)));
        }
        note(sums);
      }
    }
  }

  private static Tensor cache(DecoderConfig config, int entries) {
    return Tensors.empty(DType.BF16, 1, config.kvHeads(), entries, config.headDim()).normal_(0, 1, new GeneratorOptional());
  }

  /// All of the model's matrices by one vector, nothing between them.
  private static void products(DecoderFolder model, Team team, Map<String, Double> sums) {
    VectorMatrixVector kernel = new VectorMatrixVector(team);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4L * model.config().intermediate(), 64);
      MemorySegment y = arena.allocate(4L * model.config().vocabulary(), 64);
      List<Tensor> matrices = model.config().shapes().entrySet().stream()
          .filter(one -> one.getValue().length == 2 && !one.getKey().contains("embed"))
          .map(one -> model.decoder().weight(one.getKey())).toList();
      timed(sums, "token: all products alone", () -> {
        for (Tensor one : matrices) {
          kernel.multiply(Tensors.segment(one), (int) one.size(0), (int) one.size(1), x, y);
        }
        return y;
      });
    }
  }

  /// A prompt of one chunk.
  private static void chunk(DecoderFolder model, int tokens, int times) {
    Decoder decoder = model.decoder();
    DecoderConfig config = model.config();
    int[] prompt = new java.util.Random(1).ints(tokens, 3, config.vocabulary()).toArray();
    for (int i = 0; i < times; i++) {
      Map<String, Double> sums = new LinkedHashMap<>();
      try (Session session = new Session(decoder, new Policy.Full(), CacheSettings.of(4096, Math.max(1024, tokens)), null, null)) {
        timed(sums, "chunk: whole", () -> {
          session.prefill(prompt, new int[0]);
          return session.logits();
        });
      }
      long faults = faults();
      try (TensorScope outer = TensorScope.open()) {
        long[] ids = Arrays.stream(prompt).asLongStream().toArray();
        Decoder.Angles angles = decoder.angles(0, tokens, tokens);
        Tensor x = decoder.embed(Tensors.of(ids, 1, tokens));
        for (int layer = 0; layer < config.layers(); layer++) {
          int at = layer;
          Tensor before = x;
          x = TensorScope.compute(() -> {
            Decoder.Qkv qkv = timed(sums, "chunk: norm, query, key, value", () -> decoder.project(at, before));
            Tensor query = timed(sums, "chunk: rotation", () -> decoder.rotate(qkv.query(), angles));
            Tensor key = timed(sums, "chunk: rotation", () -> decoder.rotate(qkv.key(), angles));
            Tensor attended = timed(sums, "chunk: attention", () -> TensorScope.compute(() -> decoder.look(query, key, qkv.value(), 0, null)));
            return timed(sums, "chunk: output, norm, MLP", () -> decoder.finish(at, before, attended));
          });
          before.close();
          alone(decoder, config, at, tokens, sums);
        }
      }
      sums.put("chunk: page faults", (double) (faults() - faults));
      note(sums);
    }
  }

  /// The products of a layer alone.
  private static void alone(Decoder decoder, DecoderConfig config, int layer, int tokens, Map<String, Double> sums) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor x = torch.ones(new long[] {tokens, config.hidden()}, Tensors.options(DType.BF16));
      Tensor wide = torch.ones(new long[] {tokens, config.intermediate()}, Tensors.options(DType.BF16));
      for (String name : List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")) {
        Tensor weight = decoder.weight("model.layers." + layer + "." + name + ".weight");
        TensorScope.run(() -> timed(sums, "chunk: products alone", () -> torch.linear(weight.size(1) == config.hidden() ? x : wide, weight)));
      }
    }
  }

  private static long faults() {
    try {
      return Long.parseLong(java.nio.file.Files.readString(Path.of("/proc/self/stat")).split("\\) ")[1].split(" ")[7]);
    } catch (java.io.IOException e) {
      return 0;
    }
  }
}
