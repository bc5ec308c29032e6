package io.spillway.cli.planner;

import io.spillway.cli.SpillwayCommand;
import io.spillway.planner.Method;
import io.spillway.planner.Plan;
import io.spillway.planner.Planner;
import io.spillway.planner.output.Explanation;
import io.spillway.planner.output.PlanFiles;
import io.spillway.planner.search.Answer;
import io.spillway.planner.search.Request;
import io.spillway.report.HtmlPage;
import io.spillway.report.Terminal;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Finds how to cut and place a training job.
@Command(
    name = "plan",
    description = {
      "Find how to cut a training job into tensor, pipeline, data, context and expert parallelism,",
      "and which accelerator takes which rank."
    },
    subcommands = {PlanExplainCommand.class, PlanValidateCommand.class})
public final class PlanCommand extends SpillwayCommand {
  /// picocli asks for the group's required options only when no subcommand is named.
  @ArgGroup(exclusive = false)
  private @Nullable PlanOptions options;

  @Option(
      names = "--method",
      defaultValue = "SPILLWAY",
      description = "Whose rules choose: ${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  private Method method = Method.SPILLWAY;

  @Option(
      names = "--top",
      defaultValue = "5",
      description = "Plans to show (default ${DEFAULT-VALUE}).")
  private int top;

  @Option(
      names = "--time-limit",
      defaultValue = "60",
      description = "Seconds after which placement ends (default ${DEFAULT-VALUE}).")
  private double timeLimit;

  @Option(
      names = "--out",
      description = "Folder for the launch files and plan.html (nothing is written without it).")
  private @Nullable Path out;

  @Override
  protected void execute() {
    PlanOptions o = options;
    if (o == null) {
      throw io.spillway.platform.SpillwayException.badInput(
          "--model, --cluster and --global-batch are needed; see ./spillway plan --help");
    }
    Request request = o.request(top, timeLimit);
    Answer answer = Planner.plan(method, request, progress());
    List<Plan> plans = answer.plans();
    StringBuilder text = new StringBuilder();
    text.append(Explanation.table(plans).render(Terminal.width()));
    text.append('\n').append(answer.log()).append('\n');
    if (plans.size() > 1) {
      text.append(Explanation.whyRunnerUpLost(plans.getFirst(), plans.get(1))).append('\n');
    }
    Map<String, Object> value = json(answer);
    Path folder = out;
    if (folder != null) {
      Map<String, String> files =
          new LinkedHashMap<>(
              PlanFiles.of(
                  request.job(),
                  request.cluster(),
                  answer.best().cut(),
                  answer.best().placement()));
      HtmlPage page =
          Explanation.page(
              request.job(),
              request.cluster(),
              plans,
              request.calibration(),
              answer.log().toString());
      files.put("plan.html", page.render());
      PlanFiles.write(files, folder);
      record(folder, o.seed, value);
      text.append("files: ").append(folder.toAbsolutePath()).append('\n');
    }
    answer(value, text.toString());
  }

  /// The answer as stable keys.
  static Map<String, Object> json(Answer answer) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("plans", answer.plans().stream().map(PlanCommand::json).toList());
    value.put("search", answer.log());
    return value;
  }

  private static Map<String, Object> json(Plan plan) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("method", plan.method().name().toLowerCase(Locale.ROOT));
    value.put("label", plan.cut().label());
    value.put("configuration", plan.cut());
    value.put("seconds", plan.time().seconds());
    value.put("own_seconds", plan.ownSeconds());
    value.put("seconds_without_placement", plan.identitySeconds());
    value.put("breakdown", plan.time().breakdown());
    value.put("memory_bytes", plan.memory().total());
    value.put("gpu_of_rank", plan.placement().toArray());
    return value;
  }
}
