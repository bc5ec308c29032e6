package io.spillway.longcontext;

import io.spillway.longcontext.eval.Evaluation;
import io.spillway.longcontext.eval.Evaluation.Cell;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.report.Claim;
import io.spillway.report.Claim.Better;
import io.spillway.report.Claim.Finding;
import io.spillway.report.Claim.Published;
import io.spillway.report.Reproduction;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What Locret claims for models of 3.8 and 8 billion parameters, on the small model that comes
/// along: the same questions, an eighth of the entries and less.
public final class LongContextReproduction implements Reproduction {
  private static final int LENGTH = 512;
  private static final int BUDGET = 64;
  private static final int CHUNK = 128;
  private static final String SETTING =
      "the model that comes along (3.8 million parameters), 512 tokens, budget 64 (1/8), chunk 128";

  @Override
  public String system() {
    return "longcontext";
  }

  @Override
  public String paper() {
    return "Locret: Enhancing Eviction in Long-Context LLM Inference with Trained Retaining Heads (2024)";
  }

  @Override
  public List<Claim> claims() {
    Policy locret = new Policy.Locret(Policy.STABILIZER);
    return List.of(
        new Claim(
            "passkey",
            "a pass key is found from a small cache",
            Published.of(
                100, "% right", Better.HIGHER, "Phi-3-mini-128K and Llama-3.1-8B, RTX 4090"),
            SETTING,
            s -> score(s, locret, Task.PASSKEY)),
        new Claim(
            "number",
            "a sequence of digits is found from a small cache",
            Published.of(97.46, "% right", Better.HIGHER, "R.Number with Phi-3"),
            SETTING,
            s -> score(s, locret, Task.NUMBER)),
        new Claim(
            "number-h2o",
            "heavy hitters lose the sequence of digits when the prompt is read in chunks",
            Published.of(3.39, "% right", Better.LOWER, "chunked H2O, R.Number with Phi-3"),
            SETTING + "; the lower, the wider the distance that is claimed",
            s -> score(s, new Policy.HeavyHitters(), Task.NUMBER)),
        new Claim(
            "number-snapkv",
            "so does SnapKV",
            Published.of(2.54, "% right", Better.LOWER, "chunked SnapKV, R.Number with Phi-3"),
            SETTING,
            s -> score(s, new Policy.SnapKv(32, 5), Task.NUMBER)),
        new Claim(
            "multi-key-query-aware",
            "one key of many is found when the question comes first",
            Published.of(75, "% right", Better.HIGHER, "Locret-Q, RULER multi-key 1 at 128K"),
            SETTING + "; our heads were not trained with questions first",
            s -> score(s, new Policy.LocretQuery(Policy.STABILIZER), Task.MULTI_KEY)),
        new Claim(
            "cache-ratio",
            "keys and values of a long prompt take a twentieth of their room",
            Published.of(20, "x smaller", Better.HIGHER, "Phi-3 at 128K"),
            "8,192 tokens, 16 times what the small model was trained on; peak while the prompt is"
                + " read, pass key asked for",
            LongContextReproduction::cacheRatio),
        new Claim(
            "throughput",
            "prompts are read at 5,081 tokens a second on one RTX 4090",
            Published.of(5081, "tokens/s", Better.HIGHER, "Phi-3-mini-128K, RTX 4090"),
            "no model of that size comes along",
            _ ->
                new Finding.NotMeasurable(
                    "it needs a GPU and weights of 3.8 billion parameters: bench/gpu/longcontext.sh"
                        + " measures such shapes with random weights")));
  }

  private static Cell cell(
      Reproduction.Setting setting, Policy policy, Task task, int length, int samples) {
    Evaluation.Plan plan =
        new Evaluation.Plan(
            List.of(policy),
            List.of(BUDGET),
            List.of(length),
            List.of(task),
            samples,
            CHUNK,
            1,
            Filler.GRAMMAR,
            TaskGenerator.Templates.TRAINED,
            setting.seeds().seed(),
            10);
    try (LongContextModel model =
        LongContextModel.open(
            LongContextModel.ownFolder(), DType.F32, Devices.cpu(), Optional.empty())) {
      return new Evaluation(model).run(plan, setting.progress()).getFirst();
    }
  }

  private static Finding score(Reproduction.Setting setting, Policy policy, Task task) {
    Cell cell = cell(setting, policy, task, LENGTH, setting.choose(20, 100));
    if (!cell.note().isEmpty()) {
      return new Finding.NotMeasurable(cell.note());
    }
    return new Finding.Measured(
        100 * cell.score(),
        100 * Math.min(cell.low(), cell.score()),
        100 * Math.max(cell.high(), cell.score()),
        "95 % (Wilson) of " + cell.samples() + " samples",
        Map.of("peak_bytes", cell.peakBytes(), "seconds", cell.seconds()));
  }

  private static Finding cacheRatio(Reproduction.Setting setting) {
    int length = 8192;
    Cell cell =
        cell(
            setting,
            new Policy.Locret(Policy.STABILIZER),
            Task.PASSKEY,
            length,
            setting.choose(4, 40));
    try (LongContextModel model =
        LongContextModel.open(
            LongContextModel.ownFolder(), DType.F32, Devices.cpu(), Optional.empty())) {
      double whole = (double) model.config().cacheBytesPerToken(4) * length;
      return Finding.Measured.exact(
          whole / cell.peakBytes(),
          Map.of(
              "right",
              cell.score(),
              "right_low",
              cell.low(),
              "right_high",
              cell.high(),
              "samples",
              cell.samples(),
              "peak_bytes",
              cell.peakBytes()));
    }
  }
}
