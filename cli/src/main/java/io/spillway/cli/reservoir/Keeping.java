package io.spillway.cli.reservoir;

import io.spillway.cli.Version;
import io.spillway.reservoir.protocol.KeptEncodings;
import java.nio.file.Path;

/// Where the commands that encode whole sets keep finished encodings while they run.
final class Keeping {
  private Keeping() {}

  /// Keeps them beside an output, found again by a command of the same settings and recordings.
  static KeptEncodings beside(Path output) {
    return KeptEncodings.beside(
        output, Version.text(), line -> System.err.println("spillway: " + line));
  }
}
