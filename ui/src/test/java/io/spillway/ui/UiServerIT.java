package io.spillway.ui;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Who may use the page's server, by hand-written requests.
class UiServerIT {
  private static final String TOKEN = "0123456789abcdef";

  @TempDir Path runs = Path.of("");

  private static int status(UiServer server, String path, String... headers) throws IOException {
    try (Socket socket = new Socket("127.0.0.1", server.port())) {
      StringBuilder request =
          new StringBuilder("GET " + path + " HTTP/1.1\r\nConnection: close\r\n");
      for (String header : headers) {
        request.append(header).append("\r\n");
      }
      socket.getOutputStream().write((request + "\r\n").getBytes(StandardCharsets.US_ASCII));
      String line =
          new BufferedReader(
                  new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
              .readLine();
      return Integer.parseInt(line.split(" ")[1]);
    }
  }

  @Test
  void aStrangersPageIsRefused() throws IOException {
    try (UiServer server = UiServer.start("127.0.0.1", 0, Optional.empty(), runs)) {
      String own = "127.0.0.1:" + server.port();
      assertThat(status(server, "/api/runs", "Host: " + own)).isEqualTo(200);
      assertThat(status(server, "/api/runs", "Host: " + own, "Origin: http://" + own))
          .isEqualTo(200);
      assertThat(status(server, "/api/runs", "Host: " + own, "Origin: https://evil.example"))
          .isEqualTo(403);
      // a name of a stranger's that resolves to this machine
      assertThat(status(server, "/api/runs", "Host: evil.example")).isEqualTo(403);
    }
  }

  @Test
  void aTokenIsAskedForWhenOneIsSet() throws IOException {
    try (UiServer server = UiServer.start("127.0.0.1", 0, Optional.of(TOKEN), runs)) {
      String host = "Host: 127.0.0.1:" + server.port();
      assertThat(status(server, "/api/runs", host)).isEqualTo(401);
      assertThat(status(server, "/api/runs", host, "Authorization: Bearer " + TOKEN))
          .isEqualTo(200);
      assertThat(status(server, "/", host)).isEqualTo(200);
    }
  }

  @Test
  void anAddressForOthersWantsAToken() {
    assertThatThrownBy(() -> UiServer.start("0.0.0.0", 0, Optional.empty(), runs))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("--token");
    assertThatThrownBy(() -> UiServer.start("0.0.0.0", 0, Optional.of("short"), runs))
        .hasMessageContaining("16 characters");
  }

  @Test
  void nothingOutsideTheRunsIsServed() throws IOException {
    Path outside = Files.createTempFile("outside", ".txt");
    Path run = Files.createDirectories(runs.resolve("run"));
    Files.writeString(run.resolve("run.json"), "{}");
    Files.createSymbolicLink(run.resolve("link.txt"), outside);
    try (UiServer server = UiServer.start("127.0.0.1", 0, Optional.empty(), runs)) {
      String host = "Host: 127.0.0.1:" + server.port();
      assertThat(status(server, "/api/runs/run/run.json", host)).isEqualTo(200);
      assertThat(status(server, "/api/runs/run/link.txt", host)).isEqualTo(404);
      assertThat(status(server, "/api/runs/..%2f..%2fetc/passwd", host)).isNotEqualTo(200);
      assertThat(status(server, "/api/runs/run/..%2f..%2frun", host)).isNotEqualTo(200);
    } finally {
      Files.delete(outside);
    }
  }
}
