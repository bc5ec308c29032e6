package io.spillway.cli.longcontext;

import io.spillway.cli.SpillwayCommand;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.eval.Evaluation;
import io.spillway.longcontext.eval.Report;
import io.spillway.longcontext.own.OwnTrainer;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `longcontext`: evaluation of the policies and the training of our own model.
@Command(
    name = "longcontext",
    description = "Measure cache policies side by side; train the model that comes along.",
    subcommands = {LongContextCommand.Eval.class, LongContextCommand.TrainModel.class})
public final class LongContextCommand extends SpillwayCommand {
  @Override
  protected void execute() {
    throw SpillwayException.badInput(
        "longcontext needs a subcommand: eval or train-model; see ./spillway longcontext --help");
  }

  /// `longcontext eval`.
  @Command(name = "eval", description = "Accuracy of every policy at every budget.")
  static final class Eval extends SpillwayCommand {
    @Option(
        names = "--model",
        paramLabel = "DIR",
        description = "Hugging Face folder of the model (default: the one that comes along).")
    private @Nullable Path model;

    @Option(
        names = "--heads",
        paramLabel = "FILE",
        description = "Retaining heads (default: those in the model's folder).")
    private @Nullable Path heads;

    @Option(
        names = "--policies",
        split = ",",
        defaultValue = "full,locret,h2o,snapkv,streaming,sirllm,random",
        description = "Policies side by side (default: ${DEFAULT-VALUE}).")
    private List<String> policies = List.of();

    @Option(
        names = "--budgets",
        split = ",",
        defaultValue = "32,64,128",
        description = "Entries per layer and head (default: ${DEFAULT-VALUE}).")
    private List<Integer> budgets = List.of();

    @Option(
        names = "--lengths",
        split = ",",
        defaultValue = "512,2048",
        description = "Tokens of the prompts (default: ${DEFAULT-VALUE}).")
    private List<Integer> lengths = List.of();

    @Option(
        names = "--tasks",
        split = ",",
        defaultValue = "passkey,number,single-key",
        description =
            "passkey, number, kv, single-key, multi-key, multi-value, multi-query, multi-turn,"
                + " variables, common-words, frequent-words (default: ${DEFAULT-VALUE}).")
    private List<String> tasks = List.of();

    @Option(
        names = "--samples",
        defaultValue = "20",
        description = "Samples for each task and length (default: ${DEFAULT-VALUE}).")
    private int samples;

    @Option(
        names = "--chunk",
        defaultValue = "128",
        description = "Prompt tokens read at a time (default: ${DEFAULT-VALUE}).")
    private int chunk;

    @Option(
        names = "--sinks",
        defaultValue = "1",
        description = "First entries that every policy keeps (default: ${DEFAULT-VALUE}).")
    private int sinks;

    @Option(
        names = "--filler",
        defaultValue = "grammar",
        description = "Text between needles: grammar, held_out or noise (default: grammar).")
    private Filler filler = Filler.GRAMMAR;

    @Option(
        names = "--templates",
        defaultValue = "trained",
        description = "Needle sentences: trained or held_out (default: ${DEFAULT-VALUE}).")
    private TaskGenerator.Templates templates = TaskGenerator.Templates.TRAINED;

    @Option(
        names = "--seed",
        defaultValue = "11",
        description = "Seed of the samples (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    protected void execute() {
      Evaluation.Plan plan =
          new Evaluation.Plan(
              policies.stream().map(Policy::named).toList(),
              budgets,
              lengths,
              tasks.stream().map(Eval::task).toList(),
              samples,
              chunk,
              sinks,
              filler,
              templates,
              seed);
      Path own = model == null ? LongContextModel.ownFolder() : model;
      try (LongContextModel on =
          LongContextModel.open(
              own, DType.F32, Devices.choose("auto"), Optional.ofNullable(heads))) {
        List<Evaluation.Cell> cells = new Evaluation(on).run(plan, progress());
        Path folder = newRunFolder();
        Report.plot(cells, folder.resolve("accuracy.svg"));
        record(folder, seed, Map.of("cells", cells));
        answer(cells, Report.table(cells));
        if (!json && !quiet) {
          System.err.println("spillway: plot and record in " + folder);
        }
      }
    }

    private static Task task(String label) {
      if (!Task.labels().contains(label)) {
        throw SpillwayException.badInput(
            "unknown task '%s', %s", label, Nearest.hint(label, Task.labels()));
      }
      return Task.valueOf(label.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
  }

  /// `longcontext train-model`.
  @Command(
      name = "train-model",
      description = "Train the small model that comes along from nothing; resumes by itself.")
  static final class TrainModel extends SpillwayCommand {
    @Option(
        names = "--out",
        required = true,
        paramLabel = "DIR",
        description = "Folder for the model.")
    private @Nullable Path out;

    @Option(
        names = "--hidden",
        defaultValue = "128",
        description = "Width, a multiple of 64 (default: ${DEFAULT-VALUE}).")
    private int hidden;

    @Option(
        names = "--layers",
        defaultValue = "4",
        description = "Decoder layers (default: ${DEFAULT-VALUE}).")
    private int layers;

    @Option(
        names = "--rate",
        defaultValue = "2e-3",
        description = "Largest learning rate (default: ${DEFAULT-VALUE}).")
    private double rate;

    @Option(
        names = "--share",
        defaultValue = "1",
        description = "Share of the curriculum's steps, for a try (default: ${DEFAULT-VALUE}).")
    private double share;

    @Option(
        names = "--seed",
        defaultValue = "1",
        description = "Seed of weights and texts (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    protected void execute() {
      if (!(share > 0 && share <= 1)) {
        throw SpillwayException.badInput("--share %s must be above 0 and at most 1", share);
      }
      Path folder = java.util.Objects.requireNonNull(out, "picocli requires --out");
      List<OwnTrainer.Stage> stages =
          OwnTrainer.CURRICULUM.stream()
              .map(s ->
                  new OwnTrainer.Stage(s.length(), (int) Math.ceil(s.until() * share), s.tokens()))
              .toList();
      OwnTrainer.Outcome outcome =
          OwnTrainer.train(
              new OwnTrainer.Recipe(hidden, layers, stages, rate, seed), folder, progress());
      answer(
          outcome,
          String.format(
              Locale.ROOT,
              "%s: %d parameters, %d steps in %.0f s, %.2f %% of answer tokens right",
              folder,
              outcome.parameters(),
              outcome.steps(),
              outcome.seconds(),
              100 * outcome.tokenAccuracy()));
    }
  }
}
