package io.spillway.longcontext.own;

import io.spillway.longcontext.tasks.Lexicon;
import io.spillway.platform.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The vocabulary of our own model: special tokens, all bytes, digits and words with and without a
/// leading space. Any text has an encoding; words outside the vocabulary become bytes.
///
/// It is written as a Hugging Face `tokenizer.json` (byte-level BPE without merges that takes whole
/// words first), and this class is its twin in plain Java, which generates training data quickly.
public final class OwnVocabulary {
  public static final String PAD = "<|pad|>";
  public static final String BEGIN = "<|begin|>";
  public static final String END = "<|end|>";
  public static final String USER = "<|user|>";
  public static final String ASSISTANT = "<|assistant|>";
  public static final List<String> SPECIALS = List.of(PAD, BEGIN, END, USER, ASSISTANT);

  /// Words with at most one space before them, single digits with at most one space, runs of
  /// punctuation with at most one space, white space.
  static final String SPLIT = " ?[A-Za-z]+| ?[0-9]| ?[^\\sA-Za-z0-9]|\\s";

  private static final Pattern SPECIAL =
      Pattern.compile(String.join("|", SPECIALS.stream().map(Pattern::quote).toList()));

  private final List<byte[]> tokens = new ArrayList<>();
  private final Map<String, Integer> ids = new LinkedHashMap<>();
  private final int firstByte;

  public OwnVocabulary() {
    for (String special : SPECIALS) {
      add(special);
    }
    firstByte = tokens.size();
    for (int b = 0; b < 256; b++) {
      tokens.add(new byte[] {(byte) b});
    }
    Set<String> pieces = new LinkedHashSet<>();
    for (int digit = 0; digit < 10; digit++) {
      pieces.add(" " + digit);
    }
    for (String mark : List.of(".", ",", ":", "?", "\"", "-", "{", "}", "=", "!", "(", ")", "'")) {
      pieces.add(" " + mark);
    }
    for (String word : Lexicon.FRAME) {
      pieces.add(" " + word.split("'")[0]);
    }
    for (List<String> words :
        List.of(Lexicon.NOUNS, Lexicon.ADJECTIVES, Lexicon.VERBS, Lexicon.PREPOSITIONS)) {
      words.forEach(word -> pieces.add(" " + word));
    }
    Lexicon.NOUNS.forEach(pieces::add);
    Lexicon.ADJECTIVES.forEach(pieces::add);
    pieces.add("The");
    pieces.forEach(this::add);
  }

  private void add(String text) {
    ids.put(text, tokens.size());
    tokens.add(text.getBytes(StandardCharsets.UTF_8));
  }

  public int size() {
    return tokens.size();
  }

  /// The id of a special token or of a whole piece.
  public int id(String token) {
    Integer id = ids.get(token);
    if (id == null) {
      throw new IllegalArgumentException("no token '" + token + "'");
    }
    return id;
  }

  /// Ids of a text; special tokens in it are recognised.
  public int[] encode(String text) {
    if (text.indexOf('<') < 0) {
      List<Integer> out = new ArrayList<>();
      plain(text, out);
      return out.stream().mapToInt(Integer::intValue).toArray();
    }
    List<Integer> out = new ArrayList<>();
    Matcher special = SPECIAL.matcher(text);
    int from = 0;
    while (special.find()) {
      plain(text.substring(from, special.start()), out);
      out.add(id(special.group()));
      from = special.end();
    }
    plain(text.substring(from), out);
    return out.stream().mapToInt(Integer::intValue).toArray();
  }

  /// Cuts as [#SPLIT] does, by hand, since training reads millions of tokens a second.
  private void plain(String text, List<Integer> out) {
    int at = 0;
    while (at < text.length()) {
      int end = pieceEnd(text, at);
      String piece = text.substring(at, end);
      Integer whole = ids.get(piece);
      if (whole != null) {
        out.add(whole);
      } else {
        for (byte b : piece.getBytes(StandardCharsets.UTF_8)) {
          out.add(firstByte + (b & 0xff));
        }
      }
      at = end;
    }
  }

  private static int pieceEnd(String text, int at) {
    int body = text.charAt(at) == ' ' ? at + 1 : at;
    if (body == text.length() || isSpace(text.charAt(body))) {
      return at + 1; // white space by itself
    }
    if (!isLetter(text.charAt(body))) {
      return body + Character.charCount(text.codePointAt(body));
    }
    int end = body + 1;
    while (end < text.length() && isLetter(text.charAt(end))) {
      end++;
    }
    return end;
  }

  private static boolean isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }

  /// What `\s` of [Pattern] matches.
  private static boolean isSpace(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
  }

  /// Text of ids.
  public String decode(int[] tokenIds) {
    java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
    for (int id : tokenIds) {
      out.writeBytes(tokens.get(id));
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  /// The same vocabulary as Hugging Face's `tokenizer.json`.
  public String tokenizerJson() {
    Map<String, Integer> vocabulary = new LinkedHashMap<>();
    List<Map<String, Object>> added = new ArrayList<>();
    for (int id = 0; id < tokens.size(); id++) {
      String text = new String(tokens.get(id), StandardCharsets.UTF_8);
      if (id < firstByte) {
        vocabulary.put(text, id);
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("id", id);
        entry.put("content", text);
        entry.put("single_word", false);
        entry.put("lstrip", false);
        entry.put("rstrip", false);
        entry.put("normalized", false);
        entry.put("special", true);
        added.add(entry);
      } else {
        vocabulary.put(visible(tokens.get(id)), id);
      }
    }
    Map<String, Object> split = new LinkedHashMap<>();
    split.put("type", "Split");
    split.put("pattern", Map.of("Regex", SPLIT));
    split.put("behavior", "Isolated");
    split.put("invert", false);
    Map<String, Object> bytes = new LinkedHashMap<>();
    bytes.put("type", "ByteLevel");
    bytes.put("add_prefix_space", false);
    bytes.put("trim_offsets", false);
    bytes.put("use_regex", false);
    Map<String, Object> sequence = new LinkedHashMap<>();
    sequence.put("type", "Sequence");
    sequence.put("pretokenizers", List.of(split, bytes));
    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("dropout", null);
    model.put("unk_token", null);
    model.put("continuing_subword_prefix", null);
    model.put("end_of_word_suffix", null);
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", true);
    model.put("vocab", vocabulary);
    model.put("merges", List.of());
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("version", "1.0");
    root.put("truncation", null);
    root.put("padding", null);
    root.put("added_tokens", added);
    root.put("normalizer", null);
    root.put("pre_tokenizer", sequence);
    Map<String, Object> begin = Map.of("SpecialToken", Map.of("id", BEGIN, "type_id", 0));
    Map<String, Object> text = Map.of("Sequence", Map.of("id", "A", "type_id", 0));
    Map<String, Object> second = Map.of("Sequence", Map.of("id", "B", "type_id", 1));
    Map<String, Object> post = new LinkedHashMap<>();
    post.put("type", "TemplateProcessing");
    post.put("single", List.of(begin, text));
    post.put("pair", List.of(begin, text, second));
    post.put(
        "special_tokens",
        Map.of(BEGIN, Map.of("id", BEGIN, "ids", List.of(id(BEGIN)), "tokens", List.of(BEGIN))));
    root.put("post_processor", post);
    root.put("decoder", bytes);
    root.put("model", model);
    return Json.write(root);
  }

  /// Byte-level BPE's printable alphabet: printable Latin-1 stands for itself, other bytes for
  /// characters from 256 on, in order.
  private static String visible(byte[] bytes) {
    StringBuilder out = new StringBuilder();
    for (byte b : bytes) {
      out.append(ALPHABET[b & 0xff]);
    }
    return out.toString();
  }

  private static final char[] ALPHABET = alphabet();

  private static char[] alphabet() {
    char[] alphabet = new char[256];
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      alphabet[b] = (char) (printable ? b : next++);
    }
    return alphabet;
  }
}
