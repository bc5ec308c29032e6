package io.spillway.server.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/// Server-sent events to one client.
///
/// **Errors:** [UncheckedIOException], or whatever the web server throws, when the client has left.
public final class EventStream implements AutoCloseable {
  private final OutputStream out;

  public EventStream(ServerResponse response) {
    response.status(Status.OK_200);
    response.header(HeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
    response.header(HeaderNames.CACHE_CONTROL, "no-cache");
    this.out = response.outputStream();
  }

  /// One event without a name, with data of one line.
  public void data(String line) {
    write("data: " + line + "\n\n");
  }

  /// One event with a name.
  public void event(String name, String line) {
    write("event: " + name + "\ndata: " + line + "\n\n");
  }

  private void write(String text) {
    try {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("the client has left", e);
    }
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw new UncheckedIOException("the client has left", e);
    }
  }
}
