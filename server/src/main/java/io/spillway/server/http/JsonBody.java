package io.spillway.server.http;

import io.spillway.platform.SpillwayException;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// The JSON object of a request, read key by key. A key that is missing or null is absent.
///
/// **Errors:** wrong types and values out of range, with the key's name.
///
/// @param object the object itself
public record JsonBody(JsonNode object) {
  public JsonBody {
    if (!object.isObject()) {
      throw SpillwayException.badInput("the request body must be a JSON object");
    }
  }

  /// The value of a key as it stands, also where it is absent.
  public JsonNode path(String key) {
    return object.path(key);
  }

  public boolean has(String key) {
    return !absent(path(key));
  }

  public static boolean absent(JsonNode node) {
    return node.isMissingNode() || node.isNull();
  }

  /// False where it is absent.
  public boolean flag(String key) {
    JsonNode node = path(key);
    if (!absent(node) && !node.isBoolean()) {
      throw SpillwayException.badInput("'%s' must be true or false", key);
    }
    return node.asBoolean(false);
  }

  public Optional<String> text(String key) {
    JsonNode node = path(key);
    if (absent(node)) {
      return Optional.empty();
    }
    if (!node.isString()) {
      throw SpillwayException.badInput("'%s' must be a text", key);
    }
    return Optional.of(node.asString());
  }

  public double number(String key, double fallback) {
    JsonNode node = path(key);
    if (absent(node)) {
      return fallback;
    }
    if (!node.isNumber()) {
      throw SpillwayException.badInput("'%s' must be a number", key);
    }
    return node.asDouble();
  }

  /// @param least the smallest value that is taken
  /// @param most the largest
  public int integer(String key, int fallback, int least, int most) {
    JsonNode node = path(key);
    if (absent(node)) {
      return fallback;
    }
    if (!node.isIntegralNumber()
        || !node.canConvertToInt()
        || node.asInt() < least
        || node.asInt() > most) {
      throw SpillwayException.badInput(
          "'%s' must be a whole number from %d to %d", key, least, most);
    }
    return node.asInt();
  }
}
