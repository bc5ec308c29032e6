package io.spillway.reservoir.events;

/// Receives the events of a stream one by one.
@FunctionalInterface
public interface EventSink {
  /// One event.
  ///
  /// @param offset the byte of the file (or of its decompressed packet) where the event begins
  /// @return false to stop the stream
  boolean event(long timeUs, int x, int y, int polarity, long offset);
}
