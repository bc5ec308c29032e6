package io.spillway.diffusion.text;

import io.spillway.models.Tokenizer;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// Text to CLIP's tokens: lower case, byte pairs within words whose last symbol carries `</w>`,
/// padded to a fixed length.
///
/// **Source:** Radford et al., "Learning Transferable Visual Models From Natural Language
/// Supervision", section 2.4; file names as in Hugging Face's CLIPTokenizer.
public final class ClipTokenizer implements AutoCloseable {
  private static final String BEGIN = "<|startoftext|>";
  private static final String END = "<|endoftext|>";

  private final Tokenizer tokenizer;
  private final int begin;
  private final int end;
  private final int pad;
  private final int length;

  private ClipTokenizer(Tokenizer tokenizer, int begin, int end, int pad, int length) {
    this.tokenizer = tokenizer;
    this.begin = begin;
    this.end = end;
    this.pad = pad;
    this.length = length;
  }

  /// A text's tokens.
  ///
  /// @param ids begin, text, end, padding; as many as the encoder has positions
  /// @param leftOut the text that did not fit, empty if all did
  public record Tokens(int[] ids, String leftOut) {}

  /// Opens a tokenizer folder with `vocab.json` and `merges.txt`.
  ///
  /// @param length tokens of a text, with begin and end
  ///
  ///   **Errors:** an absent or malformed file.
  public static ClipTokenizer open(Path folder, int length) {
    Path vocabulary = folder.resolve("vocab.json");
    Path merges = folder.resolve("merges.txt");
    for (Path file : List.of(vocabulary, merges)) {
      if (!Files.isRegularFile(file)) {
        throw SpillwayException.notFound(
            "%s is missing; a CLIP tokenizer has vocab.json and merges.txt", file);
      }
    }
    JsonNode words = Json.readTree(vocabulary);
    int begin = id(vocabulary, words, BEGIN);
    int end = id(vocabulary, words, END);
    int pad = id(vocabulary, words, padding(folder));
    Map<String, Integer> ids = new LinkedHashMap<>();
    words.forEachEntry((word, id) -> ids.put(word, id.asInt()));
    String json = Json.line(description(ids, pairs(merges), begin, end));
    return new ClipTokenizer(Tokenizer.ofJson(json, vocabulary), begin, end, pad, length);
  }

  private static int id(Path file, JsonNode words, String word) {
    if (!words.path(word).isIntegralNumber()) {
      throw SpillwayException.badFile(file, "", "token %s is missing", word);
    }
    return words.path(word).asInt();
  }

  /// What a text is filled up with: SDXL's second tokenizer takes `!`.
  private static String padding(Path folder) {
    for (String name : List.of("special_tokens_map.json", "tokenizer_config.json")) {
      Path file = folder.resolve(name);
      if (Files.isRegularFile(file)) {
        JsonNode pad = Json.readTree(file).path("pad_token");
        String text = pad.isString() ? pad.asString() : pad.path("content").asString("");
        if (!text.isEmpty()) {
          return text;
        }
      }
    }
    return END;
  }

  private static List<String> pairs(Path merges) {
    try {
      List<String> lines = new ArrayList<>(Files.readAllLines(merges));
      lines.removeIf(line -> line.isBlank() || line.startsWith("#version"));
      for (String line : lines) {
        if (line.strip().split(" ").length != 2) {
          throw SpillwayException.badFile(merges, "", "'%s' is no pair of symbols", line);
        }
      }
      return lines;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + merges + ": " + e.getMessage(), e);
    }
  }

  /// CLIP's way as a `tokenizer.json`.
  private static Map<String, Object> description(
      Map<String, Integer> ids, List<String> merges, int begin, int end) {
    Map<String, Object> split = new LinkedHashMap<>();
    split.put("type", "Split");
    split.put(
        "pattern",
        Map.of("Regex", "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"));
    split.put("behavior", "Removed");
    split.put("invert", true);
    Map<String, Object> bytes = new LinkedHashMap<>();
    bytes.put("type", "ByteLevel");
    bytes.put("add_prefix_space", false);
    bytes.put("trim_offsets", true);
    bytes.put("use_regex", true);
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("unk_token", END);
    model.put("continuing_subword_prefix", "");
    model.put("end_of_word_suffix", "</w>");
    model.put("fuse_unk", false);
    model.put("vocab", ids);
    model.put("merges", merges);
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("version", "1.0");
    all.put("added_tokens", List.of(special(begin, BEGIN), special(end, END)));
    all.put(
        "normalizer",
        Map.of(
            "type",
            "Sequence",
            "normalizers",
            List.of(
                Map.of("type", "NFC"),
                Map.of("type", "Replace", "pattern", Map.of("Regex", "\\s+"), "content", " "),
                Map.of("type", "Lowercase"))));
    all.put("pre_tokenizer", Map.of("type", "Sequence", "pretokenizers", List.of(split, bytes)));
    all.put("decoder", bytes);
    all.put("model", model);
    return all;
  }

  private static Map<String, Object> special(int id, String content) {
    Map<String, Object> token = new LinkedHashMap<>();
    token.put("id", id);
    token.put("content", content);
    for (String flag : List.of("single_word", "lstrip", "rstrip")) {
      token.put(flag, false);
    }
    token.put("normalized", true);
    token.put("special", true);
    return token;
  }

  /// Tokens of a text.
  public Tokens encode(String text) {
    int[] all = tokenizer.encode(text, false);
    int kept = Math.min(all.length, length - 2);
    int[] ids = new int[length];
    Arrays.fill(ids, pad);
    ids[0] = begin;
    System.arraycopy(all, 0, ids, 1, kept);
    ids[kept + 1] = end;
    String leftOut =
        kept == all.length
            ? ""
            : tokenizer
                .decode(Arrays.copyOfRange(all, kept, all.length))
                .replace("</w>", " ")
                .strip();
    return new Tokens(ids, leftOut);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
