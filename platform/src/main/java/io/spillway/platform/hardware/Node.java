package io.spillway.platform.hardware;

import io.spillway.platform.SpillwayException;
import java.util.List;

/// One host with its accelerators, all of one kind.
///
/// @param name the host's name, unique in its cluster
/// @param gpus how many accelerators it holds
/// @param link between two of its accelerators
/// @param pairs rates between its accelerators where they differ, GB/s, `[from, to]`; else empty
public record Node(
    String name, Accelerator accelerator, int gpus, Link link, List<List<Double>> pairs) {
  private static final int MOST_GPUS = 1024;

  public Node {
    if (name.isBlank()) {
      throw SpillwayException.badInput("a node without a name");
    }
    int control = unprintable(name);
    if (control >= 0) {
      throw SpillwayException.badInput(
          "a node's name of %d characters holds the control character U+%04X; host names are"
              + " printable",
          name.length(), control);
    }
    if (gpus < 1 || gpus > MOST_GPUS) {
      throw SpillwayException.badInput(
          "node '%s' has %d GPUs, 1 to %d are accepted", name, gpus, MOST_GPUS);
    }
    pairs = pairs.stream().map(List::copyOf).toList();
    if (!pairs.isEmpty()) {
      if (pairs.size() != gpus) {
        throw SpillwayException.badInput(
            "node '%s' has %d GPUs and pairs of %d rows", name, gpus, pairs.size());
      }
      NetworkMatrices.check(
          pairs, java.util.stream.IntStream.range(0, gpus).mapToObj(i -> "GPU" + i).toList(), name);
    }
  }

  /// The link from one accelerator of the node to another.
  public Link link(int from, int to) {
    return pairs.isEmpty() ? link : Link.of(link.alpha().seconds(), pairs.get(from).get(to) * 1e9);
  }

  private static int unprintable(String name) {
    return name.chars().filter(Character::isISOControl).findFirst().orElse(-1);
  }
}
