package io.spillway.tensor.safetensors;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonGenerator;

/// Writes safetensors files atomically: a reader sees the old file or the whole new one.
public final class SafetensorsWriter {
  /// Largest piece that one write call gets.
  private static final long PIECE = 1L << 30;

  /// One tensor to write.
  ///
  /// @param data its elements, little-endian, without gaps
  public record Source(DType dtype, List<Long> shape, MemorySegment data) {
    public Source {
      shape = List.copyOf(shape);
      long bytes = shape.stream().reduce((long) dtype.bytes(), Math::multiplyExact);
      if (bytes != data.byteSize()) {
        throw new IllegalArgumentException(
            data.byteSize() + " bytes are no " + dtype + " tensor of shape " + shape);
      }
    }
  }

  private SafetensorsWriter() {}

  /// Writes one file. Tensors of wide elements come first, so that each is aligned to its type.
  public static void write(Path file, Map<String, Source> tensors, Map<String, String> metadata) {
    if (tensors.containsKey("__metadata__")) {
      throw SpillwayException.badInput("a tensor cannot be named __metadata__");
    }
    List<Map.Entry<String, Source>> order = new ArrayList<>(tensors.entrySet());
    order.sort(
        Comparator.comparing((Map.Entry<String, Source> e) -> -e.getValue().dtype().bytes())
            .thenComparing(Map.Entry::getKey));
    byte[] header = header(order, metadata);
    AtomicFiles.write(
        file,
        temporary -> {
          try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
            writeFully(
                channel,
                ByteBuffer.allocate(Header.PREFIX_BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(0, header.length));
            writeFully(channel, ByteBuffer.wrap(header));
            for (Map.Entry<String, Source> e : order) {
              MemorySegment data = e.getValue().data();
              for (long at = 0; at < data.byteSize(); at += PIECE) {
                writeFully(
                    channel,
                    data.asSlice(at, Math.min(PIECE, data.byteSize() - at)).asByteBuffer());
              }
            }
          }
        });
  }

  /// Writes `model.safetensors`, or several shards and `model.safetensors.index.json` when the
  /// tensors exceed `maxShardBytes`. The index comes last, so that an interrupted write leaves no
  /// index that names missing shards.
  public static void writeSharded(
      Path folder, Map<String, Source> tensors, Map<String, String> metadata, long maxShardBytes) {
    List<Map<String, Source>> shards = new ArrayList<>();
    long room = 0;
    long total = 0;
    for (Map.Entry<String, Source> e : tensors.entrySet()) {
      long bytes = e.getValue().data().byteSize();
      if (shards.isEmpty() || (bytes > room && !shards.getLast().isEmpty())) {
        shards.add(new LinkedHashMap<>());
        room = maxShardBytes;
      }
      shards.getLast().put(e.getKey(), e.getValue());
      room -= bytes;
      total += bytes;
    }
    if (shards.size() <= 1) {
      write(folder.resolve("model.safetensors"), tensors, metadata);
      return;
    }
    Map<String, String> weightMap = new TreeMap<>();
    for (int i = 0; i < shards.size(); i++) {
      String name = String.format("model-%05d-of-%05d.safetensors", i + 1, shards.size());
      write(folder.resolve(name), shards.get(i), metadata);
      shards.get(i).keySet().forEach(k -> weightMap.put(k, name));
    }
    Map<String, Object> index = new LinkedHashMap<>();
    index.put("metadata", Map.of("total_size", total));
    index.put("weight_map", weightMap);
    AtomicFiles.writeString(folder.resolve(SafetensorsModel.INDEX), Json.write(index) + "\n");
  }

  private static byte[] header(
      List<Map.Entry<String, Source>> order, Map<String, String> metadata) {
    java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
    try (JsonGenerator g = Json.mapper().createGenerator(out)) {
      g.writeStartObject();
      if (!metadata.isEmpty()) {
        g.writeObjectPropertyStart("__metadata__");
        new TreeMap<>(metadata).forEach(g::writeStringProperty);
        g.writeEndObject();
      }
      long at = 0;
      for (Map.Entry<String, Source> e : order) {
        g.writeObjectPropertyStart(e.getKey());
        g.writeStringProperty("dtype", e.getValue().dtype().safetensorsName());
        g.writeArrayPropertyStart("shape");
        e.getValue().shape().forEach(g::writeNumber);
        g.writeEndArray();
        g.writeArrayPropertyStart("data_offsets");
        g.writeNumber(at);
        at += e.getValue().data().byteSize();
        g.writeNumber(at);
        g.writeEndArray();
        g.writeEndObject();
      }
      g.writeEndObject();
    }
    byte[] json = out.toString(StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8);
    byte[] padded = Arrays.copyOf(json, (json.length + 7) / 8 * 8);
    Arrays.fill(padded, json.length, padded.length, (byte) ' ');
    if (padded.length > Header.MAX_HEADER_BYTES) {
      throw SpillwayException.doesNotFit(
          "the header would be %d bytes long, at most %d are allowed; write shards",
          padded.length, Header.MAX_HEADER_BYTES);
    }
    return padded;
  }

  private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
