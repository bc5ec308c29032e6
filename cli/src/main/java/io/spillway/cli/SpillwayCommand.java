package io.spillway.cli;

import io.spillway.platform.ConsoleProgress;
import io.spillway.platform.Json;
import io.spillway.platform.Progress;
import java.util.concurrent.Callable;
import picocli.CommandLine.Option;

/// What every command has: `--json`, `--quiet`, `--help`, progress on standard error and one way to
/// answer. Failures are thrown as [io.spillway.platform.SpillwayException]; [Main] shows them.
public abstract class SpillwayCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Answer with JSON on standard output.")
  protected boolean json;

  @Option(names = "--quiet", description = "Show no progress.")
  protected boolean quiet;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  boolean help;

  /// Does the work and answers through [#answer].
  protected abstract void execute() throws Exception;

  @Override
  public final Integer call() throws Exception {
    execute();
    return exitStatus();
  }

  /// The status when nothing was thrown; a command whose subject failed passes that status on.
  protected int exitStatus() {
    return 0;
  }

  protected final Progress progress() {
    return quiet ? Progress.silent() : new ConsoleProgress();
  }

  /// Prints `value` as JSON if `--json` was given, else the text for people.
  protected final void answer(Object value, String text) {
    System.out.println(json ? Json.write(value) : text.stripTrailing());
  }
}
