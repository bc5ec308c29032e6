package io.spillway.simulator.machine;

/// The end of a program by its own doing: an illegal instruction, a bad address, an unknown call.
/// The message names address, word and the nearest symbol.
public final class ProgramFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int signal;

  ProgramFault(int signal, String message) {
    super(message);
    this.signal = signal;
  }

  /// The signal that Linux would have ended it with.
  public int signal() {
    return signal;
  }

  /// The exit status that a shell would report: 128 plus the signal.
  public int exitStatus() {
    return 128 + signal;
  }
}
