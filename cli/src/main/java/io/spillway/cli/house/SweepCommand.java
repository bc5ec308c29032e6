package io.spillway.cli.house;

import io.spillway.cli.CommandTask;
import io.spillway.cli.SweepingCommand;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.report.TextTable;
import io.spillway.sweep.Sweep;
import io.spillway.sweep.SweepPoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Runs one command over every combination of some values, on threads or a Spark cluster: searches
/// of the planner, cells of an evaluation, seeds of a reservoir.
@Command(
    name = "sweep",
    description = {
      "Run one command over every combination of values, on threads or on a Spark cluster.",
      "Finished points are kept in the store; the same command goes on after a stop.",
      "",
      "  sweep --vary model=gpt-18.4b,gpt-39.1b -- plan --model {model} --cluster c.yaml"
          + " --global-batch 512",
      "  sweep --vary budget=32,64 --vary policy=locret,h2o -- longcontext eval --policies {policy}"
          + " --budgets {budget}",
      "  sweep --vary seed=1,2,3 -- reservoir train --events DIR --folds 5 --seed {seed}"
    })
public final class SweepCommand extends SweepingCommand {
  @Option(
      names = "--vary",
      required = true,
      paramLabel = "NAME=A,B,...",
      description = "Values that stand for {NAME} in the command; several give every combination.")
  private Map<String, String> vary = new LinkedHashMap<>();

  @Option(
      names = "--store",
      defaultValue = "sweep-commands.tsv",
      paramLabel = "FILE",
      description = "Where finished points are kept. Default: ${DEFAULT-VALUE}.")
  private Path store = Path.of("sweep-commands.tsv");

  @Parameters(
      arity = "1..*",
      paramLabel = "-- COMMAND",
      description = "The command with its options; put -- before it.")
  private List<String> words = new ArrayList<>();

  @Override
  protected void execute() {
    List<SweepPoint> points = points();
    Sweep.Outcome outcome = sweep(points, new CommandTask(), store);
    Map<String, Object> answers = new LinkedHashMap<>();
    outcome
        .results()
        .forEach((id, text) -> answers.put(id, Json.parse(text, Map.class, id).get("answer")));
    TextTable table = new TextTable("point", "answer");
    answers.forEach((id, answer) -> table.row(id, shortened(Json.line(answer))));
    answer(Map.of("results", answers, "failures", outcome.failures()), table);
  }

  private static String shortened(String text) {
    return text.length() <= 100 ? text : text.substring(0, 97) + "...";
  }

  /// Every combination of the values.
  List<SweepPoint> points() {
    List<Map<String, String>> combinations = new ArrayList<>(List.of(Map.of()));
    for (Map.Entry<String, String> each : vary.entrySet()) {
      if (words.stream().noneMatch(w -> w.contains("{" + each.getKey() + "}"))) {
        throw SpillwayException.badInput(
            "--vary %s: the command has no {%s}; put it where the values belong",
            each.getKey(), each.getKey());
      }
      List<Map<String, String>> longer = new ArrayList<>();
      for (Map<String, String> one : combinations) {
        for (String value : each.getValue().split(",", -1)) {
          Map<String, String> more = new LinkedHashMap<>(one);
          more.put(each.getKey(), value);
          longer.add(more);
        }
      }
      combinations = longer;
    }
    return combinations.stream().map(this::point).toList();
  }

  private SweepPoint point(Map<String, String> values) {
    List<String> filled = new ArrayList<>();
    for (String word : words) {
      String text = word;
      for (Map.Entry<String, String> v : values.entrySet()) {
        text = text.replace("{" + v.getKey() + "}", v.getValue());
      }
      filled.add(anywhere(text));
    }
    String id = String.join(" ", filled);
    return new SweepPoint(id, Map.of(CommandTask.WORDS, Json.line(filled)));
  }

  /// Names of files become whole paths: executors have other current folders.
  private static String anywhere(String word) {
    int equals = word.startsWith("--") ? word.indexOf('=') : -1;
    String file = word.substring(equals + 1);
    boolean path = file.contains("/") || file.contains(".");
    return path && !file.startsWith("-") && Files.exists(Path.of(file))
        ? word.substring(0, equals + 1) + Path.of(file).toAbsolutePath().normalize()
        : word;
  }
}
