package io.spillway.cli.simulator;

import io.spillway.simulator.FunctionalRun;
import java.io.StringWriter;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/// Shows how a run without timing went: on standard error for people, since standard output is the
/// program's; as the last line of standard output for programs.
final class Outcomes {
  private Outcomes() {}

  static void report(FunctionalRun.Outcome outcome, boolean json, boolean quiet) {
    System.out.flush();
    outcome.fault().ifPresent(f -> System.err.println("spillway: the program ended: " + f));
    if (json) {
      System.out.println(json(outcome));
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

  /// What [io.spillway.platform.Json#write] would give, field by field: finding out by reflection
  /// how to write this one record takes longer than starting the program.
  static String json(FunctionalRun.Outcome outcome) {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = new JsonFactory().createGenerator(INDENTED, text)) {
      out.writeStartObject();
      out.writeNumberProperty("exitStatus", outcome.exitStatus());
      out.writeBooleanProperty("finished", outcome.finished());
      out.writeNumberProperty("instructions", outcome.instructions());
      out.writeNumberProperty("seconds", outcome.seconds());
      out.writeNumberProperty("millionsPerSecond", outcome.millionsPerSecond());
      out.writeNumberProperty("peakMemoryBytes", outcome.peakMemoryBytes());
      if (outcome.fault().isPresent()) {
        out.writeStringProperty("fault", outcome.fault().get());
      } else {
        out.writeNullProperty("fault");
      }
      out.writeEndObject();
    }
    return text.toString();
  }

  private static final ObjectWriteContext INDENTED =
      new ObjectWriteContext.Base() {
        @Override
        public PrettyPrinter getPrettyPrinter() {
          return new DefaultPrettyPrinter();
        }
      };
}
