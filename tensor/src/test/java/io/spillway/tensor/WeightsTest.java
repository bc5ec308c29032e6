package io.spillway.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.tensor.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class WeightsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(DType.class)
  void savesAndLoadsEveryDtype(DType type) {
    Path file = folder.resolve(type + ".safetensors");
    try (TensorScope scope = TensorScope.open();
        Weights weights = saved(file, scope, type)) {
      assertThat(Tensors.dtype(weights.tensor("t"))).isEqualTo(type);
      assertThat(Tensors.doubles(weights.tensor("t"))).containsExactly(1, 0, 1, 1, 0, 1);
      assertThat(Tensors.shape(weights.tensor("t"))).containsExactly(3, 2);
      assertThat(Tensors.shape(weights.tensor("scalar"))).isEmpty();
      assertThat(Tensors.shape(weights.tensor("none"))).containsExactly(0, 4);
    }
  }

  private static Weights saved(Path file, TensorScope scope, DType type) {
    Tensor t = Tensors.to(Tensors.of(new float[] {1, 0, 1, 1, 0, 1}, 3, 2), type);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    // a transposed view has gaps; saving packs it
    tensors.put("t", scope.adopt(t.t().contiguous().t()));
    tensors.put("scalar", t.sum().to(Tensors.scalarType(type)));
    tensors.put("none", Tensors.empty(type, 0, 4));
    Weights.save(file, tensors, Map.of());
    return Weights.open(file);
  }

  @Test
  void tensorsOutliveTheClosedFile() {
    Path file = folder.resolve("w.safetensors");
    try (TensorScope outer = TensorScope.open()) {
      Weights.save(
          file, Map.of("w", torch.arange(new Scalar(1000.0)).to(torch.ScalarType.Float)), Map.of());
      Tensor view;
      try (TensorScope scope = TensorScope.open()) {
        Weights weights = Weights.open(file);
        Tensor whole = weights.tensor("w");
        view = scope.keep(whole.slice(0, L(990), L(1000), 1));
        weights.close();
        assertThatThrownBy(() -> weights.tensor("w")).hasMessageContaining("closed");
        assertThat(mappings(file)).isEqualTo(1);
      }
      // the whole tensor is gone, its view still reads the mapping
      assertThat(Tensors.floats(view)).startsWith(990, 991).endsWith(999);
      assertThat(mappings(file)).isEqualTo(1);
      outer.close();
      assertThat(mappings(file)).isZero();
    }
  }

  private static org.bytedeco.pytorch.LongOptional L(long value) {
    return new org.bytedeco.pytorch.LongOptional(value);
  }

  private static long mappings(Path file) {
    try {
      return Files.readAllLines(Path.of("/proc/self/maps")).stream()
          .filter(l -> l.endsWith(file.getFileName().toString()))
          .count();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void mapsWithoutCopyAndWritesPrivately() {
    Path file = folder.resolve("w.safetensors");
    try (TensorScope scope = TensorScope.open()) {
      Weights.save(file, Map.of("w", scope.adopt(torch.ones(new long[] {8}))), Map.of());
      try (Weights weights = Weights.open(file)) {
        Tensor a = weights.tensor("w");
        Tensor b = weights.tensor("w");
        assertThat(a.data_ptr().address()).isEqualTo(b.data_ptr().address());
        a.add_(new Scalar(1.0));
        assertThat(Tensors.floats(b)).containsOnly(2);
      }
      try (Weights again = Weights.open(file)) {
        assertThat(Tensors.floats(again.tensor("w"))).containsOnly(1);
      }
    }
  }

  @Test
  void copiesWhatTheFileDoesNotAlign() throws IOException {
    byte[] json =
        """
        {"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"I32","shape":[1],"data_offsets":[1,5]}}\
        """
            .getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + 5).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json).put((byte) 1).putInt(77);
    Path file = Files.write(folder.resolve("odd.safetensors"), bytes.array());
    try (TensorScope scope = TensorScope.open();
        Weights weights = Weights.open(file)) {
      assertThat(Tensors.longs(scope.adopt(weights.tensor("b")))).containsExactly(77);
    }
  }

  @Test
  void savesShards() {
    try (TensorScope scope = TensorScope.open()) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      for (int i = 0; i < 4; i++) {
        tensors.put("layer." + i, scope.adopt(torch.full(new long[] {100}, new Scalar(i))));
      }
      Weights.saveSharded(folder, tensors, Map.of("format", "pt"), 800);
      try (Weights weights = Weights.open(folder)) {
        assertThat(weights.model().files().stream().map(SafetensorsFile::file))
            .hasSizeBetween(2, 4);
        assertThat(Tensors.floats(weights.tensor("layer.3"))).containsOnly(3);
      }
    }
  }

  @Test
  void leaksNothing() {
    Path file = folder.resolve("w.safetensors");
    TensorScope.run(() -> Weights.save(file, Map.of("w", torch.ones(new long[] {64})), Map.of()));
    loadOnce(file);
    long before = Torch.liveObjects();
    for (int i = 0; i < 300; i++) {
      loadOnce(file);
    }
    assertThat(Torch.liveObjects()).isEqualTo(before);
    assertThat(mappings(file)).isZero();
  }

  private static void loadOnce(Path file) {
    try (TensorScope scope = TensorScope.open();
        Weights weights = Weights.open(file)) {
      assertThat(Tensors.floats(scope.adopt(weights.tensor("w")))).hasSize(64);
    }
  }
}
