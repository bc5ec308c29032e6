package io.spillway.platform.model;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Shapes of well-known models by name.
///
/// **Source:** the `gpt-` sizes are table 1 of Narayanan et al., SC 2021, and GPT-3's own sizes;
/// the others are the published `config.json` files.
public final class Models {
  private static final int GPT_VOCAB = 51_200;
  private static final Map<String, ModelShape> BY_NAME = new LinkedHashMap<>();

  static {
    gpt("gpt-125m", 768, 12, 12);
    gpt("gpt-345m", 1024, 24, 16);
    gpt("gpt-1.3b", 2048, 24, 32);
    gpt("gpt-1.7b", 2304, 24, 24);
    gpt("gpt-3.6b", 3072, 30, 32);
    gpt("gpt-7.5b", 4096, 36, 32);
    gpt("gpt-18.4b", 6144, 40, 48);
    gpt("gpt-39.1b", 8192, 48, 64);
    gpt("gpt-76.1b", 10240, 60, 80);
    gpt("gpt-145.6b", 12288, 80, 96);
    gpt("gpt-175b", 12288, 96, 96);
    gpt("gpt-310.1b", 16384, 96, 128);
    gpt("gpt-529.6b", 20480, 105, 128);
    gpt("gpt-1t", 25600, 128, 160);
    add(ModelShape.gpt("gpt2", 768, 12, 12, 50_257, 1024));
    add(ModelShape.gpt("gpt2-xl", 1600, 48, 25, 50_257, 1024));
    add(ModelShape.gpt("opt-350m", 1024, 24, 16, 50_272, 2048));
    add(ModelShape.gpt("gpt-neo-2.7b", 2560, 32, 20, 50_257, 2048));
    llama("llama-2-7b", Family.LLAMA, 4096, 32, 32, 32, 128, 11008, 32_000, 4096);
    llama("llama-2-13b", Family.LLAMA, 5120, 40, 40, 40, 128, 13824, 32_000, 4096);
    llama("llama-2-70b", Family.LLAMA, 8192, 80, 64, 8, 128, 28672, 32_000, 4096);
    llama("llama-3-8b", Family.LLAMA, 4096, 32, 32, 8, 128, 14336, 128_256, 8192);
    llama("llama-3-70b", Family.LLAMA, 8192, 80, 64, 8, 128, 28672, 128_256, 8192);
    llama("llama-3.1-405b", Family.LLAMA, 16384, 126, 128, 8, 128, 53248, 128_256, 131_072);
    llama("mistral-7b", Family.MISTRAL, 4096, 32, 32, 8, 128, 14336, 32_000, 32_768);
    llama("qwen2-7b", Family.QWEN2, 3584, 28, 28, 4, 128, 18944, 152_064, 32_768);
    llama("qwen3-8b", Family.QWEN3, 4096, 36, 32, 8, 128, 12288, 151_936, 40_960);
    llama("phi-3-mini", Family.PHI3, 3072, 32, 32, 32, 96, 8192, 32_064, 4096);
    mixture("mixtral-8x7b", Family.MIXTRAL, 4096, 32, 32, 8, 128, 14336, 32_000, 32_768, 8, 2);
    mixture("mixtral-8x22b", Family.MIXTRAL, 6144, 56, 48, 8, 128, 16384, 32_000, 65_536, 8, 2);
    mixture("qwen3-30b-a3b", Family.QWEN3_MOE, 2048, 48, 32, 4, 128, 768, 151_936, 40_960, 128, 8);
    add(
        new ModelShape(
            "gpt-neox-20b",
            Family.GPT_NEOX,
            Family.GPT_NEOX.traits(),
            6144,
            44,
            64,
            64,
            96,
            24576,
            50_432,
            2048,
            false,
            false,
            0,
            0,
            0));
  }

  private Models() {}

  public static List<ModelShape> all() {
    return new ArrayList<>(BY_NAME.values());
  }

  /// A model by its name here, or by the path of its `config.json` or folder.
  ///
  /// **Errors:** neither a file nor a known name, with the nearest known one.
  public static ModelShape find(String nameOrPath) {
    ModelShape known = BY_NAME.get(nameOrPath.toLowerCase(Locale.ROOT));
    if (known != null) {
      return known;
    }
    if (Files.exists(Path.of(nameOrPath))) {
      return HuggingFaceConfig.read(Path.of(nameOrPath));
    }
    if (nameOrPath.contains("/") || nameOrPath.endsWith(".json")) {
      throw SpillwayException.notFound("%s: no such file", nameOrPath);
    }
    throw SpillwayException.badInput(
        "unknown model '%s', %s; or give the path of a config.json",
        nameOrPath, Nearest.hint(nameOrPath, BY_NAME.keySet()));
  }

  private static void add(ModelShape shape) {
    BY_NAME.put(shape.name(), shape);
  }

  private static void gpt(String name, int hidden, int layers, int heads) {
    add(ModelShape.gpt(name, hidden, layers, heads, GPT_VOCAB, 2048));
  }

  private static void llama(
      String name,
      Family family,
      int hidden,
      int layers,
      int heads,
      int kvHeads,
      int headDim,
      int ffn,
      int vocab,
      int maxSequence) {
    add(
        new ModelShape(
            name,
            family,
            family.traits(),
            hidden,
            layers,
            heads,
            kvHeads,
            headDim,
            ffn,
            vocab,
            maxSequence,
            false,
            false,
            0,
            0,
            0));
  }

  private static void mixture(
      String name,
      Family family,
      int hidden,
      int layers,
      int heads,
      int kvHeads,
      int headDim,
      int ffn,
      int vocab,
      int maxSequence,
      int experts,
      int perToken) {
    add(
        new ModelShape(
            name,
            family,
            family.traits(),
            hidden,
            layers,
            heads,
            kvHeads,
            headDim,
            ffn,
            vocab,
            maxSequence,
            false,
            false,
            experts,
            perToken,
            ffn));
  }
}
