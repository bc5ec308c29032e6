package io.spillway.cli.simulator;

import io.spillway.simulator.FunctionalRun;
import java.util.List;
import java.util.Optional;

/// Loads and links, on a second thread while the command line is read, what `simulate run` needs
/// next: the system's memory calls and the writer of its answer. Nothing depends on it; where it
/// fails, the run meets the same failure and reports it.
public final class EarlyStart {
  private EarlyStart() {}

  /// Begins, for these words of the command line.
  public static void begin(List<String> words) {
    boolean json = words.contains("--json");
    Thread thread = new Thread(() -> prepare(json), "early start");
    thread.setDaemon(true);
    thread.setUncaughtExceptionHandler((_, _) -> {});
    thread.start();
  }

  private static void prepare(boolean json) {
    FunctionalRun.prepare();
    if (json) {
      Outcomes.json(new FunctionalRun.Outcome(0, true, 0, 0, 0, 0, Optional.empty()));
    }
  }
}
