package io.spillway.models;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Text to token ids and back by a Hugging Face `tokenizer.json`. Safe for several threads.
public final class Tokenizer implements AutoCloseable {
  static {
    // the library under it asks the network where it runs and counts its uses, unless told not to
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("OPT_OUT_TRACKING", "true");
  }

  private final HuggingFaceTokenizer tokenizer;

  private Tokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /// Opens `folder/tokenizer.json`.
  ///
  /// **Errors:** an absent or malformed file.
  public static Tokenizer open(Path folder) {
    Path file = folder.resolve("tokenizer.json");
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.notFound(
          "%s is missing; copy the model's tokenizer.json into its folder", file);
    }
    try {
      return ofJson(Files.readString(file), file);
    } catch (MalformedInputException e) {
      throw SpillwayException.badFile(file, "", "the text is no UTF-8");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// Makes a tokenizer from the text of a `tokenizer.json`.
  ///
  /// @param source the file to name in errors
  public static Tokenizer ofJson(String json, Path source) {
    // the native library ends the whole process on some malformed files, so that they are refused
    // before it sees them
    TokenizerFile.check(Json.parse(json, JsonNode.class, source.toString()), source);
    try (InputStream in = new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8))) {
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(
              in, Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false")));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + source + ": " + e.getMessage(), e);
    } catch (RuntimeException e) {
      throw SpillwayException.badFile(
          source,
          "",
          "no readable tokenizer: %s",
          String.valueOf(e.getMessage()).replaceAll("\\s+", " "));
    }
  }

  /// Ids of a text; special tokens written in it are recognised.
  ///
  /// @param addSpecial lets the tokenizer add its begin token
  public int[] encode(String text, boolean addSpecial) {
    long[] ids = tokenizer.encode(text, addSpecial, false).getIds();
    int[] out = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      out[i] = Math.toIntExact(ids[i]);
    }
    return out;
  }

  /// Text of ids without special tokens.
  public String decode(int[] ids) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wide[i] = ids[i];
    }
    return tokenizer.decode(wide, true);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
