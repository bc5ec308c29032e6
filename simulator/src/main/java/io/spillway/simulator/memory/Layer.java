package io.spillway.simulator.memory;

/// One direction of a crossbar: packets follow each other, each holds it for a while.
///
/// Requests reach the model in program order, not in the order of their times: one that ends before
/// the latest booking began passes beside it.
final class Layer {
  private long free;
  private long lastStart;

  /// Takes the layer from `time` or as soon as it is free.
  ///
  /// @param hold how long the packet holds it beyond the next clock edge
  /// @return when the packet is taken
  long book(long time, long hold, Cycles clock) {
    long start = time;
    long end = clock.up(time) + hold;
    if (time < free && end > lastStart) {
      start = free;
      end = clock.up(start) + hold;
    }
    if (end > free) {
      free = end;
      lastStart = start;
    }
    return start;
  }
}
