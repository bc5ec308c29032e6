package io.spillway.cli.planner;

import io.spillway.cli.SpillwayCommand;
import io.spillway.planner.IterationTime;
import io.spillway.planner.LatencyModel;
import io.spillway.planner.Method;
import io.spillway.planner.Parallel;
import io.spillway.planner.Placement;
import io.spillway.planner.Plan;
import io.spillway.planner.Recompute;
import io.spillway.planner.output.Explanation;
import io.spillway.planner.output.PlanFiles;
import io.spillway.planner.search.Answer;
import io.spillway.planner.search.ClosedForms;
import io.spillway.planner.search.Request;
import io.spillway.planner.search.SearchLog;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Terminal;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Says what one given configuration costs and why.
@Command(
    name = "explain",
    description = "Say what one given configuration costs, by every method's formula, and why.")
public final class PlanExplainCommand extends SpillwayCommand {
  @Mixin private PlanOptions options = new PlanOptions();

  @Option(names = "--tp", defaultValue = "1", description = "Tensor-parallel ways (default 1).")
  private int tp;

  @Option(names = "--pp", defaultValue = "1", description = "Pipeline stages (default 1).")
  private int pp;

  @Option(names = "--dp", defaultValue = "0", description = "Replicas (default: what is left).")
  private int dp;

  @Option(names = "--cp", defaultValue = "1", description = "Context-parallel ways (default 1).")
  private int cp;

  @Option(names = "--ep", defaultValue = "1", description = "Expert-parallel ways (default 1).")
  private int ep;

  @Option(
      names = "--micro-batch",
      defaultValue = "1",
      description = "Sequences in a micro-batch (default 1).")
  private int microBatch;

  @Option(
      names = "--virtual",
      defaultValue = "1",
      description = "Chunks of layers on each stage (default 1).")
  private int virtual;

  @Option(names = "--sequence-parallel", description = "Cut norms and dropouts along the sequence.")
  private boolean sequenceParallel;

  @Option(
      names = "--recompute",
      defaultValue = "NONE",
      description = "${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  private Recompute recompute = Recompute.NONE;

  @Option(
      names = "--distributed-optimizer",
      description = "Cut optimizer states over the replicas.")
  private boolean distributed;

  @Option(
      names = "--overlap-grad-reduce",
      description = "Reduce gradients beside the backward pass.")
  private boolean overlap;

  @Option(names = "--out", description = "Folder for plan.html and the launch files.")
  private @Nullable Path out;

  @Override
  protected void execute() {
    Request request = options.request(1, 60);
    int gpus = request.cluster().gpus();
    atLeast(1, "--tp", tp);
    atLeast(1, "--pp", pp);
    atLeast(1, "--cp", cp);
    atLeast(0, "--dp", dp);
    long pieces = (long) tp * pp * cp;
    if (gpus % pieces != 0) {
      throw SpillwayException.badInput(
          "tp %d x pp %d x cp %d does not divide %d accelerators", tp, pp, cp, gpus);
    }
    Parallel cut =
        new Parallel(
            tp,
            pp,
            dp > 0 ? dp : (int) (gpus / pieces),
            cp,
            ep,
            virtual,
            microBatch,
            sequenceParallel,
            recompute,
            distributed,
            overlap,
            Parallel.even(request.job().model().layers(), pp * virtual));
    cut.check(request.job(), gpus);
    Placement identity = Placement.identity(gpus);
    IterationTime time =
        new LatencyModel(request.calibration())
            .predict(request.job(), request.cluster(), cut, identity);
    var memory = request.memory().predict(request.job(), cut, request.card());
    Plan plan =
        new Plan(Method.SPILLWAY, cut, identity, time.seconds(), time, time.seconds(), memory);
    ClosedForms forms =
        new ClosedForms(request.job(), request.cluster(), cut, request.calibration());
    Map<String, Object> value =
        PlanCommand.json(new Answer(List.of(plan), new SearchLog(1, 0, 0, 1, 0, 0, true)));
    value.remove("search");
    Map<String, Object> others = new LinkedHashMap<>();
    others.put("pipette", forms.pipette(identity));
    others.put("amp", forms.amp());
    others.put("megatron", forms.megatron());
    value.put("closed_forms_seconds", others);
    value.put("fits", memory.total() <= request.usable());
    StringBuilder text =
        new StringBuilder(Explanation.table(List.of(plan)).render(Terminal.width()));
    text.append(
        String.format(
            Locale.ROOT,
            "%nclosed forms: Pipette %.4g s, AMP %.4g s, Megatron %.4g s%nmemory: %.1f of %.1f GiB"
                + " usable: %s%n",
            forms.pipette(identity),
            forms.amp(),
            forms.megatron(),
            memory.total() / (1L << 30),
            request.usable() / (1L << 30),
            memory.total() <= request.usable() ? "fits" : "does not fit"));
    Path folder = out;
    if (folder != null) {
      Map<String, String> files =
          new LinkedHashMap<>(PlanFiles.of(request.job(), request.cluster(), cut, identity));
      files.put(
          "plan.html",
          Explanation.page(
                  request.job(),
                  request.cluster(),
                  List.of(plan),
                  request.calibration(),
                  cut.label())
              .render());
      PlanFiles.write(files, folder);
      text.append("files: ").append(folder.toAbsolutePath()).append('\n');
    }
    answer(value, text.toString());
  }

  private static void atLeast(int least, String option, int value) {
    if (value < least) {
      throw SpillwayException.badInput("%s is %d, at least %d is needed", option, value, least);
    }
  }
}
