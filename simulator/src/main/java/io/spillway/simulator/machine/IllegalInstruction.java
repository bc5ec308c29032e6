package io.spillway.simulator.machine;

/// An instruction that cannot be executed; the program may have a handler for it.
final class IllegalInstruction extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ProgramFault report;

  /// @param report what ends the program if it has no handler
  IllegalInstruction(ProgramFault report) {
    super(report.getMessage(), null, false, false);
    this.report = report;
  }

  ProgramFault report() {
    return report;
  }
}
