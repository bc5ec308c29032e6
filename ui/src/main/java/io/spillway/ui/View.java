package io.spillway.ui;

import io.spillway.platform.SpillwayException;
import io.spillway.server.http.HttpService;
import tools.jackson.databind.JsonNode;

/// What the server does for one view of the page. A further view is one class here, one row in
/// [UiServer#start] and one element in `views.js`.
interface View extends AutoCloseable {
  /// Takes the paths of a view, below `/api/`.
  interface Routes {
    void get(String path, HttpService.Exchange exchange);

    void post(String path, HttpService.Exchange exchange);
  }

  void route(Routes routes);

  /// Frees what it loaded.
  @Override
  default void close() {}

  /// A text field of a request.
  static String text(JsonNode body, String name, String fallback) {
    JsonNode value = body.get(name);
    return value == null || value.isNull() ? fallback : value.asString();
  }

  /// A whole number of a request, within bounds.
  static int number(JsonNode body, String name, int fallback, int least, int most) {
    JsonNode value = body.get(name);
    if (value == null || value.isNull()) {
      return fallback;
    }
    if (!value.isIntegralNumber() || value.asLong() < least || value.asLong() > most) {
      throw SpillwayException.badInput(
          "%s is %s, it must be a whole number from %d to %d", name, value, least, most);
    }
    return value.asInt();
  }
}
