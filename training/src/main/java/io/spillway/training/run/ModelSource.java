package io.spillway.training.run;

import io.spillway.kernels.Precision;
import io.spillway.models.ConfigReader;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.safetensors.SafetensorsModel;
import io.spillway.tensor.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/// Where weights come from and how they are written: a Hugging Face folder, or its `config.json`
/// alone with random weights.
public final class ModelSource {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final List<String> SIDE_FILES =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "generation_config.json",
          "chat_template.jinja");

  private final Path folder;
  private final DecoderConfig config;
  private final boolean hasWeights;

  private ModelSource(Path folder, DecoderConfig config, boolean hasWeights) {
    this.folder = folder;
    this.config = config;
    this.hasWeights = hasWeights;
  }

  /// Opens a model folder, or a `config.json` whose model begins with random weights.
  public static ModelSource open(Path path) {
    if (Files.isRegularFile(path)) {
      if (!String.valueOf(path.getFileName()).equals("config.json")) {
        throw SpillwayException.badInput(
            "%s: --model takes a model's folder or its config.json", path);
      }
      Path folder = path.toAbsolutePath().resolveSibling("");
      return new ModelSource(folder, ConfigReader.read(folder), false);
    }
    DecoderConfig config = ConfigReader.read(path);
    boolean weights =
        Files.isRegularFile(path.resolve("model.safetensors"))
            || Files.isRegularFile(path.resolve("model.safetensors.index.json"));
    if (!weights) {
      throw SpillwayException.notFound(
          "%s has no model.safetensors; name its config.json itself to begin with random weights",
          path);
    }
    return new ModelSource(path, config, true);
  }

  /// The shape of a model folder or `config.json`, whether or not it has weights.
  public static DecoderConfig shape(Path path) {
    return ConfigReader.read(
        Files.isRegularFile(path) ? path.toAbsolutePath().resolveSibling("") : path);
  }

  public DecoderConfig config() {
    return config;
  }

  public Path folder() {
    return folder;
  }

  /// Whether training continues from weights.
  public boolean hasWeights() {
    return hasWeights;
  }

  /// Fills `master` with the parameters in single precision: those of the files, or random ones
  /// (normal with deviation 0.02, output projections less by the root of twice the layers).
  ///
  /// **Shapes:** `[parameters]` f32.
  public void fill(FlatParameters parameters, MemorySegment master, Seeds seeds) {
    if (hasWeights) {
      load(parameters, master);
      return;
    }
    long index = 0;
    for (FlatParameters.Weight w : parameters.weights()) {
      RandomGenerator random = seeds.stream("initial weights", index++);
      boolean isNorm = w.name().contains("norm");
      boolean isOutput = w.name().contains("o_proj") || w.name().contains("down_proj");
      double deviation = isOutput ? 0.02 / Math.sqrt(2.0 * config.layers()) : 0.02;
      boolean isBias = w.name().endsWith(".bias");
      for (long i = w.from(); i < w.from() + w.size(); i++) {
        float value = isNorm ? 1 : isBias ? 0 : (float) (random.nextGaussian() * deviation);
        master.set(F32, 4 * i, value);
      }
    }
  }

  private void load(FlatParameters parameters, MemorySegment master) {
    try (SafetensorsModel model = SafetensorsModel.open(folder)) {
      for (FlatParameters.Weight w : parameters.weights()) {
        if (!model.contains(w.name())) {
          throw SpillwayException.badFile(
              folder, "", "the weight %s is missing; every shard must be there", w.name());
        }
        var entry = model.entry(w.name());
        if (!Arrays.equals(entry.sizes(), w.shape())) {
          throw SpillwayException.badFile(
              folder,
              "",
              "the weight %s has the shape %s, config.json asks for %s",
              w.name(),
              Arrays.toString(entry.sizes()),
              Arrays.toString(w.shape()));
        }
        Precision precision =
            switch (entry.dtype()) {
              case BF16 -> Precision.BF16;
              case F16 -> Precision.F16;
              case F32 -> Precision.F32;
              default ->
                  throw SpillwayException.badFile(
                      folder,
                      "",
                      "the weight %s has the type %s, BF16, F16 or F32 are needed",
                      w.name(),
                      entry.dtype());
            };
        MemorySegment source = model.segment(w.name());
        for (long i = 0; i < w.size(); i++) {
          master.set(F32, 4 * (w.from() + i), precision.get(source, i));
        }
      }
    }
  }

  /// Writes `config.json`, `model.safetensors` and the tokenizer's files into `target`.
  ///
  /// @param weights `[parameters]` in `precision`, in host memory
  public void write(
      FlatParameters parameters, MemorySegment weights, Precision precision, Path target) {
    DType type = BlockedDecoder.dtype(precision);
    Map<String, SafetensorsWriter.Source> tensors = new LinkedHashMap<>();
    for (FlatParameters.Weight w : parameters.weights()) {
      tensors.put(
          w.name(),
          new SafetensorsWriter.Source(
              type,
              Arrays.stream(w.shape()).boxed().toList(),
              weights.asSlice(w.from() * type.bytes(), w.size() * type.bytes())));
    }
    SafetensorsWriter.write(target.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    String name =
        switch (precision) {
          case BF16 -> "bfloat16";
          case F16 -> "float16";
          case F32 -> "float32";
        };
    AtomicFiles.writeString(target.resolve("config.json"), ConfigReader.write(config, name));
    for (String side : SIDE_FILES) {
      Path file = folder.resolve(side);
      if (Files.isRegularFile(file)) {
        try {
          AtomicFiles.writeBytes(target.resolve(side), Files.readAllBytes(file));
        } catch (IOException e) {
          throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
      }
    }
  }
}
