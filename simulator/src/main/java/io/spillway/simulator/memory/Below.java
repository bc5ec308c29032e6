package io.spillway.simulator.memory;

/// What a cache sends its misses and evicted lines to.
abstract class Below {
  /// What the last [#read] met: 1 the first level, 2 the second, ... and one past the last cache
  /// for memory.
  int servedBy;

  /// Whether the last [#read] handed a modified line up.
  boolean servedDirty;

  /// Whether the last [#read] handed up a copy that may not be written.
  boolean servedShared;

  /// Asks for a line.
  ///
  /// @param line address of the line in lines
  /// @param time when the request arrives
  /// @param header delay that the crossbar put on it
  /// @param write whether the line is to be written
  /// @param requestor who asks, see [Cache]
  /// @param pc the instruction that asked
  /// @param address the address that it asked for
  /// @return when the answer leaves
  abstract long read(
      long line, long time, long header, boolean write, int requestor, long pc, long address);

  /// Takes an evicted line.
  ///
  /// @param dirty whether it was modified
  abstract void write(long line, long time, long header, boolean dirty);

  /// Brings a line in without timing.
  abstract void warm(long line, boolean dirty);

  /// Notes that a line is modified that a reader above gave back without timing.
  abstract void modified(long line);
}
