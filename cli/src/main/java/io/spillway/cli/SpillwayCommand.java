package io.spillway.cli;

import io.spillway.platform.ConsoleProgress;
import io.spillway.platform.Json;
import io.spillway.platform.Machine;
import io.spillway.platform.Progress;
import io.spillway.platform.RunRecord;
import io.spillway.report.Terminal;
import io.spillway.report.TextTable;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// What every command has: `--json`, `--quiet`, `--help`, progress on standard error and one way to
/// answer. Failures are thrown as [io.spillway.platform.SpillwayException]; [Main] shows them.
public abstract class SpillwayCommand implements Callable<Integer> {
  /// Takes the answer in place of standard output, where a sweep runs the command.
  static final ScopedValue<Consumer<Object>> ANSWERS = ScopedValue.newInstance();

  @Option(names = "--json", description = "Answer with JSON on standard output.")
  protected boolean json;

  @Option(names = "--quiet", description = "Show no progress.")
  protected boolean quiet;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help and exit.")
  boolean help;

  @Spec private @Nullable CommandSpec spec;

  private final Instant startedAt = Instant.now();

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
    return quiet || ANSWERS.isBound() ? Progress.silent() : new ConsoleProgress();
  }

  /// Prints `value` as JSON if `--json` was given, else the text for people.
  protected final void answer(Object value, String text) {
    if (ANSWERS.isBound()) {
      ANSWERS.get().accept(value);
      return;
    }
    System.out.println(json ? Json.write(value) : text.stripTrailing());
  }

  /// Prints `value` as JSON if `--json` was given, else the table, cut to the terminal's width.
  protected final void answer(Object value, TextTable table) {
    answer(value, table.render(Terminal.width()));
  }

  /// The folder of this run's record and files, `runs/<time>-<command>` in the current folder or in
  /// `SPILLWAY_RUNS`.
  protected final Path newRunFolder() {
    return RunRecord.newFolder(runsFolder(), commandName(), startedAt);
  }

  /// Where run records go.
  protected static Path runsFolder() {
    return Path.of(System.getenv().getOrDefault("SPILLWAY_RUNS", "runs"));
  }

  /// Writes the record of this run into its folder.
  protected final void record(Path folder, long seed, Map<String, Object> results) {
    CommandSpec own = java.util.Objects.requireNonNull(spec, "picocli sets the spec");
    new RunRecord(
            commandName(),
            own.commandLine().getParseResult().originalArgs(),
            Version.text(),
            startedAt.toString(),
            java.time.Duration.between(startedAt, Instant.now()).toNanos() / 1e9,
            seed,
            Machine.current(),
            results)
        .writeTo(folder);
  }

  private String commandName() {
    CommandSpec own = java.util.Objects.requireNonNull(spec, "picocli sets the spec");
    return own.qualifiedName(" ").replaceFirst("^spillway ", "");
  }
}
