package io.spillway.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DecoderFolderTest {
  @TempDir Path folder;

  private static DecoderConfig shape(int hidden, int inner) {
    return new DecoderConfig(
        Family.LLAMA,
        64,
        hidden,
        2,
        4,
        2,
        hidden / 4,
        inner,
        128,
        1e4,
        hidden / 4,
        new RopeScaling.None(),
        1e-5,
        false,
        false,
        0,
        List.of(2));
  }

  private void write(
      DecoderConfig config, long shardBytes, BiConsumer<String, Map<String, Tensor>> change)
      throws IOException {
    Files.writeString(folder.resolve("config.json"), ConfigReader.write(config, "bfloat16"));
    Map<String, Tensor> weights = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      config
          .shapes()
          .forEach((name, shape) -> {
            weights.put(name, Tensors.empty(DType.BF16, shape).fill_(new Scalar(0.5)));
            change.accept(name, weights);
          });
      Weights.saveSharded(folder, weights, Map.of("format", "pt"), shardBytes);
    }
  }

  private void assertRefused(String words) {
    assertThatThrownBy(() -> DecoderFolder.open(folder, DType.BF16, Devices.cpu()).close())
        .isInstanceOfSatisfying(
            SpillwayException.class,
            e -> {
              assertThat(e.code().exitStatus()).isEqualTo(2);
              assertThat(e.getMessage()).contains(words).doesNotContain("\n");
            });
  }

  @Test
  void tellsAMissingShard() throws IOException {
    write(shape(32, 48), 8 << 10, (name, weights) -> {});
    Path shard;
    try (var files = Files.list(folder)) {
      shard =
          files
              .filter(f -> f.toString().endsWith(".safetensors"))
              .sorted()
              .skip(1)
              .findFirst()
              .orElseThrow();
    }
    Files.delete(shard);
    assertRefused(shard.getFileName() + ": no such file");
  }

  @Test
  void tellsAMissingWeightAWrongShapeAndAWrongType() throws IOException {
    String name = "model.layers.1.self_attn.k_proj.weight";
    write(shape(32, 48), 1 << 30, (n, weights) -> weights.remove(name));
    assertRefused("the weight " + name + " is missing");
    write(
        shape(32, 48),
        1 << 30,
        (n, weights) ->
            weights.computeIfPresent(name, (k, w) -> Tensors.empty(DType.BF16, 16, 30)));
    assertRefused("the weight " + name + " has the shape [16, 30], config.json asks for [16, 32]");
    write(
        shape(32, 48),
        1 << 30,
        (n, weights) -> weights.computeIfPresent(name, (k, w) -> Tensors.empty(DType.I8, 16, 32)));
    assertRefused("has the type I8, a floating type is needed");
  }

  @Test
  void tellsAnUnknownArchitectureAndAFolderWithoutAModel() throws IOException {
    assertThatThrownBy(() -> DecoderFolder.open(folder.resolve("none"), DType.F32, Devices.cpu()))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("is no folder");
    write(shape(32, 48), 1 << 30, (n, weights) -> {});
    Path config = folder.resolve("config.json");
    Files.writeString(config, Files.readString(config).replace("\"llama\"", "\"mamba\""));
    assertRefused("model_type 'mamba' is not supported");
  }

  @Test
  void weightsInTheFilesTypeStayMappedWithoutACopy() throws IOException {
    DecoderConfig config = shape(1024, 4096); // 30 million parameters, 60 MB
    write(config, 1 << 30, (n, weights) -> {});
    long before = anonymousBytes();
    try (DecoderFolder model = DecoderFolder.open(folder, DType.BF16, Devices.cpu());
        TensorScope scope = TensorScope.open()) {
      for (String name : config.weightNames()) {
        assertThat(model.decoder().weight(name).max().item_float()).isEqualTo(0.5f);
      }
      // every page was read; a second copy would have taken 60 MB of memory that no file backs
      assertThat(anonymousBytes() - before).isLessThan(2 * config.parameters() / 2);
      assertThat(Files.readAllLines(Path.of("/proc/self/maps")))
          .anyMatch(line -> line.endsWith(folder.resolve("model.safetensors").toString()));
    }
  }

  private static long anonymousBytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("RssAnon"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
        .sum();
  }
}
