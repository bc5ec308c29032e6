package io.spillway.platform;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.json.JsonMapper;

/// The one JSON mapper: unknown keys are errors, output is indented and stable in its order.
public final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  private static final Pattern NO_NUMBER = Pattern.compile("Non-standard token '([^']{1,20})'");

  private Json() {}

  public static JsonMapper mapper() {
    return MAPPER;
  }

  /// Reads a file into a tree.
  ///
  /// **Errors:** missing or malformed files as [SpillwayException] with line and column.
  public static JsonNode readTree(Path file) {
    return read(file, JsonNode.class);
  }

  /// Reads a file into a record; keys that the record lacks are errors.
  public static <T> T read(Path file, Class<T> type) {
    String text;
    try {
      text = Files.readString(file);
    } catch (java.nio.file.NoSuchFileException e) {
      throw SpillwayException.notFound("%s: no such file", file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
    return parse(text, type, file.toString());
  }

  /// Parses text that came from `source`, a name for error messages.
  public static <T> T parse(String text, Class<T> type, String source) {
    try (JsonParser parser = MAPPER.createParser(text)) {
      try {
        T value = MAPPER.readValue(parser, type);
        if (value == null || value instanceof JsonNode node && node.isMissingNode()) {
          throw SpillwayException.badInput("%s: empty JSON, an object was expected", source);
        }
        return value;
      } catch (JacksonException e) {
        throw malformed(e, source, parser.currentLocation());
      }
    } catch (JacksonException e) {
      throw malformed(e, source, e.getLocation());
    }
  }

  private static SpillwayException malformed(
      JacksonException e, String source, @Nullable TokenStreamLocation at) {
    String where =
        at == null || at.getLineNr() < 1 ? "" : ":" + at.getLineNr() + ":" + at.getColumnNr();
    if (e instanceof UnrecognizedPropertyException unknown) {
      List<String> known = unknown.getKnownPropertyIds().stream().map(String::valueOf).toList();
      String key = unknown.getPropertyName();
      return new SpillwayException(
          ErrorCode.BAD_INPUT,
          source + where + ": unknown key '" + key + "', " + Nearest.hint(key, known),
          e);
    }
    Matcher token = NO_NUMBER.matcher(e.getOriginalMessage());
    String said =
        token.lookingAt()
            ? "'" + token.group(1) + "' is no number that JSON has, a finite one was expected"
            : plain(e.getOriginalMessage());
    return new SpillwayException(ErrorCode.BAD_INPUT, source + where + ": " + said, e);
  }

  /// Without the parser's notes on where an unfinished part began in a source that it hides.
  private static String plain(String message) {
    return message.replaceAll("\\s*\\(start marker at \\[Source: .*?\\]\\)", "");
  }

  /// Indented JSON text.
  public static String write(Object value) {
    return MAPPER.writeValueAsString(value);
  }

  /// JSON text on one line.
  public static String line(Object value) {
    return MAPPER.writer().without(SerializationFeature.INDENT_OUTPUT).writeValueAsString(value);
  }
}
