package io.spillway.cli;

import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.sweep.SweepPoint;
import io.spillway.sweep.SweepTask;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/// Runs the command line of a point in this process and takes the answer that it would have printed
/// with `--json`.
///
/// **Errors:** what the command throws; a command that ends without an answer.
public final class CommandTask implements SweepTask {
  private static final long serialVersionUID = 1L;

  /// The key under which a point holds its words, as a JSON list.
  public static final String WORDS = "words";

  @Override
  public String run(SweepPoint point) throws Exception {
    List<?> words = Json.parse(point.values().getOrDefault(WORDS, "[]"), List.class, point.id());
    String[] rest = words.stream().skip(1).map(String::valueOf).toArray(String[]::new);
    CommandLine line = commandLine(String.valueOf(words.getFirst()));
    // picocli swallows what its handlers throw, so that failures are kept and thrown here
    AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    line.setExecutionExceptionHandler((e, _, _) -> {
      failure.set(e);
      return 1;
    });
    line.setParameterExceptionHandler((e, _) -> {
      failure.set(SpillwayException.badInput("%s", String.valueOf(e.getMessage())));
      return 2;
    });
    AtomicReference<@Nullable Object> answer = new AtomicReference<>();
    ScopedValue.where(SpillwayCommand.ANSWERS, answer::set).run(() -> line.execute(rest));
    Exception thrown = failure.get();
    if (thrown != null) {
      throw thrown;
    }
    Object given = answer.get();
    if (given == null) {
      throw SpillwayException.badInput("'%s' gives no answer that a sweep could keep", words);
    }
    return Json.line(java.util.Map.of("answer", given));
  }

  private static CommandLine commandLine(String name) {
    return Main.commandLine(
        Commands.find(name)
            .orElseThrow(() -> SpillwayException.badInput("unknown command '%s'", name)));
  }
}
