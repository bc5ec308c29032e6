import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.cache.Session;
import io.spillway.models.ConfigReader;
import io.spillway.models.DecoderConfig;
import io.spillway.models.DecoderFolder;
import io.spillway.models.Family;
import io.spillway.models.FusedAttention;
import io.spillway.models.RopeScaling;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.tensor.Weights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// Small random models of every family as Hugging Face folders, with our logits beside them for parity.py.
///
/// `Parity DIR [DEVICE ...]`: in each folder `ours-DEVICE-TYPE.safetensors` holds `forward`, the logits of all prompt
/// tokens in one pass, and `session`, those after a prompt read in chunks into a cache and after three further tokens.
public final class Parity {
  private static final int PROMPT = 1100;
  private static final int FURTHER = 3;

  private Parity() {}

  public static void main(String[] args) throws Exception {
    Path root = Path.of(args[0]);
    List<String> devices = args.length > 1 ? List.of(args).subList(1, args.length) : List.of("cpu");
    Torch.seed(5);
    for (Map.Entry<String, DecoderConfig> e : shapes().entrySet()) {
      Path folder = Files.createDirectories(root.resolve(e.getKey()));
      write(folder, e.getValue());
      for (String name : devices) {
        for (DType type : List.of(DType.F32, DType.BF16)) {
          try {
            ours(folder, Devices.choose(name), type);
          } catch (RuntimeException | LinkageError failure) {
            System.out.println("FAILED " + e.getKey() + " " + name + " " + type + ": " + failure);
          }
        }
      }
    }
    if (devices.contains("cuda")) {
      System.out.println("kernel: " + FusedAttention.cudaKernel());
    }
  }

  private static Map<String, DecoderConfig> shapes() {
    List<Double> shorter = Stream.iterate(1.0, f -> f + 0.05).limit(32).toList();
    List<Double> longer = Stream.iterate(1.0, f -> f + 0.5).limit(32).toList();
    Map<String, DecoderConfig> shapes = new LinkedHashMap<>();
    shapes.put("llama", shape(Family.LLAMA, new RopeScaling.None(), 0));
    shapes.put("llama31", shape(Family.LLAMA, new RopeScaling.Llama3(8, 1, 4, 512), 0));
    shapes.put("mistral", shape(Family.MISTRAL, new RopeScaling.None(), 0));
    shapes.put("mistral-window", shape(Family.MISTRAL, new RopeScaling.None(), 300));
    shapes.put("qwen2", shape(Family.QWEN2, new RopeScaling.None(), 0));
    shapes.put("qwen3", shape(Family.QWEN3, new RopeScaling.None(), 0));
    shapes.put("phi3-short", shape(Family.PHI3, new RopeScaling.LongRope(shorter, longer, 1536), 0));
    shapes.put("phi3-long", shape(Family.PHI3, new RopeScaling.LongRope(shorter, longer, 512), 0));
    return shapes;
  }

  private static DecoderConfig shape(Family family, RopeScaling scaling, int window) {
    return new DecoderConfig(
        family, 512, 512, 3, 8, 2, 64, 448, 2048, 1e4, 64, scaling, 1e-5, false,
        family == Family.QWEN2, window, List.of(2));
  }

  private static void write(Path folder, DecoderConfig config) {
    Map<String, Tensor> weights = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      config.shapes().forEach((name, shape) -> {
        Tensor weight = Tensors.empty(DType.F32, shape).normal_(0, name.contains("norm") ? 0.2 : 0.05, new GeneratorOptional());
        weights.put(name, Tensors.to(name.contains("norm") ? weight.add_(new Scalar(1.0)) : weight, DType.BF16));
      });
      Weights.save(folder.resolve("model.safetensors"), weights, Map.of("format", "pt"));
    }
    // phi3's default padding token lies outside so small a vocabulary
    String text = ConfigReader.write(config, "bfloat16").strip();
    AtomicFiles.writeString(
        folder.resolve("config.json"),
        text.substring(0, text.length() - 1) + ", \"pad_token_id\": 0, \"bos_token_id\": 1}\n");
    AtomicFiles.writeString(folder.resolve("ids.json"), Json.write(ids(config)));
  }

  private static int[] ids(DecoderConfig config) {
    return new java.util.Random(3).ints(PROMPT + FURTHER, 3, config.vocabulary()).toArray();
  }

  private static void ours(Path folder, ComputeDevice device, DType type) {
    try (DecoderFolder model = DecoderFolder.open(folder, type, device);
        TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin();
        Session session = new Session(model.decoder(), new Policy.Full(), CacheSettings.of(2048, 512), null, null)) {
      int[] ids = ids(model.config());
      Map<String, Tensor> out = new LinkedHashMap<>();
      long[] wide = Arrays.stream(ids).asLongStream().toArray();
      Tensor logits = model.decoder().forward(Tensors.to(Tensors.of(wide, 1, wide.length), device));
      out.put("forward", Tensors.to(logits.squeeze(0), DType.F32));
      float[][] rows = new float[FURTHER + 1][];
      session.prefill(Arrays.copyOf(ids, PROMPT), new int[0]);
      rows[0] = session.logits();
      for (int i = 0; i < FURTHER; i++) {
        rows[i + 1] = session.extend(new int[] {ids[PROMPT + i]});
      }
      float[] flat = new float[rows.length * rows[0].length];
      for (int i = 0; i < rows.length; i++) {
        System.arraycopy(rows[i], 0, flat, i * rows[0].length, rows[0].length);
      }
      out.put("session", Tensors.of(flat, rows.length, rows[0].length));
      String name = device.isCuda() ? "cuda" : "cpu";
      Weights.save(folder.resolve("ours-" + name + "-" + type.name().toLowerCase(java.util.Locale.ROOT) + ".safetensors"), out, Map.of("stepping", session.stepping()));
      System.out.println(folder.getFileName() + " on " + name + " in " + type + ": " + session.stepping());
    }
  }
}
