import io.spillway.planner.measure.Cut;
import io.spillway.planner.measure.Experiment;
import io.spillway.planner.measure.GptShape;
import io.spillway.planner.measure.IterationPredictor;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.tensor.DType;
import io.spillway.tensor.Torch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A GPT on two devices under tensor, pipeline and data parallelism, predicted from measured inputs and
/// measured (planner.sh starts it).
///
/// `plan FILE [quick|rehearse]` writes what is to be measured; `rank PLAN OUTCOME` is what every process
/// runs; `show OUTCOME PROFILE JSON` prints predictions beside measurements and writes all of it.
public final class PlannerGpu {
  private PlannerGpu() {}

  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "plan" -> plan(Path.of(args[1]), args.length > 2 ? args[2] : "");
      case "rank" -> Experiment.main(new String[] {args[1], args[2]});
      case "show" -> show(Path.of(args[1]), Path.of(args[2]), Path.of(args[3]));
      default -> throw new IllegalArgumentException("plan, rank or show");
    }
  }

  private static void plan(Path file, String kind) {
    boolean small = kind.equals("rehearse");
    boolean quick = kind.equals("quick");
    GptShape shape =
        small
            ? new GptShape(4, 64, 4, 128, 32, DType.F32)
            : new GptShape(quick ? 6 : 12, 3072, 24, 32_768, 1024, DType.BF16);
    int batch = small ? 8 : 16;
    List<Cut> cuts = new ArrayList<>();
    for (int micro : quick ? new int[] {2} : new int[] {2, 4, 1}) {
      cuts.add(Cut.of(1, 1, 2, micro, batch));
      cuts.add(Cut.of(2, 1, 1, micro, batch));
      cuts.add(Cut.of(1, 2, 1, micro, batch));
    }
    List<Long> sizes =
        small
            ? List.of(4096L, 65_536L, 1L << 20)
            : List.of(4096L, 65_536L, 1L << 20, 8L << 20, 32L << 20, 128L << 20);
    AtomicFiles.writeString(
        file,
        Json.write(
            new Experiment.Plan(
                small ? "cpu" : "cuda", true, shape, cuts, sizes, 0.05, 1, 2, quick ? 3 : 5, true, 7)));
  }

  private static void show(Path outcomeFile, Path profile, Path json) throws Exception {
    Experiment.Outcome outcome = Json.read(outcomeFile, Experiment.Outcome.class);
    IterationPredictor predictor =
        new IterationPredictor(outcome.plan().shape(), outcome.compute(), outcome.links());
    List<Map<String, Object>> rows = new ArrayList<>();
    double sum = 0;
    double worst = 0;
    int best = 0;
    int picked = 0;
    List<Double> predicted = new ArrayList<>();
    System.out.println("cut, measured ms, predicted ms, error (compute, tensor, waiting, reduction ms); runs ms; first and last loss");
    for (int i = 0; i < outcome.trained().size(); i++) {
      Experiment.Trained t = outcome.trained().get(i);
      IterationPredictor.Prediction p = predictor.predict(t.cut());
      double error = p.seconds() / t.median() - 1;
      sum += Math.abs(error);
      worst = Math.max(worst, Math.abs(error));
      predicted.add(p.seconds());
      best = t.median() < outcome.trained().get(best).median() ? i : best;
      picked = p.seconds() < predicted.get(picked) ? i : picked;
      System.out.printf(
          Locale.ROOT,
          "%-18s %8.1f %8.1f %+6.1f %%  (%.1f %.1f %.1f %.1f)  %s  %.4f %.4f%n",
          t.cut().label(),
          1e3 * t.median(),
          1e3 * p.seconds(),
          100 * error,
          1e3 * p.computing(),
          1e3 * p.tensor(),
          1e3 * p.waiting(),
          1e3 * p.reduction(),
          t.seconds().stream().map(s -> String.format(Locale.ROOT, "%.1f", 1e3 * s)).toList(),
          t.losses().getFirst(),
          t.losses().getLast());
      Map<String, Object> row = new LinkedHashMap<>();
      row.put("cut", t.cut().label());
      row.put("measuredSeconds", t.median());
      row.put("runs", t.seconds());
      row.put("predictedSeconds", p.seconds());
      row.put("error", error);
      row.put("prediction", p);
      row.put("losses", t.losses());
      rows.add(row);
    }
    int n = outcome.trained().size();
    double over =
        outcome.trained().get(picked).median() / outcome.trained().get(best).median() - 1;
    System.out.printf(
        Locale.ROOT,
        "mean error %.1f %%, largest %.1f %%; picked %s, %.1f %% over the best of %d%n",
        100 * sum / n,
        100 * worst,
        outcome.trained().get(picked).cut().label(),
        100 * over,
        n);
    if (!outcome.picked().isEmpty()) {
      Experiment.Trained own = outcome.picked().getFirst();
      Experiment.Trained beside = outcome.picked().getLast();
      System.out.printf(
          Locale.ROOT,
          "the search picks %s: predicted %.1f ms, measured %.1f ms; beside it the best cut %s: %.1f ms%n",
          own.cut().label(),
          1e3 * predictor.predict(own.cut()).seconds(),
          1e3 * own.median(),
          beside.cut().label(),
          1e3 * beside.median());
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("picked", outcome.picked());
    all.put("gpus", run("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.sm,power.limit", "--format=csv,noheader"));
    all.put("topology", run("nvidia-smi", "topo", "-m"));
    all.put("torch", Torch.buildConfiguration());
    all.put("java", System.getProperty("java.vm.version"));
    all.put("command", "bench/gpu/planner.sh");
    all.put("meanError", sum / n);
    all.put("largestError", worst);
    all.put("pickedOverBest", over);
    all.put("rows", rows);
    all.put("plan", outcome.plan());
    all.put("compute", outcome.compute());
    all.put("links", outcome.links());
    if (Files.exists(profile)) {
      all.put("profile", Files.readString(profile));
    }
    AtomicFiles.writeString(json, Json.write(all) + "\n");
  }

  private static String run(String... command) throws Exception {
    try {
      Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
      String text = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      p.waitFor();
      return text.strip();
    } catch (java.io.IOException e) {
      return "not available: " + e.getMessage();
    }
  }
}
