package io.spillway.tensor.group;

import java.util.EnumMap;
import java.util.Map;

/// Counts what one rank exchanged in a group and its subgroups.
///
/// **Units:** `payload` is the bytes of the tensor handed in; `sent` is what this rank must put on
/// the wire with a bandwidth-optimal algorithm (ring all-reduce 2(n-1)/n, all-gather (n-1) times
/// its part, reduce-scatter and all-to-all (n-1)/n of the input, broadcast once from the root,
/// reduce once from each other rank, send once). Gloo's reduce-scatter is an all-reduce inside and
/// really sends twice that.
public final class Traffic {
  /// What is counted apart.
  public enum Operation {
    ALL_REDUCE,
    ALL_GATHER,
    REDUCE,
    REDUCE_SCATTER,
    ALL_TO_ALL,
    BROADCAST,
    SEND,
    RECEIVE,
    BARRIER
  }

  /// Totals of one operation.
  public record Count(long calls, long payloadBytes, long sentBytes) {
    Count plus(long payload, long sent) {
      return new Count(calls + 1, payloadBytes + payload, sentBytes + sent);
    }
  }

  private final Map<Operation, Count> counts = new EnumMap<>(Operation.class);

  synchronized void add(Operation operation, long payload, long sent) {
    counts.merge(operation, new Count(1, payload, sent), (old, fresh) -> old.plus(payload, sent));
  }

  public synchronized Count of(Operation operation) {
    return counts.getOrDefault(operation, new Count(0, 0, 0));
  }

  /// Bytes this rank sent by every operation.
  public synchronized long sentBytes() {
    return counts.values().stream().mapToLong(Count::sentBytes).sum();
  }

  /// A copy of all counts.
  public synchronized Map<Operation, Count> counts() {
    return new EnumMap<>(counts);
  }

  public synchronized void reset() {
    counts.clear();
  }
}
