package io.spillway.longcontext.eval;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.cache.Session;
import io.spillway.longcontext.retain.Importance;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Sample;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.bytedeco.pytorch.Tensor;

/// Measures how many answers survive each policy and budget: the same samples for all of them.
public final class Evaluation {
  /// What is measured.
  ///
  /// @param policies policies side by side
  /// @param budgets entries per layer and head
  /// @param lengths tokens of the prompts
  /// @param tasks kinds of questions
  /// @param samples samples per task and length
  /// @param chunk prompt tokens read at a time
  /// @param sinks first entries that every policy keeps
  /// @param filler sentences between the needles
  /// @param templates needle sentences
  /// @param seed of the samples
  public record Plan(
      List<Policy> policies,
      List<Integer> budgets,
      List<Integer> lengths,
      List<Task> tasks,
      int samples,
      int chunk,
      int sinks,
      Filler filler,
      TaskGenerator.Templates templates,
      long seed) {
    public Plan {
      policies = List.copyOf(policies);
      budgets = List.copyOf(budgets);
      lengths = List.copyOf(lengths);
      tasks = List.copyOf(tasks);
      if (samples < 1 || samples > 100_000) {
        throw SpillwayException.badInput("samples is %d, it must be 1 to 100000", samples);
      }
      for (int length : lengths) {
        if (length < 64 || length > 4_000_000) {
          throw SpillwayException.badInput(
              "a prompt length of %d tokens is out of range; 64 to 4000000", length);
        }
      }
      for (int budget : budgets) {
        CacheSettings.of(budget, chunk).withSinks(sinks);
      }
    }
  }

  /// One cell of the result.
  ///
  /// @param budget entries, 0 for the full cache
  /// @param score mean share of expected strings that were found
  /// @param low lower end of the 95 % interval (Wilson)
  /// @param high upper end
  /// @param peakBytes most bytes of keys and values
  /// @param note why there is no score, empty where there is one
  public record Cell(
      String task,
      int length,
      String policy,
      int budget,
      int samples,
      double score,
      double low,
      double high,
      long peakBytes,
      double seconds,
      String note) {}

  private final LongContextModel model;
  private final Prompts prompts;

  public Evaluation(LongContextModel model) {
    this.model = model;
    this.prompts = new Prompts(model.tokenizer());
  }

  /// Runs the plan. The full cache has one cell per task and length.
  public List<Cell> run(Plan plan, Progress progress) {
    List<Cell> cells = new ArrayList<>();
    long total =
        (long) plan.tasks().size()
            * plan.lengths().size()
            * plan.policies().stream()
                .mapToLong(p -> p instanceof Policy.Full ? 1 : plan.budgets().size())
                .sum();
    try (Progress.Task task = progress.start("evaluating", total)) {
      for (int length : plan.lengths()) {
        for (Task kind : plan.tasks()) {
          List<Sample> samples = samples(plan, kind, length);
          for (Policy policy : plan.policies()) {
            List<Integer> budgets = policy instanceof Policy.Full ? List.of(0) : plan.budgets();
            for (int budget : budgets) {
              Cell cell = cell(plan, kind, length, samples, policy, budget);
              cells.add(cell);
              task.advance(1);
              task.note(
                  String.format(
                      Locale.ROOT,
                      "%s %d %s b=%d: %.3f",
                      cell.task(),
                      length,
                      cell.policy(),
                      budget,
                      cell.score()));
            }
          }
        }
      }
    }
    return cells;
  }

  private List<Sample> samples(Plan plan, Task task, int length) {
    TaskGenerator generator = prompts.generator(plan.filler(), plan.templates());
    Seeds seeds = new Seeds(plan.seed());
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < plan.samples(); i++) {
      // needles stand at evenly spread depths
      double depth = plan.samples() == 1 ? 0.5 : (double) i / (plan.samples() - 1);
      samples.add(
          generator.generate(task, length, depth, seeds.stream(task.label() + " " + length, i)));
    }
    return samples;
  }

  private Cell cell(
      Plan plan, Task task, int length, List<Sample> samples, Policy policy, int budget) {
    int trained = model.config().maxPositions();
    boolean needsFull =
        policy instanceof Policy.Full
            || policy instanceof Policy.SnapKvWhole
            || policy instanceof Policy.Oracle;
    if (needsFull && length > trained) {
      return new Cell(
          task.label(),
          length,
          policy.label(),
          budget,
          0,
          Double.NaN,
          Double.NaN,
          Double.NaN,
          0,
          0,
          "beyond the model's " + trained + " positions");
    }
    double sum = 0;
    long peak = 0;
    long begin = System.nanoTime();
    for (Sample sample : samples) {
      Answered answered = answer(plan, sample, policy, budget == 0 ? length : budget);
      sum += answered.score();
      peak = Math.max(peak, answered.peakBytes());
    }
    double[] interval = wilson(sum, samples.size());
    return new Cell(
        task.label(),
        length,
        policy.label(),
        budget,
        samples.size(),
        sum / samples.size(),
        interval[0],
        interval[1],
        peak,
        (System.nanoTime() - begin) / 1e9,
        "");
  }

  private record Answered(double score, long peakBytes) {}

  private Answered answer(Plan plan, Sample sample, Policy policy, int budget) {
    CacheSettings settings = CacheSettings.of(budget, plan.chunk()).withSinks(plan.sinks());
    int[] context = prompts.context(sample);
    int[] question = prompts.question(sample.turns().getFirst());
    try (TensorScope scope = TensorScope.open()) {
      Tensor[] importance = null;
      if (policy instanceof Policy.Oracle) {
        int[] prompt = Prompts.join(context, question);
        int[] ids = Prompts.join(prompt, prompts.answer(sample.turns().getFirst()));
        importance = NoGrad.supply(() -> Importance.labels(model.decoder(), ids, prompt.length));
      }
      try (Session session =
          new Session(model.decoder(), policy, settings, model.headsFor(policy), importance)) {
        double score = 0;
        for (int turn = 0; turn < sample.turns().size(); turn++) {
          Sample.Turn asked = sample.turns().get(turn);
          if (turn == 0) {
            session.prefill(context, question);
          } else {
            session.extend(prompts.question(asked));
          }
          score += asked.score(greedy(session, prompts.answer(asked).length));
          if (policy instanceof Policy.Oracle) {
            break; // its scores know the first answer alone
          }
        }
        int turns = policy instanceof Policy.Oracle ? 1 : sample.turns().size();
        return new Answered(score / turns, session.peakBytes());
      }
    }
  }

  /// The most likely tokens, as many as the answer has.
  private String greedy(Session session, int answer) {
    int[] given = new int[answer];
    float[] logits = session.logits();
    for (int i = 0; i < answer; i++) {
      given[i] = argmax(logits);
      logits = session.extend(new int[] {given[i]});
    }
    // the stop that ends the sentence, so that a next question begins as in training
    session.extend(model.tokenizer().encode(".", false));
    return model.tokenizer().decode(given);
  }

  static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  /// The 95 % interval of a share after Wilson (1927).
  static double[] wilson(double successes, int trials) {
    double z = 1.959964;
    double p = successes / trials;
    double centre = p + z * z / (2 * trials);
    double spread = z * Math.sqrt(p * (1 - p) / trials + z * z / (4.0 * trials * trials));
    double divisor = 1 + z * z / trials;
    return new double[] {
      Math.max(0, (centre - spread) / divisor), Math.min(1, (centre + spread) / divisor)
    };
  }

  /// Trained positions of the model.
  public int trainedLength() {
    return model.config().maxPositions();
  }
}
