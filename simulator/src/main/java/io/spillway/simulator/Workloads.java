package io.spillway.simulator;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/// The programs that come along: NPB-like, GAP-like and small kernels, each of which checks its own
/// answer. Their sources are in `simulator/workloads`.
public final class Workloads {
  public static final List<String> NAMES =
      List.of(
          "bc", "bfs", "branch", "bt", "cc", "cg", "ep", "ft", "is", "lu", "mg", "pointer", "pr",
          "sssp", "stream", "tc");

  private Workloads() {}

  /// The ELF file of a program.
  ///
  /// **Errors:** a name that is none of [#NAMES].
  public static byte[] read(String name) {
    if (!NAMES.contains(name)) {
      throw SpillwayException.badInput("workload '%s' is none of %s", name, NAMES);
    }
    try (InputStream in = Workloads.class.getResourceAsStream("/programs/" + name)) {
      if (in == null) {
        throw new IllegalStateException("resource /programs/" + name + " is missing");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read /programs/" + name, e);
    }
  }
}
