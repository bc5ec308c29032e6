package io.spillway.tensor.group;

import io.spillway.platform.SpillwayException;
import java.util.Locale;

/// The library that moves the bytes.
public enum GroupBackend {
  /// TCP between host memories.
  GLOO,
  /// NVLink, PCIe or the network between NVIDIA GPUs; one process a GPU.
  NCCL;

  /// Resolves `gloo` or `nccl`.
  public static GroupBackend of(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "gloo" -> GLOO;
      case "nccl" -> NCCL;
      default -> throw SpillwayException.badInput("backend '%s' is neither gloo nor nccl", name);
    };
  }
}
