package io.spillway.training.data;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32C;
import tools.jackson.databind.JsonNode;

/// Turns text and JSON lines into a token file once, streaming, so that later epochs, restarts and
/// other ranks map it instead of reading text again.
public final class TokenCache {
  /// Text to ids.
  @FunctionalInterface
  public interface Encoder {
    int[] encode(String text);
  }

  private static final int PIECE = 1 << 16;

  private TokenCache() {}

  /// The token file for `inputs`: the input itself if it is the only one and holds ids, else a file
  /// in `folder` that is made if it is not there.
  ///
  /// @param end id written after each document, -1 for none
  /// @param tokenizer a name that changes when the tokenizer does
  /// @param vocabulary ids that the model has; token files are checked before they are copied
  public static TokenFile open(
      List<Path> inputs,
      Path folder,
      Encoder encoder,
      String tokenizer,
      int end,
      int vocabulary,
      Progress progress) {
    if (inputs.isEmpty()) {
      throw SpillwayException.badInput("no data files are given, name some with --data");
    }
    for (Path input : inputs) {
      if (!Files.isRegularFile(input)) {
        throw SpillwayException.notFound("%s: no such data file", input);
      }
    }
    if (inputs.size() == 1 && TokenFile.isTokens(inputs.getFirst())) {
      return TokenFile.open(inputs.getFirst());
    }
    Path cache = folder.resolve("tokens-" + fingerprint(inputs, tokenizer, end) + ".u32");
    if (!Files.isRegularFile(cache)) {
      long bytes = inputs.stream().mapToLong(TokenCache::size).sum();
      try (Progress.Task task = progress.start("tokenising", bytes)) {
        AtomicFiles.writeStream(
            cache,
            out -> {
              for (Path input : inputs) {
                append(input, encoder, end, vocabulary, out, task);
              }
            });
      }
    }
    return TokenFile.open(cache);
  }

  private static String fingerprint(List<Path> inputs, String tokenizer, int end) {
    CRC32C sum = new CRC32C();
    StringBuilder text = new StringBuilder(tokenizer).append('|').append(end);
    for (Path input : inputs) {
      try {
        text.append('|')
            .append(input.toAbsolutePath())
            .append(Files.size(input))
            .append(Files.getLastModifiedTime(input));
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + input + ": " + e.getMessage(), e);
      }
    }
    sum.update(text.toString().getBytes(StandardCharsets.UTF_8));
    return String.format("%08x", sum.getValue());
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  private static void append(
      Path input, Encoder encoder, int end, int vocabulary, OutputStream out, Progress.Task task)
      throws IOException {
    if (TokenFile.isTokens(input)) {
      try (TokenFile tokens = TokenFile.open(input)) {
        tokens.check(vocabulary);
        for (long i = 0; i < tokens.size(); i++) {
          write(out, tokens.get(i));
        }
      }
      task.advance(size(input));
      return;
    }
    boolean lines = input.toString().endsWith(".jsonl") || input.toString().endsWith(".ndjson");
    try (BufferedReader reader = Files.newBufferedReader(input)) {
      if (lines) {
        appendLines(input, reader, encoder, end, out, task);
      } else {
        boolean any = appendText(reader, encoder, out, task);
        if (any && end >= 0) {
          write(out, end);
        }
      }
    } catch (CharacterCodingException e) {
      throw SpillwayException.badFile(
          input, "", "not UTF-8 text; token files must end in .u16, .bin or .u32");
    }
  }

  private static void appendLines(
      Path input,
      BufferedReader reader,
      Encoder encoder,
      int end,
      OutputStream out,
      Progress.Task task)
      throws IOException {
    String line;
    int number = 0;
    while ((line = reader.readLine()) != null) {
      number++;
      if (line.isBlank()) {
        continue;
      }
      JsonNode text = Json.parse(line, JsonNode.class, input + ":" + number).path("text");
      if (!text.isString()) {
        throw SpillwayException.badFile(
            input, ":" + number, "the line has no string under the key \"text\"");
      }
      write(out, encoder.encode(text.asString()));
      if (end >= 0) {
        write(out, end);
      }
      task.advance(line.length() + 1L);
    }
  }

  /// Text goes through the tokenizer in pieces of about 64 KiB that end with a line.
  private static boolean appendText(
      BufferedReader reader, Encoder encoder, OutputStream out, Progress.Task task)
      throws IOException {
    StringBuilder piece = new StringBuilder();
    boolean any = false;
    String line;
    while ((line = reader.readLine()) != null) {
      any = true;
      piece.append(line).append('\n');
      if (piece.length() >= PIECE) {
        write(out, encoder.encode(piece.toString()));
        task.advance(piece.length());
        piece.setLength(0);
      }
    }
    if (!piece.isEmpty()) {
      write(out, encoder.encode(piece.toString()));
      task.advance(piece.length());
    }
    return any;
  }

  private static void write(OutputStream out, int... ids) throws IOException {
    for (int id : ids) {
      out.write(id);
      out.write(id >>> 8);
      out.write(id >>> 16);
      out.write(id >>> 24);
    }
  }
}
