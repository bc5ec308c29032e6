package io.spillway.models;

import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// What a `tokenizer.json` must be before the native library may read it: that library panics on
/// some malformed files, which ends the process.
final class TokenizerFile {
  private static final List<String> PARTS =
      List.of("normalizer", "pre_tokenizer", "post_processor", "decoder");

  private TokenizerFile() {}

  static void check(JsonNode root, Path source) {
    if (!root.isObject()) {
      throw SpillwayException.badFile(source, "", "a tokenizer is a JSON object");
    }
    JsonNode model = root.path("model");
    if (!model.isObject()) {
      throw SpillwayException.badFile(source, "", "'model' must be an object");
    }
    for (String part : PARTS) {
      part(root.path(part), part, source);
    }
    int size = model.path("vocab").size();
    JsonNode added = root.path("added_tokens");
    if (!added.isMissingNode() && !added.isNull() && !added.isArray()) {
      throw SpillwayException.badFile(source, "", "'added_tokens' must be a list");
    }
    for (JsonNode token : added) {
      JsonNode id = token.path("id");
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.asInt() < 0) {
        throw SpillwayException.badFile(
            source,
            "",
            "the id %s of an added token must be 0 or more; the vocabulary has %d",
            id,
            size);
      }
    }
  }

  /// A part is absent, null, or an object with its type; lists of parts lie in objects.
  private static void part(JsonNode node, String name, Path source) {
    if (node.isMissingNode() || node.isNull()) {
      return;
    }
    if (!node.isObject() || !node.path("type").isString()) {
      throw SpillwayException.badFile(
          source, "", "'%s' must be an object with the text 'type'", name);
    }
    for (String list : List.of("normalizers", "pretokenizers", "processors", "decoders")) {
      for (JsonNode inner : node.path(list)) {
        part(inner, name + "." + list, source);
      }
    }
  }
}
