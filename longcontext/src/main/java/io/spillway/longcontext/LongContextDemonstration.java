package io.spillway.longcontext;

import io.spillway.longcontext.cache.Session;
import io.spillway.longcontext.eval.Prompts;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Sample;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.units.Bytes;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import io.spillway.report.TextTable;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A prompt of eight times the model's length answered from 64 entries per head, beside other
/// policies at the same budget.
public final class LongContextDemonstration implements Demonstration {
  private static final int LENGTH = 4096;
  private static final int BUDGET = 64;

  @Override
  public String system() {
    return "longcontext";
  }

  @Override
  public String task() {
    return "find a pass key in " + LENGTH + " tokens with a cache of " + BUDGET;
  }

  @Override
  public Outcome run(Seeds seeds, Progress progress, HtmlPage page) {
    List<Policy> policies =
        List.of(
            new Policy.Locret(Policy.STABILIZER),
            new Policy.HeavyHitters(),
            new Policy.StreamingLlm());
    TextTable table = new TextTable("policy", "answer", "right", "cache peak", "time");
    Map<String, Object> figures = new LinkedHashMap<>();
    String answer = "";
    StringBuilder beside = new StringBuilder();
    try (LongContextModel model =
            LongContextModel.open(
                LongContextModel.ownFolder(), DType.F32, Devices.cpu(), Optional.empty());
        Progress.Task task = progress.start("policies", policies.size())) {
      Prompts prompts = new Prompts(model.tokenizer());
      Sample sample =
          prompts
              .generator(Filler.GRAMMAR, TaskGenerator.Templates.TRAINED)
              .generate(Task.PASSKEY, LENGTH, 0.3, seeds.stream("demonstration"));
      Sample.Turn turn = sample.turns().getFirst();
      int[] context = prompts.context(sample);
      int[] question = prompts.question(turn);
      long everything = model.config().cacheBytesPerToken(4) * context.length;
      for (Policy policy : policies) {
        long begin = System.nanoTime();
        try (Session session = model.session(policy, CacheSettings.of(BUDGET, 128))) {
          session.prefill(context, question);
          String said = greedy(model, session, prompts.answer(turn).length);
          double seconds = (System.nanoTime() - begin) / 1e9;
          boolean right = turn.score(said) == 1;
          table.row(
              policy.label(),
              said.strip(),
              right ? "yes" : "no",
              new Bytes(session.peakBytes()),
              String.format(Locale.ROOT, "%.1f s", seconds));
          figures.put(policy.label() + "Right", right);
          figures.put(policy.label() + "Seconds", seconds);
          if (policy instanceof Policy.Locret) {
            answer =
                String.format(
                    Locale.ROOT,
                    "locret says %s (%s), cache peak %s",
                    said.strip(),
                    right ? "right" : "wrong",
                    new Bytes(session.peakBytes()));
          } else {
            beside
                .append(beside.isEmpty() ? "" : ", ")
                .append(policy.label())
                .append(right ? " right" : " wrong");
          }
          task.advance(1);
        }
      }
      beside.append(", all entries would take ").append(new Bytes(everything));
      page.table(table);
      page.note("The text: " + sample.context().substring(0, 200) + " ...");
    }
    return new Outcome(answer, beside.toString(), figures);
  }

  private static String greedy(LongContextModel model, Session session, int count) {
    int[] said = new int[count];
    float[] logits = session.logits();
    for (int i = 0; i < count; i++) {
      int best = 0;
      for (int t = 1; t < logits.length; t++) {
        best = logits[t] > logits[best] ? t : best;
      }
      said[i] = best;
      logits = session.extend(new int[] {best});
    }
    return model.tokenizer().decode(said);
  }
}
