import io.spillway.kernels.Team;
import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.cache.Session;
import io.spillway.models.ConfigReader;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.models.DecoderFolder;
import io.spillway.models.Family;
import io.spillway.models.RopeScaling;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.tensor.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Prefill and decode on the CPU with random weights, beside the machine's own rates (jlama.sh starts it).
///
/// `write DIR` makes a llama of 1.1 billion parameters with a tokenizer; `run DIR TYPE PROMPT ANSWER` measures it;
/// `limits` prints the matrix rates; `memory DIR BUDGET LENGTH` reads a prompt under Locret's budget with random heads
/// and prints resident memory.
public final class CpuBench {
  /// Rounds until HotSpot has compiled a layer's own loops.
  private static final int WARM_ROUNDS = 4;

  private static final int ROUNDS = 5;

  private CpuBench() {}

  public static void main(String[] args) throws Exception {
    try (NoGrad guard = NoGrad.begin()) {
      Map<String, Object> told =
          switch (args[0]) {
            case "write" -> write(Path.of(args[1]), args.length > 2);
            case "run" -> run(Path.of(args[1]), DType.valueOf(args[2]), Integer.parseInt(args[3]), Integer.parseInt(args[4]));
            case "limits" -> limits();
            case "memory" -> memory(Path.of(args[1]), Integer.parseInt(args[2]), Integer.parseInt(args[3]));
            default -> throw new IllegalArgumentException("write, run, limits or memory");
          };
      System.out.println(Json.line(told));
    }
  }

  private static Map<String, Object> write(Path folder, boolean small) throws IOException {
    DecoderConfig config =
        small
            ? new DecoderConfig(Family.LLAMA, 4096, 512, 6, 8, 2, 64, 1408, 1 << 17, 1e4, 64, new RopeScaling.None(), 1e-5, false, false, 0, List.of(2))
            : new DecoderConfig(Family.LLAMA, 32_000, 2048, 22, 32, 4, 64, 5632, 1 << 17, 1e4, 64, new RopeScaling.None(), 1e-5, false, false, 0, List.of(2));
    Files.createDirectories(folder);
    Torch.seed(3);
    Map<String, Tensor> weights = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      config.shapes().forEach((name, shape) -> {
        Tensor weight = Tensors.empty(DType.BF16, shape);
        weights.put(name, shape.length == 1 ? weight.fill_(new Scalar(1.0)) : weight.normal_(0, 0.02, new GeneratorOptional()));
      });
      Weights.save(folder.resolve("model.safetensors"), weights, Map.of("format", "pt"));
    }
    AtomicFiles.writeString(folder.resolve("config.json"), ConfigReader.write(config, "bfloat16"));
    Map<String, Object> vocabulary = new LinkedHashMap<>();
    for (String special : List.of("<unk>", "<s>", "</s>")) {
      vocabulary.put(special, vocabulary.size());
    }
    for (int i = 0; i < 256; i++) {
      vocabulary.put(String.format(Locale.ROOT, "<0x%02X>", i), vocabulary.size());
    }
    while (vocabulary.size() < config.vocabulary()) {
      vocabulary.put("\u2581w" + vocabulary.size(), vocabulary.size());
    }
    Map<String, Object> bpe = new LinkedHashMap<>();
    bpe.put("type", "BPE");
    bpe.put("unk_token", "<unk>");
    bpe.put("fuse_unk", true);
    bpe.put("byte_fallback", true);
    bpe.put("vocab", vocabulary);
    bpe.put("merges", List.of());
    Map<String, Object> tokenizer = new LinkedHashMap<>();
    tokenizer.put("version", "1.0");
    tokenizer.put("added_tokens", List.of());
    tokenizer.put("model", bpe);
    AtomicFiles.writeString(folder.resolve("tokenizer.json"), Json.write(tokenizer));
    AtomicFiles.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\", \"eos_token\": \"</s>\"}\n");
    return Map.of("parameters", config.parameters());
  }

  private static Map<String, Object> run(Path folder, DType type, int prompt, int answer) {
    Map<String, Object> told = new LinkedHashMap<>();
    try (DecoderFolder model = DecoderFolder.open(folder, type, Devices.cpu())) {
      int[] tokens = new java.util.Random(1).ints(prompt, 3, model.config().vocabulary()).toArray();
      double[] matrix = new double[ROUNDS];
      double[] read = new double[ROUNDS];
      double[] prefill = new double[ROUNDS];
      double[] decode = new double[ROUNDS];
      double[] others = new double[ROUNDS];
      for (int round = -WARM_ROUNDS; round < ROUNDS; round++) {
        double[] rates = {matrixRate(type), readRate(model)}; // the machine is shared: its rates beside each round
        try (Session session = new Session(model.decoder(), new Policy.Full(), CacheSettings.of(4096, 1024), null, null)) {
          double foreign = foreignSeconds();
          long begin = System.nanoTime();
          session.prefill(tokens, new int[0]);
          session.logits();
          long answered = System.nanoTime();
          for (int i = 0; i < answer; i++) {
            session.extend(new int[] {tokens[i]});
          }
          long end = System.nanoTime();
          if (round >= 0) {
            matrix[round] = rates[0];
            read[round] = rates[1];
            prefill[round] = prompt / ((answered - begin) / 1e9);
            decode[round] = answer / ((end - answered) / 1e9);
            others[round] = (foreignSeconds() - foreign) / ((end - begin) / 1e9);
          }
        }
      }
      DecoderConfig config = model.config();
      double matrices = config.parameters() - (double) config.vocabulary() * config.hidden();
      double operations = 2 * (matrices - (double) config.vocabulary() * config.hidden()) * prompt + 2.0 * config.layers() * config.heads() * config.headDim() * prompt * prompt;
      told.put("type", type);
      told.put("prompt", prompt);
      told.put("prefillTokensPerSecond", prefill);
      told.put("decodeTokensPerSecond", decode);
      told.put("matrixFlops", matrix);
      told.put("readBytesPerSecond", read);
      told.put("coresOfOthers", others);
      told.put("decodeShareOfReading", Arrays.stream(decode).max().orElseThrow() * matrices * type.bytes() / Arrays.stream(read).max().orElseThrow());
      told.put("prefillShareOfMatrixRate", Arrays.stream(prefill).max().orElseThrow() / prompt * operations / Arrays.stream(matrix).max().orElseThrow());
      told.put("prefillFlops", Arrays.stream(prefill).max().orElseThrow() / prompt * operations);
      told.put("decodeBytesPerSecond", Arrays.stream(decode).max().orElseThrow() * matrices * type.bytes());
    }
    return told;
  }

  /// Processor seconds that other processes of this machine have had.
  private static double foreignSeconds() {
    try {
      String[] all = Files.readAllLines(Path.of("/proc/stat")).getFirst().strip().split("\\s+");
      String[] own = Files.readString(Path.of("/proc/self/stat")).split("\\) ")[1].split(" ");
      double ticks = -Double.parseDouble(own[11]) - Double.parseDouble(own[12]);
      for (int i : new int[] {1, 2, 3, 6, 7, 8}) { // user, nice, system, interrupts, stolen
        ticks += Double.parseDouble(all[i]);
      }
      return ticks / 100;
    } catch (IOException e) {
      return Double.NaN;
    }
  }

  /// Reads every matrix of the model once with as many threads, parts and rows side by side as a step does, adding up
  /// without further work: the bound of one token.
  static double readRate(DecoderFolder model) {
    Decoder decoder = model.decoder();
    List<MemorySegment> matrices = new ArrayList<>();
    List<Integer> rows = new ArrayList<>();
    for (Map.Entry<String, long[]> one : model.config().shapes().entrySet()) {
      if (one.getValue().length == 2 && !one.getKey().contains("embed")) {
        matrices.add(Tensors.segment(decoder.weight(one.getKey())));
        rows.add((int) one.getValue()[0]);
      }
    }
    long[] sink = new long[1];
    try (Team team = new Team(Torch.threads())) {
      double best = Double.POSITIVE_INFINITY;
      long bytes = matrices.stream().mapToLong(MemorySegment::byteSize).sum();
      for (int i = 0; i < 4; i++) {
        long begin = System.nanoTime();
        for (int m = 0; m < matrices.size(); m++) {
          MemorySegment all = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
          long at = matrices.get(m).address();
          long step = matrices.get(m).byteSize() / rows.get(m);
          int size = Math.max(16, (rows.get(m) / (team.threads() * 8) + 3) / 4 * 4);
          int count = rows.get(m) / 4 * 4;
          team.runAwake((count + size - 1) / size, part -> {
            LongVector a = LongVector.zero(LongVector.SPECIES_PREFERRED);
            LongVector b = a;
            LongVector c = a;
            LongVector d = a;
            int lane = LongVector.SPECIES_PREFERRED.vectorByteSize();
            for (long row = part * size; row < Math.min(count, (part + 1) * size); row += 4) {
              long from = at + row * step;
              for (long j = 0; j + lane <= step; j += lane) {
                a = a.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, all, from + j, ByteOrder.nativeOrder()));
                b = b.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, all, from + step + j, ByteOrder.nativeOrder()));
                c = c.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, all, from + 2 * step + j, ByteOrder.nativeOrder()));
                d = d.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, all, from + 3 * step + j, ByteOrder.nativeOrder()));
              }
            }
            sink[0] += a.add(b).add(c).add(d).reduceLanes(VectorOperators.ADD);
          });
        }
        best = Math.min(best, (System.nanoTime() - begin) / 1e9);
      }
      return bytes / best;
    }
  }

  private static Map<String, Object> limits() {
    Map<String, Object> told = new LinkedHashMap<>();
    for (DType type : List.of(DType.BF16, DType.F32)) {
      told.put("matrixFlops " + type, matrixRate(type));
    }
    return told;
  }

  static double matrixRate(DType type) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor x = Tensors.empty(type, 1024, 2048).normal_(0, 1, new GeneratorOptional());
      Tensor w = Tensors.empty(type, 5632, 2048).normal_(0, 1, new GeneratorOptional());
      return 2.0 * 1024 * 2048 * 5632 / seconds(5, () -> torch.linear(x, w));
    }
  }

  private static double seconds(int times, Supplier<Tensor> body) {
    double best = Double.POSITIVE_INFINITY;
    for (int i = 0; i <= times; i++) {
      try (TensorScope scope = TensorScope.open()) {
        long begin = System.nanoTime();
        body.get();
        best = Math.min(best, (System.nanoTime() - begin) / 1e9);
      }
    }
    return best;
  }

  private static Map<String, Object> memory(Path folder, int budget, int length) throws IOException {
    Map<String, Object> told = new LinkedHashMap<>();
    try (DecoderFolder model = DecoderFolder.open(folder, DType.BF16, Devices.cpu());
        io.spillway.longcontext.retain.RetainingHeads heads = io.spillway.longcontext.retain.RetainingHeads.random(model.config(), 64, Devices.cpu(), DType.BF16);
        Session session = new Session(model.decoder(), new Policy.Locret(0.15), CacheSettings.of(budget, 512), heads, null)) {
      int[] tokens = new java.util.Random(1).ints(length, 3, model.config().vocabulary()).toArray();
      long begin = System.nanoTime();
      session.prefill(tokens, new int[0]);
      session.logits();
      told.put("prompt", length);
      told.put("budget", budget);
      told.put("tokensPerSecond", length / ((System.nanoTime() - begin) / 1e9));
      told.put("cachePeakBytes", session.peakBytes());
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("VmHWM") || line.startsWith("VmRSS") || line.startsWith("RssAnon") || line.startsWith("RssFile")) {
          told.put(line.split(":")[0], line.split(":")[1].strip());
        }
      }
    }
    return told;
  }
}
