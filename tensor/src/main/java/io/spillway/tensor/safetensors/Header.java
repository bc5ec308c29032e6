package io.spillway.tensor.safetensors;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/// The JSON header of a safetensors file, fully checked: after [#parse] every tensor lies inside
/// the data, has the size its shape tells, and the tensors cover the data without overlap or gap.
///
/// @param tensors by name, in the order of their data
/// @param metadata free text under `__metadata__`
/// @param dataOffset where the data begins in the file
public record Header(
    Map<String, TensorEntry> tensors, Map<String, String> metadata, long dataOffset) {
  /// The largest header that is read, as in the reference implementation.
  public static final long MAX_HEADER_BYTES = 100_000_000;

  /// Bytes of the length field in front of the header.
  public static final int PREFIX_BYTES = 8;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(8).maxNumberLength(20).build())
          .build();

  public Header {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    metadata = Map.copyOf(metadata);
  }

  /// Checks the length field.
  ///
  /// **Errors:** a length beyond the file or [#MAX_HEADER_BYTES].
  public static long checkedLength(long length, long fileBytes, Path file) {
    if (length < 0 || length > MAX_HEADER_BYTES) {
      throw SpillwayException.badFile(
          file,
          "",
          "the header says it is %s bytes long, at most %d are allowed; this is no safetensors"
              + " file or it is damaged",
          Long.toUnsignedString(length),
          MAX_HEADER_BYTES);
    }
    if (length > fileBytes - PREFIX_BYTES) {
      throw SpillwayException.badFile(
          file,
          "",
          "the header says it is %d bytes long, but the file has only %d; it is cut off",
          length,
          fileBytes);
    }
    return length;
  }

  /// Parses and checks a header.
  ///
  /// @param json the bytes between the length field and the data
  /// @param fileBytes length of the whole file
  /// @param file for error messages
  public static Header parse(byte[] json, long fileBytes, Path file) {
    long dataBytes = fileBytes - PREFIX_BYTES - json.length;
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
    } catch (CharacterCodingException e) {
      throw SpillwayException.badFile(file, "", "the header is no UTF-8 text");
    }
    if (!text.startsWith("{")) {
      throw SpillwayException.badFile(file, "", "the header does not begin with '{'");
    }
    List<TensorEntry> entries = new ArrayList<>();
    Map<String, String> metadata = Map.of();
    try (JsonParser p = JSON.createParser(ObjectReadContext.empty(), text)) {
      p.nextToken();
      while (p.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = p.currentName();
        if (name.equals("__metadata__")) {
          metadata = readMetadata(p, file);
        } else {
          entries.add(readEntry(p, name, file));
        }
      }
      if (p.nextToken() != null) {
        throw SpillwayException.badFile(file, "", "the header goes on after its closing '}'");
      }
    } catch (JacksonException e) {
      throw SpillwayException.badFile(
          file, "", "the header is no valid JSON: %s", e.getOriginalMessage());
    }
    entries.sort(Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end));
    checkLayout(entries, dataBytes, file);
    Map<String, TensorEntry> byName = new LinkedHashMap<>();
    entries.forEach(e -> byName.put(e.name(), e));
    return new Header(byName, metadata, PREFIX_BYTES + json.length);
  }

  private static Map<String, String> readMetadata(JsonParser p, Path file) {
    expect(p.nextToken(), JsonToken.START_OBJECT, "__metadata__", "an object", file);
    Map<String, String> metadata = new LinkedHashMap<>();
    while (p.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = p.currentName();
      expect(p.nextToken(), JsonToken.VALUE_STRING, "__metadata__." + key, "a text", file);
      metadata.put(key, p.getString());
    }
    return metadata;
  }

  private static TensorEntry readEntry(JsonParser p, String name, Path file) {
    expect(p.nextToken(), JsonToken.START_OBJECT, name, "an object", file);
    DType dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (p.nextToken() == JsonToken.PROPERTY_NAME) {
      String key = p.currentName();
      switch (key) {
        case "dtype" -> {
          expect(p.nextToken(), JsonToken.VALUE_STRING, name + ".dtype", "a text", file);
          dtype = dtype(p.getString(), name, file);
        }
        case "shape" -> shape = readNumbers(p, name + ".shape", file);
        case "data_offsets" -> offsets = readNumbers(p, name + ".data_offsets", file);
        default ->
            throw SpillwayException.badFile(
                file,
                "",
                "tensor '%s' has the unknown key '%s', %s",
                name,
                key,
                Nearest.hint(key, List.of("dtype", "shape", "data_offsets")));
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw SpillwayException.badFile(
          file, "", "tensor '%s' needs dtype, shape and data_offsets", name);
    }
    if (offsets.size() != 2) {
      throw SpillwayException.badFile(
          file, "", "tensor '%s' has %d data_offsets, 2 are needed", name, offsets.size());
    }
    return new TensorEntry(name, dtype, shape, offsets.get(0), offsets.get(1));
  }

  private static DType dtype(String text, String name, Path file) {
    Optional<DType> type = DType.of(text);
    return type.orElseThrow(() ->
        SpillwayException.badFile(
            file,
            "",
            "tensor '%s' has dtype %s, known: %s",
            name,
            text,
            String.join(", ", DType.names())));
  }

  private static List<Long> readNumbers(JsonParser p, String what, Path file) {
    expect(p.nextToken(), JsonToken.START_ARRAY, what, "an array", file);
    List<Long> numbers = new ArrayList<>();
    while (true) {
      JsonToken token = p.nextToken();
      if (token == JsonToken.END_ARRAY) {
        return numbers;
      }
      expect(token, JsonToken.VALUE_NUMBER_INT, what, "whole numbers", file);
      long value = p.getLongValue();
      if (value < 0) {
        throw SpillwayException.badFile(file, "", "%s has %d, no negative is allowed", what, value);
      }
      numbers.add(value);
    }
  }

  private static void expect(
      @Nullable JsonToken token, JsonToken wanted, String what, String words, Path file) {
    if (token != wanted) {
      throw SpillwayException.badFile(
          file, "", "%s must be %s, but %s was found", what, words, String.valueOf(token));
    }
  }

  private static void checkLayout(List<TensorEntry> entries, long dataBytes, Path file) {
    long at = 0;
    String before = "the header";
    for (TensorEntry e : entries) {
      if (e.begin() > e.end() || e.end() > dataBytes) {
        throw SpillwayException.badFile(
            file,
            "",
            "tensor '%s' lies at bytes %d to %d, but the data has %d bytes",
            e.name(),
            e.begin(),
            e.end(),
            dataBytes);
      }
      if (e.begin() != at) {
        throw SpillwayException.badFile(
            file,
            "",
            "tensor '%s' begins at byte %d, %s %s, which ends at %d",
            e.name(),
            e.begin(),
            e.begin() < at ? "it overlaps" : "a gap follows",
            before,
            at);
      }
      long needed = neededBytes(e, file);
      if (needed != e.bytes()) {
        throw SpillwayException.badFile(
            file,
            "",
            "tensor '%s' of shape %s and dtype %s needs %d bytes, its offsets span %d",
            e.name(),
            e.shape(),
            e.dtype(),
            needed,
            e.bytes());
      }
      at = e.end();
      before = "'" + e.name() + "'";
    }
    if (at != dataBytes) {
      throw SpillwayException.badFile(
          file, "", "%d bytes of data belong to no tensor", dataBytes - at);
    }
  }

  private static long neededBytes(TensorEntry e, Path file) {
    if (e.shape().contains(0L)) {
      return 0;
    }
    try {
      long bytes = e.dtype().bytes();
      for (long size : e.shape()) {
        bytes = Math.multiplyExact(bytes, size);
      }
      return bytes;
    } catch (ArithmeticException overflow) {
      throw SpillwayException.badFile(
          file, "", "tensor '%s' of shape %s exceeds 2^63 bytes", e.name(), e.shape());
    }
  }
}
