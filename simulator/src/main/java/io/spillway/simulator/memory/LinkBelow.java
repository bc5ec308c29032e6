package io.spillway.simulator.memory;

import io.spillway.simulator.system.Crossbar;

/// The crossbar between a cache and what is below it: requests and evicted lines go down in one
/// layer, answers come up in the other. **Units:** femtoseconds, lines.
final class LinkBelow {
  private final Below below;
  private final Cycles bus;
  private final long request;
  private final long response;
  private final long header;
  private final long payload;
  private final Layer requests = new Layer();
  private final Layer responses = new Layer();

  /// @param lineBytes bytes of a line
  /// @param period the crossbar's cycle
  LinkBelow(Below below, Crossbar crossbar, int lineBytes, long period) {
    this.below = below;
    bus = new Cycles(period);
    request = (long) (crossbar.frontend() + crossbar.forward() + crossbar.lookup()) * period;
    response = crossbar.response() * period;
    header = crossbar.header() * period;
    payload = (long) ((lineBytes + crossbar.width() - 1) / crossbar.width()) * period;
  }

  /// Asks for a line and returns when its first part arrives.
  ///
  /// @param leaves when the request leaves the cache
  long read(long line, long leaves, boolean write, int requestor, long pc, long address) {
    return ask(line, leaves, write, requestor, pc, address, header + payload);
  }

  /// Asks for the right to write a line that is here; returns when it comes.
  long own(long line, long leaves, long pc, long address) {
    return ask(line, leaves, true, Cache.DATA, pc, address, header);
  }

  /// @param answered time that the answer holds the crossbar
  private long ask(
      long line, long leaves, boolean write, int requestor, long pc, long address, long answered) {
    long start = requests.book(leaves, header, bus);
    long answer = below.read(line, start, delay(start), write, requestor, pc, address);
    long granted = responses.book(answer, answered, bus);
    return bus.up(granted) + response;
  }

  /// Makes room for a line on its way down; returns when it starts.
  long bookWrite(long time) {
    return requests.book(time, header + payload, bus);
  }

  /// Sends a line down that was given room.
  void write(long line, long start, boolean dirty) {
    below.write(line, start, delay(start), dirty);
  }

  /// What a request waits that starts at `start`: until the next edge, and through the crossbar.
  private long delay(long start) {
    return bus.up(start) - start + request;
  }

  /// Time of a request without an edge to wait for.
  long request() {
    return request;
  }

  long response() {
    return response;
  }

  /// Time that the rest of a line takes behind its first part.
  long payload() {
    return payload;
  }
}
