package io.spillway.cli.simulator;

import io.spillway.platform.Json;
import io.spillway.simulator.FunctionalRun;
import java.util.Locale;

/// Shows how a run without timing went: on standard error for people, since standard output is the
/// program's; as the last line of standard output for programs.
final class Outcomes {
  private Outcomes() {}

  static void report(FunctionalRun.Outcome outcome, boolean json, boolean quiet) {
    System.out.flush();
    outcome.fault().ifPresent(f -> System.err.println("spillway: the program ended: " + f));
    if (json) {
      System.out.println(Json.write(outcome));
    } else if (!quiet) {
      System.err.printf(
          Locale.ROOT,
          "%,d instructions in %.3f s (%.1f million a second), %s, peak memory %.1f MiB%n",
          outcome.instructions(),
          outcome.seconds(),
          outcome.millionsPerSecond(),
          outcome.finished() || outcome.fault().isPresent()
              ? "exit status " + outcome.exitStatus()
              : "stopped before its end",
          outcome.peakMemoryBytes() / 1048576.0);
    }
  }
}
