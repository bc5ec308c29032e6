package io.spillway.cli.longcontext;

import io.spillway.cli.DeviceOption;
import io.spillway.cli.SpillwayCommand;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.TrainingLength;
import io.spillway.longcontext.eval.Evaluation;
import io.spillway.longcontext.eval.JournalFile;
import io.spillway.longcontext.eval.Report;
import io.spillway.longcontext.own.OwnTrainer;
import io.spillway.longcontext.own.Recipe;
import io.spillway.longcontext.own.Start;
import io.spillway.longcontext.tasks.Filler;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.report.TextTable;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
        defaultValue = "40",
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
        description = "Text between needles: grammar, held_out, noise or words (default: grammar).")
    private Filler filler = Filler.GRAMMAR;

    @Option(
        names = "--templates",
        defaultValue = "trained",
        description = "Needle sentences: trained, varied or held_out (default: ${DEFAULT-VALUE}).")
    private TaskGenerator.Templates templates = TaskGenerator.Templates.TRAINED;

    @Option(
        names = "--seed",
        defaultValue = "11",
        description = "Seed of the samples (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
        names = "--batch",
        defaultValue = "20",
        description = "Samples read side by side (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Mixin private DeviceOption device = new DeviceOption();

    @Option(
        names = "--no-plots",
        description = "Write no plots, for a Java without its desktop module.")
    private boolean noPlots;

    @Option(
        names = "--journal",
        paramLabel = "FILE",
        description =
            "JSON lines of measured cells; cells that are in it already are not run again.")
    private @Nullable Path journal;

    @Option(
        names = "--time-limit",
        paramLabel = "SECONDS",
        description = "Begin no further cell after that time; go on later with the same journal.")
    private double seconds = Double.POSITIVE_INFINITY;

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
              seed,
              batch);
      Path own = model == null ? LongContextModel.ownFolder() : model;
      try (LongContextModel on =
          LongContextModel.open(own, DType.F32, device.choose(), Optional.ofNullable(heads))) {
        Path folder = newRunFolder();
        Path cellsFile = journal == null ? folder.resolve("cells.jsonl") : journal;
        List<Evaluation.Cell> cells =
            new Evaluation(on).run(plan, new JournalFile(cellsFile, seconds), progress());
        if (!noPlots) {
          Report.plots(cells, folder);
        }
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
      description =
          "Train the small model that comes along from nothing, in bf16 over f32 weights on a GPU and"
              + " in f32 on a CPU; resumes by itself.")
  static final class TrainModel extends SpillwayCommand {
    @Option(
        names = "--out",
        required = true,
        paramLabel = "DIR",
        description = "Folder for the model.")
    private @Nullable Path out;

    @Option(
        names = "--from",
        paramLabel = "DIR",
        description = "Go on from this model's weights and shape instead of fresh ones.")
    private @Nullable Path from;

    @Option(
        names = "--toward",
        paramLabel = "DIR",
        description = "Start between --from and this model, which was trained on from it.")
    private @Nullable Path toward;

    @Option(
        names = "--share",
        defaultValue = "0.7",
        description = "Share of the way to --toward, 0 to 1 (default: ${DEFAULT-VALUE}).")
    private double share;

    @Option(
        names = "--hidden",
        defaultValue = "256",
        description = "Width, a multiple of 64 (default: ${DEFAULT-VALUE}).")
    private int hidden;

    @Option(
        names = "--layers",
        defaultValue = "6",
        description = "Decoder layers (default: ${DEFAULT-VALUE}).")
    private int layers;

    @Option(
        names = "--length",
        paramLabel = "N",
        defaultValue = "512",
        description = "Tokens that the model will be able to read (default: ${DEFAULT-VALUE}).")
    private int length;

    @Option(
        names = "--tokens",
        paramLabel = "N",
        defaultValue = "65536",
        description = "Tokens in a step; take 4096 or so on a CPU (default: ${DEFAULT-VALUE}).")
    private int tokens;

    @Option(
        names = "--steps",
        paramLabel = "N",
        defaultValue = "0",
        description = "Steps of the whole training (default: 10000 unless a time limit is given).")
    private int steps;

    @Option(
        names = "--time-limit",
        paramLabel = "SECONDS",
        defaultValue = "0",
        description = "Train for that long instead; the curriculum and the rate follow the clock.")
    private double seconds;

    @Option(
        names = "--rate",
        defaultValue = "1e-3",
        description = "Largest learning rate (default: ${DEFAULT-VALUE}).")
    private double rate;

    @Option(
        names = "--examine-every",
        paramLabel = "STEPS",
        defaultValue = "250",
        description =
            "Steps between examinations, which choose the coming tasks and the weights to keep"
                + " (default: ${DEFAULT-VALUE}).")
    private int examineEvery;

    @Option(
        names = "--examined",
        paramLabel = "N",
        defaultValue = "48",
        description = "Samples of each task in an examination (default: ${DEFAULT-VALUE}).")
    private int examined;

    @Mixin private DeviceOption device = new DeviceOption();

    @Option(
        names = "--threads",
        paramLabel = "N",
        defaultValue = "0",
        description = "Threads that make texts (default: all processors but one).")
    private int threads;

    @Option(
        names = "--seed",
        defaultValue = "1",
        description = "Seed of weights and texts (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    protected void execute() {
      if (threads < 0 || threads > 256) {
        throw SpillwayException.badInput("--threads %d must be from 0 to 256", threads);
      }
      if (toward != null && from == null) {
        throw SpillwayException.badInput("--toward %s needs --from DIR", toward);
      }
      Path folder = java.util.Objects.requireNonNull(out, "picocli requires --out");
      TrainingLength duration =
          new TrainingLength(steps == 0 && seconds == 0 ? 10_000 : steps, seconds);
      Recipe recipe =
          new Recipe(
              hidden,
              layers,
              length,
              tokens,
              duration,
              rate,
              examined,
              examineEvery,
              from != null,
              seed);
      ComputeDevice on = device.choose();
      OwnTrainer.Outcome outcome =
          OwnTrainer.train(
              recipe,
              Optional.ofNullable(from)
                  .map(start -> new Start(start, Optional.ofNullable(toward), share)),
              on,
              on.isCuda() ? DType.BF16 : DType.F32,
              threads > 0 ? threads : Math.max(1, Runtime.getRuntime().availableProcessors() - 1),
              folder,
              progress());
      TextTable table = new TextTable("task", "answered exactly");
      outcome
          .exact()
          .forEach((task, share) -> table.row(task, String.format(Locale.ROOT, "%.3f", share)));
      answer(
          outcome,
          String.format(
              Locale.ROOT,
              "%s: %d parameters, %d steps in %.0f s on %s%n%s",
              folder,
              outcome.parameters(),
              outcome.steps(),
              outcome.seconds(),
              on.name(),
              table.render()));
    }
  }
}
