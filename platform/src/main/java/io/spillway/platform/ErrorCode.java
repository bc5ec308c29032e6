package io.spillway.platform;

/// Why a command ended without its result. Each code belongs to one stable exit status of the
/// process: 2 for bad input, 3 for what does not fit or is not available, 1 for a fault of ours.
public enum ErrorCode {
  /// An argument, a file or a request is malformed or contradicts itself.
  BAD_INPUT(2),
  /// A file or folder that was named is not there or cannot be read.
  NOT_FOUND(2),
  /// The request is sound, yet no memory, disk or device is large enough for it.
  DOES_NOT_FIT(3),
  /// The request needs something that this machine lacks: a device, a library, a privilege.
  NOT_AVAILABLE(3),
  /// The user or the system asked the work to stop before its end.
  INTERRUPTED(130),
  /// An invariant of ours broke.
  INTERNAL(1);

  private final int exitStatus;

  ErrorCode(int exitStatus) {
    this.exitStatus = exitStatus;
  }

  /// The process exit status that reports this code.
  public int exitStatus() {
    return exitStatus;
  }
}
