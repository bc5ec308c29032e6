package io.spillway.tensor.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.testkit.Cases;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
  @TempDir Path folder;

  /// A file by hand, byte for byte as the format's description tells.
  private Path file(String header, int dataBytes) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json);
    for (int i = 0; i < dataBytes; i++) {
      bytes.put((byte) i);
    }
    return Files.write(folder.resolve("made.safetensors"), bytes.array());
  }

  @Test
  void readsAFileMadeByHand() throws IOException {
    Path path =
        file(
            """
            {"__metadata__":{"format":"pt"},"b":{"dtype":"I16","shape":[2],"data_offsets":[4,8]},\
            "a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}}\
            """,
            8);
    try (SafetensorsFile f = SafetensorsFile.open(path)) {
      assertThat(f.names()).containsExactly("a", "b");
      assertThat(f.metadata()).containsExactly(Map.entry("format", "pt"));
      assertThat(f.entry("b")).isEqualTo(new TensorEntry("b", DType.I16, List.of(2L), 4, 8));
      assertThat(f.segment("b").toArray(ValueLayout.JAVA_BYTE)).containsExactly(4, 5, 6, 7);
      assertThatThrownBy(() -> f.entry("B"))
          .isInstanceOf(SpillwayException.class)
          .hasMessageContaining("did you mean");
    }
  }

  @Test
  void writingIntoTheMappingLeavesTheFile() throws IOException {
    Path path = file("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4);
    byte[] before = Files.readAllBytes(path);
    try (SafetensorsFile f = SafetensorsFile.open(path)) {
      f.segment("a").fill((byte) 9);
    }
    assertThat(Files.readAllBytes(path)).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}                 | needs 8 bytes
          {"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}                 | the data has 12 bytes
          {"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}                  | lies at bytes 8 to 4
          {"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}                 | a gap follows
          {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}                  | belong to no tensor
          {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}} | overlaps
          {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}} | Duplicate
          {"a":{"dtype":"F99","shape":[3],"data_offsets":[0,12]}}                 | dtype F99
          {"a":{"dtype":"F32","shape":[-3],"data_offsets":[0,12]}}                | no negative
          {"a":{"dtype":"F32","shape":[3.0],"data_offsets":[0,12]}}               | whole numbers
          {"a":{"dtype":"F32","shape":[9223372036854775807,9],"data_offsets":[0,12]}} | exceeds 2^63
          {"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,12]}} | no valid JSON
          {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12],"offset":1}}      | unknown key
          {"a":{"dtype":"F32","shape":[3]}}                                       | needs dtype, shape and data_offsets
          {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,6,12]}}               | 3 data_offsets
          {"__metadata__":{"n":1},"a":{"dtype":"U8","shape":[12],"data_offsets":[0,12]}} | must be a text
          {"a":{"dtype":"U8","shape":[12],"data_offsets":[0,12]}} {}              | goes on after
          {"a":{"dtype":"U8","shape":[12],"data_offsets":[0,12]}                  | no valid JSON
          {"a":[[[[[[[[[[[[]]]]]]]]]]]]}                                          | must be an object
          [1]                                                                     | begin with
          """)
  void refusesContradictions(String header, String words) throws IOException {
    Path path = file(header, 12);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining(words)
        .hasMessageContaining(path.toString());
  }

  @Test
  void refusesHugeAndCutOffHeaders() throws IOException {
    Path path = folder.resolve("bad.safetensors");
    Files.write(path, new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, '{', '}'});
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .hasMessageContaining("18446744073709551615 bytes long");
    Files.write(path, new byte[] {0, 0, 0, 5, 0, 0, 0, 0, '{', '}'});
    assertThatThrownBy(() -> SafetensorsFile.open(path)).hasMessageContaining("cut off");
    Files.write(path, new byte[] {3, 0});
    assertThatThrownBy(() -> SafetensorsFile.open(path)).hasMessageContaining("too few");
    Files.write(path, new byte[] {2, 0, 0, 0, 0, 0, 0, 0, (byte) 0xC3, '}'});
    assertThatThrownBy(() -> SafetensorsFile.open(path)).hasMessageContaining("no UTF-8");
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("absent")))
        .hasMessageContaining("no such file");
    assertThatThrownBy(() -> SafetensorsFile.open(folder)).hasMessageContaining("folder");
  }

  @Test
  void roundTripsRandomTensors() {
    Cases.run(
        40,
        random -> {
          Map<String, SafetensorsWriter.Source> tensors = new LinkedHashMap<>();
          int count = random.nextInt(6);
          for (int i = 0; i < count; i++) {
            DType type = DType.values()[random.nextInt(DType.values().length)];
            List<Long> shape = new ArrayList<>();
            long elements = 1;
            for (int d = random.nextInt(4); d > 0; d--) {
              long size = random.nextInt(5);
              shape.add(size);
              elements *= size;
            }
            byte[] data = new byte[(int) elements * type.bytes()];
            random.nextBytes(data);
            tensors.put(
                "t\"é" + i, new SafetensorsWriter.Source(type, shape, MemorySegment.ofArray(data)));
          }
          Path path = folder.resolve("round.safetensors");
          Map<String, String> metadata = Map.of("k", "v\n\u0001");
          SafetensorsWriter.write(path, tensors, metadata);
          try (SafetensorsFile f = SafetensorsFile.open(path)) {
            assertThat(f.metadata()).isEqualTo(metadata);
            assertThat(f.names()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
            tensors.forEach((name, source) -> {
              assertThat(f.entry(name).dtype()).isEqualTo(source.dtype());
              assertThat(f.entry(name).shape()).isEqualTo(source.shape());
              assertThat(f.segment(name).mismatch(source.data())).isEqualTo(-1);
              assertThat(f.entry(name).begin() % source.dtype().bytes()).isZero();
            });
          }
        });
  }

  @Test
  void writesAndReadsShards() throws IOException {
    Map<String, SafetensorsWriter.Source> tensors = new LinkedHashMap<>();
    for (int i = 0; i < 5; i++) {
      byte[] data = new byte[40];
      data[0] = (byte) i;
      tensors.put(
          "layer." + i,
          new SafetensorsWriter.Source(DType.F32, List.of(10L), MemorySegment.ofArray(data)));
    }
    SafetensorsWriter.writeSharded(folder, tensors, Map.of("format", "pt"), 100);
    try (SafetensorsModel model = SafetensorsModel.open(folder)) {
      assertThat(model.files()).hasSize(3);
      assertThat(model.bytes()).isEqualTo(200);
      for (int i = 0; i < 5; i++) {
        assertThat(model.segment("layer." + i).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) i);
      }
      assertThatThrownBy(() -> model.entry("layer.7")).hasMessageContaining("did you mean");
    }
    Path index = folder.resolve("model.safetensors.index.json");
    String good = Files.readString(index);
    Files.writeString(index, good.replace("00003-of-00003", "00009-of-00003"));
    assertThatThrownBy(() -> SafetensorsModel.open(folder)).hasMessageContaining("no such file");
    Files.writeString(index, good.replace("\"model-00001", "\"../model-00001"));
    assertThatThrownBy(() -> SafetensorsModel.open(folder))
        .hasMessageContaining("beside the index");
    Files.writeString(index, good.replace("layer.4", "layer.9"));
    assertThatThrownBy(() -> SafetensorsModel.open(folder)).hasMessageContaining("is not in");
    Files.writeString(index, "{}");
    assertThatThrownBy(() -> SafetensorsModel.open(folder)).hasMessageContaining("weight_map");
    Files.delete(index);
    assertThatThrownBy(() -> SafetensorsModel.open(folder)).hasMessageContaining("no weights");
  }
}
