package io.spillway.longcontext.eval;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.cache.BatchReading;
import io.spillway.longcontext.cache.Session;
import io.spillway.longcontext.retain.Importance;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Spread;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

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
  /// @param batch samples read side by side
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
      long seed,
      int batch) {
    public Plan {
      if (batch < 1 || batch > 4096) {
        throw SpillwayException.badInput("batch is %d, it must be 1 to 4096", batch);
      }
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

    /// What a cell depends on beside its own columns.
    String settings() {
      return String.format(
          Locale.ROOT,
          "chunk %d, sinks %d, %s, %s, seed %d",
          chunk,
          sinks,
          filler.name().toLowerCase(Locale.ROOT),
          templates.name().toLowerCase(Locale.ROOT),
          seed);
    }
  }

  /// Cells of earlier runs, so that an evaluation can be interrupted.
  public interface Journal {
    /// The cell with the same task, length, policy, budget, samples and settings, or null.
    @Nullable Cell known(Cell like);

    /// A cell was measured.
    void add(Cell cell);

    /// Whether no further cell may begin.
    boolean over();

    /// Remembers nothing.
    static Journal none() {
      return new Journal() {
        @Override
        public @Nullable Cell known(Cell like) {
          return null;
        }

        @Override
        public void add(Cell cell) {}

        @Override
        public boolean over() {
          return false;
        }
      };
    }
  }

  /// One cell of the result.
  ///
  /// @param budget entries, 0 for the full cache
  /// @param score mean share of expected strings that were found
  /// @param low lower end of the 95 % interval (Wilson)
  /// @param high upper end
  /// @param peakBytes most bytes of keys and values of one prompt
  /// @param settings what else it depends on
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
      String settings,
      String note) {
    static Cell unmeasured(
        Task task,
        int length,
        Policy policy,
        int budget,
        int samples,
        String settings,
        String note) {
      double none = Double.NaN;
      return new Cell(
          task.label(),
          length,
          policy.label(),
          budget,
          samples,
          none,
          none,
          none,
          0,
          0,
          settings,
          note);
    }
  }

  private final LongContextModel model;
  private final Prompts prompts;

  public Evaluation(LongContextModel model) {
    this.model = model;
    this.prompts = new Prompts(model.tokenizer());
  }

  /// Runs the plan. The full cache has one cell per task and length.
  public List<Cell> run(Plan plan, Progress progress) {
    return run(plan, Journal.none(), progress);
  }

  /// Runs the plan as far as the journal allows.
  public List<Cell> run(Plan plan, Journal journal, Progress progress) {
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
          List<Group> groups = new ArrayList<>();
          for (Policy policy : plan.policies()) {
            List<Integer> budgets = policy instanceof Policy.Full ? List.of(0) : plan.budgets();
            for (int budget : budgets) {
              if (journal.over()) {
                return cells;
              }
              Cell cell = cell(plan, journal, kind, length, groups, policy, budget);
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

  private Cell cell(
      Plan plan,
      Journal journal,
      Task task,
      int length,
      List<Group> groups,
      Policy policy,
      int budget) {
    int trained = model.config().maxPositions();
    boolean needsFull =
        policy instanceof Policy.Full
            || policy.base() instanceof Policy.SnapKvWhole
            || policy.base() instanceof Policy.Oracle;
    String settings = plan.settings();
    if (needsFull && length > trained) {
      return Cell.unmeasured(
          task,
          length,
          policy,
          budget,
          0,
          settings,
          "beyond the model's " + trained + " positions");
    }
    Cell like = Cell.unmeasured(task, length, policy, budget, plan.samples(), settings, "");
    Cell known = journal.known(like);
    if (known != null) {
      return known;
    }
    if (groups.isEmpty()) {
      groups.addAll(
          Group.of(prompts.samples(plan, task, length), prompts, plan.batch(), plan.seed()));
    }
    double sum = 0;
    long peak = 0;
    long begin = System.nanoTime();
    for (Group group : groups) {
      Answered answered = answer(plan, group, policy, budget == 0 ? length : budget);
      sum += answered.score();
      peak = Math.max(peak, answered.peakBytes());
    }
    double[] interval = Spread.wilson(sum, plan.samples());
    Cell cell =
        new Cell(
            task.label(),
            length,
            policy.label(),
            budget,
            plan.samples(),
            sum / plan.samples(),
            interval[0],
            interval[1],
            peak,
            (System.nanoTime() - begin) / 1e9,
            settings,
            "");
    journal.add(cell);
    return cell;
  }

  /// @param score sum over the group's samples
  private record Answered(double score, long peakBytes) {}

  private Answered answer(Plan plan, Group group, Policy policy, int budget) {
    CacheSettings settings = CacheSettings.of(budget, plan.chunk()).withSinks(plan.sinks());
    if (policy instanceof Policy.InfLlm || policy instanceof Policy.Wrapped) {
      return oneByOne(group, policy, settings);
    }
    int turns = policy instanceof Policy.Oracle ? 1 : group.turns(); // it knows the first answer
    int[][] stop = group.same(model.tokenizer().encode(".", false));
    try (TensorScope guard = TensorScope.open();
        BatchReading reading =
            new BatchReading(
                model.decoder(),
                policy,
                settings,
                model.heads(),
                policy instanceof Policy.Oracle ? importance(group) : null,
                null)) {
      double score = 0;
      for (int turn = 0; turn < turns; turn++) {
        if (turn == 0) {
          reading.prefill(group.contexts(), group.questions(0));
        } else {
          // the stop that ends the sentence, so that a next question begins as in training
          reading.extend(stop);
          reading.extend(group.questions(turn));
        }
        int[][] given = reading.greedy(group.answerLength(turn));
        for (int i = 0; i < given.length; i++) {
          score += group.turn(i, turn).score(model.tokenizer().decode(given[i])) / turns;
        }
      }
      return new Answered(score, reading.peakEntries() * model.config().cacheBytesPerToken(4));
    }
  }

  /// Each layer's labels, `[batch, kvHeads, tokens]`.
  private Tensor[] importance(Group group) {
    return NoGrad.supply(() -> {
      int layers = model.config().layers();
      List<TensorVector> rows = new ArrayList<>();
      for (int layer = 0; layer < layers; layer++) {
        rows.add(new TensorVector());
      }
      for (int i = 0; i < group.size(); i++) {
        int[] prompt = Prompts.join(group.contexts()[i], group.questions(0)[i]);
        int[] ids = Prompts.join(prompt, prompts.answer(group.turn(i, 0)));
        Tensor[] labels = Importance.labels(model.decoder(), ids, prompt.length);
        for (int layer = 0; layer < layers; layer++) {
          rows.get(layer).push_back(labels[layer]);
        }
      }
      return rows.stream().map(row -> torch.stack(row, 0)).toArray(Tensor[]::new);
    });
  }

  private Answered oneByOne(Group group, Policy policy, CacheSettings settings) {
    double sum = 0;
    long peak = 0;
    for (int i = 0; i < group.size(); i++) {
      try (Session session = new Session(model.decoder(), policy, settings, model.heads(), null)) {
        for (int turn = 0; turn < group.turns(); turn++) {
          if (turn == 0) {
            session.prefill(group.contexts()[i], group.questions(0)[i]);
          } else {
            session.extend(model.tokenizer().encode(".", false));
            session.extend(group.questions(turn)[i]);
          }
          int[] given = new int[group.answerLength(turn)];
          float[] logits = session.logits();
          for (int t = 0; t < given.length; t++) {
            given[t] = argmax(logits);
            logits = session.extend(new int[] {given[t]});
          }
          sum += group.turn(i, turn).score(model.tokenizer().decode(given)) / group.turns();
        }
        peak = Math.max(peak, session.peakBytes());
      }
    }
    return new Answered(sum, peak);
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

  /// Trained positions of the model.
  public int trainedLength() {
    return model.config().maxPositions();
  }
}
