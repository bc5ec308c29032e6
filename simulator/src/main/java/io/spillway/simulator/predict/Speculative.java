package io.spillway.simulator.predict;

/// What predictions change at once and a wrong path has to give back, but for the direction
/// predictor's histories, which undo themselves.
final class Speculative {
  /// The return stack: a ring of which `depth` entries up to `top` count.
  final long[] stack;

  int top;
  int depth;

  /// The last targets of indirect jumps, a ring, and how many there were.
  final long[] path;

  int pathLength;
  int indirectHistory;

  // ---- what the last prediction said
  int slot;
  int historyBefore;
  int indirectSet;
  boolean viaIndirect;
  boolean redirected;
  boolean taken;
  long target;

  Speculative(int returns, int pathLength) {
    stack = new long[returns];
    path = new long[pathLength];
  }

  void copyFrom(Speculative other) {
    System.arraycopy(other.stack, 0, stack, 0, stack.length);
    top = other.top;
    depth = other.depth;
    System.arraycopy(other.path, 0, path, 0, path.length);
    pathLength = other.pathLength;
    indirectHistory = other.indirectHistory;
    slot = other.slot;
    historyBefore = other.historyBefore;
    indirectSet = other.indirectSet;
    viaIndirect = other.viaIndirect;
    redirected = other.redirected;
    taken = other.taken;
    target = other.target;
  }

  void push(long address) {
    top = top + 1 == stack.length ? 0 : top + 1;
    stack[top] = address;
    depth = Math.min(depth + 1, stack.length);
  }

  /// The youngest return address, taken off, or 0 where there is none.
  long pop() {
    if (depth == 0) {
      return 0;
    }
    long address = stack[top];
    top = top == 0 ? stack.length - 1 : top - 1;
    depth--;
    return address;
  }
}
