package io.spillway.planner.memory;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerator;

/// The few figures of the memory model that nothing counts.
///
/// **Units:** bytes.
///
/// @param allocator what the caching allocator holds over what activations need
/// @param linkedContext the driver's context, libraries and network buffers of a card with NVLink
/// @param plainContext the same of a card on PCIe alone
/// @param peer buffers of the collectives for each tensor-parallel rank
public record MemoryConstants(
    double allocator, double linkedContext, double plainContext, double peer) {
  /// From this rate on a card has links of its own to its neighbours.
  private static final long LINKED = 100_000_000_000L;

  /// What one would state before any measurement: nothing wasted, 2 and 0.5 GB of context, 0.6 GB a
  /// peer.
  public static final MemoryConstants PRIOR = new MemoryConstants(1, 2e9, 0.5e9, 0.6e9);

  public MemoryConstants {
    for (double value : new double[] {allocator, linkedContext, plainContext, peer}) {
      if (!(value >= 0) || Double.isInfinite(value)) {
        throw SpillwayException.badInput("a memory constant is %s, it must not be negative", value);
      }
    }
  }

  /// The context of that card.
  public double context(Accelerator card) {
    return isLinked(card) ? linkedContext : plainContext;
  }

  /// Whether the card has links of its own.
  public static boolean isLinked(Accelerator card) {
    return card.peer().bytesPerSecond() >= LINKED;
  }
}
