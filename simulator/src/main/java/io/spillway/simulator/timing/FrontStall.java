package io.spillway.simulator.timing;

/// What a squash that takes the reorder buffer more than one cycle does to the stages before it:
/// dispatch is blocked until it is over and tells rename, rename tells decode, decode tells fetch,
/// each a cycle later, and so they go on one after the other. **Units:** core cycles.
///
/// Every stage holds what was on its way to it when it was told: rename one group of instructions,
/// decode two.
final class FrontStall {
  /// The first cycle in which fetch sends to decode as if nothing had been.
  long until;

  /// The first cycle in which fetch may not send, and those before it in which it sends to a decode
  /// that is blocked.
  private long blocked;

  private long firstHeld;

  /// When rename goes on.
  private long renames;

  private long heldCycle;
  private int groups;

  /// A squash begins.
  ///
  /// @param executed when the branch executed
  /// @param squashing cycles that the reorder buffer takes
  void squash(long executed, int squashing) {
    if (squashing < 2) {
      until = 0;
      return;
    }
    renames = executed + squashing + 3;
    firstHeld = executed + 4;
    blocked = executed + 6;
    until = renames + 2;
    groups = 0;
    heldCycle = -1;
  }

  /// When an instruction that could be sent in `cycle` is sent to decode.
  long send(long cycle) {
    return cycle >= blocked ? until : cycle;
  }

  /// When an instruction sent in `sent` may be renamed.
  ///
  /// @param free when it might be without the stall
  long rename(long sent, long free) {
    if (sent >= until) {
      return free;
    }
    if (sent < firstHeld) {
      return Math.max(free, renames);
    }
    if (sent != heldCycle) {
      heldCycle = sent;
      groups++;
      until = Math.max(until, renames + 1 + groups);
    }
    return Math.max(free, renames + 1 + groups);
  }
}
