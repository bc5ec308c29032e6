package io.spillway.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Runs a program of the system and waits for it.
final class Shell {
  private Shell() {}

  /// The exit status and everything that was printed.
  record Result(int status, String text) {}

  static Result run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Result(process.waitFor(), text.strip());
    } catch (IOException e) {
      return new Result(127, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new IOException("interrupted while running " + command, e));
    }
  }

  /// Runs a command line whose words are separated by single spaces.
  static void must(String line) {
    Result result = run(List.of(line.split(" ")));
    if (result.status() != 0) {
      throw new IllegalStateException(line + ": " + result.text());
    }
  }
}
