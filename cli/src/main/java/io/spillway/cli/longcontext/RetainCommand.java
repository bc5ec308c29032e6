package io.spillway.cli.longcontext;

import io.spillway.cli.DeviceOption;
import io.spillway.cli.SpillwayCommand;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.TrainingLength;
import io.spillway.longcontext.eval.Prompts;
import io.spillway.longcontext.eval.TrainingText;
import io.spillway.longcontext.retain.Importance;
import io.spillway.longcontext.retain.RetainTrainer;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.longcontext.tasks.Task;
import io.spillway.longcontext.tasks.TaskGenerator;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `retain`: the training of retaining heads.
@Command(
    name = "retain",
    description = "Train and judge the heads that say which cache entries will matter.",
    subcommands = {RetainCommand.Train.class, RetainCommand.Eval.class})
public final class RetainCommand extends SpillwayCommand {
  @Override
  protected void execute() {
    throw SpillwayException.badInput(
        "retain needs a subcommand: train or eval; see ./spillway retain --help");
  }

  /// What both need.
  abstract static class OnModel extends SpillwayCommand {
    @Option(
        names = "--model",
        paramLabel = "DIR",
        description = "Hugging Face folder of the model (default: the one that comes along).")
    @Nullable Path model;

    @Option(
        names = "--data",
        paramLabel = "FILE",
        defaultValue = "synthetic",
        description =
            "JSON lines with prompt and answer, or synthetic for generated tasks (default:"
                + " ${DEFAULT-VALUE}).")
    String data = "synthetic";

    @Option(
        names = "--length",
        paramLabel = "N",
        defaultValue = "0",
        description = "Longest example in tokens, 0 for the model's positions (default: 0).")
    int length;

    @Option(
        names = "--label",
        defaultValue = "product",
        description =
            "What is learned: product (the paper's), value_weighted, or linked, which counts what"
                + " needed tokens read as well (default: ${DEFAULT-VALUE}).")
    Importance.Label label = Importance.Label.PRODUCT;

    @Mixin DeviceOption device = new DeviceOption();

    LongContextModel open(Optional<Path> heads) {
      Path folder = model == null ? LongContextModel.ownFolder() : model;
      return LongContextModel.open(folder, DType.F32, device.choose(), heads);
    }

    RetainTrainer.Source source(LongContextModel on, TaskGenerator.Templates templates) {
      Prompts prompts = new Prompts(on.tokenizer());
      int longest = length == 0 ? on.config().maxPositions() - 32 : length;
      if (longest < 80 || longest > on.config().maxPositions()) {
        throw SpillwayException.badInput(
            "--length %d must be from 80 to the model's %d positions",
            longest, on.config().maxPositions());
      }
      if (data.equals("synthetic")) {
        return prompts.examples(longest, TASKS, templates);
      }
      return TrainingText.read(Path.of(data), on.tokenizer(), longest);
    }
  }

  private static final List<Task> TASKS =
      List.of(
          Task.PASSKEY,
          Task.NUMBER,
          Task.KV,
          Task.SINGLE_KEY,
          Task.MULTI_KEY,
          Task.MULTI_VALUE,
          Task.MULTI_QUERY,
          Task.MULTI_TURN,
          Task.VARIABLES,
          Task.COMMON_WORDS,
          Task.FREQUENT_WORDS);

  /// `retain train`.
  @Command(name = "train", description = "Train heads on a frozen model; resumes by itself.")
  static final class Train extends OnModel {
    @Option(
        names = "--out",
        required = true,
        paramLabel = "FILE",
        description = "File for the heads, safetensors.")
    private @Nullable Path out;

    @Option(
        names = "--steps",
        defaultValue = "0",
        description = "Steps (default: 3000 unless a time limit is given).")
    private int steps;

    @Option(
        names = "--time-limit",
        paramLabel = "SECONDS",
        defaultValue = "0",
        description = "Train for that long instead; the rate follows the clock.")
    private double seconds;

    @Option(
        names = "--batch",
        defaultValue = "1",
        description = "Examples in a step, the paper has one (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
        names = "--from",
        paramLabel = "FILE",
        description = "Go on from these heads instead of fresh ones.")
    private @Nullable Path from;

    @Option(
        names = "--in-loop",
        description =
            "Half of the examples are read with eviction by the present heads (beyond the paper).")
    private boolean inLoop;

    @Option(
        names = "--threads",
        paramLabel = "N",
        defaultValue = "0",
        description = "Threads that make examples (default: all processors but one).")
    private int threads;

    @Option(
        names = "--rate",
        defaultValue = "2e-3",
        description = "Largest learning rate (default: ${DEFAULT-VALUE}).")
    private double rate;

    @Option(
        names = "--width",
        defaultValue = "256",
        description = "Hidden units of each head (default: ${DEFAULT-VALUE}).")
    private int width;

    @Option(
        names = "--seed",
        defaultValue = "1",
        description = "Seed of weights and examples (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    protected void execute() {
      Path file = java.util.Objects.requireNonNull(out, "picocli requires --out");
      RetainTrainer.Recipe recipe =
          new RetainTrainer.Recipe(
              new TrainingLength(steps == 0 && seconds == 0 ? 3000 : steps, seconds),
              batch,
              rate,
              width,
              label,
              inLoop,
              seed);
      if (threads < 0 || threads > 256) {
        throw SpillwayException.badInput("--threads %d must be from 0 to 256", threads);
      }
      try (LongContextModel on = open(Optional.empty())) {
        RetainTrainer.Outcome outcome =
            RetainTrainer.train(
                on.decoder(),
                source(on, TaskGenerator.Templates.VARIED),
                recipe,
                Optional.ofNullable(from),
                device.choose(),
                threads > 0 ? threads : Math.max(1, Runtime.getRuntime().availableProcessors() - 1),
                file,
                progress());
        answer(
            outcome,
            String.format(
                Locale.ROOT,
                "%s: %d steps in %.0f s, loss %.4f -> %.4f",
                file,
                outcome.steps(),
                outcome.seconds(),
                outcome.firstLoss(),
                outcome.lastLoss()));
      }
    }
  }

  /// `retain eval`.
  @Command(name = "eval", description = "Loss of heads on examples they did not see.")
  static final class Eval extends OnModel {
    @Option(
        names = "--heads",
        paramLabel = "FILE",
        description = "Heads to judge (default: those in the model's folder).")
    private @Nullable Path heads;

    @Option(
        names = "--samples",
        defaultValue = "50",
        description = "Examples (default: ${DEFAULT-VALUE}).")
    private int samples;

    @Override
    protected void execute() {
      if (samples < 1) {
        throw SpillwayException.badInput("--samples %d must be at least 1", samples);
      }
      try (LongContextModel on = open(Optional.ofNullable(heads))) {
        RetainingHeads judged = on.heads();
        if (judged == null) {
          throw SpillwayException.notFound(
              "%s has no retaining heads; make them with retain train", on.folder());
        }
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("samples", samples);
        out.put("parameters", judged.size());
        double trained =
            RetainTrainer.evaluate(
                on.decoder(), judged, source(on, TaskGenerator.Templates.TRAINED), samples, label);
        out.put("loss", trained);
        double heldOut =
            RetainTrainer.evaluate(
                on.decoder(), judged, source(on, TaskGenerator.Templates.HELD_OUT), samples, label);
        out.put("lossHeldOutTemplates", heldOut);
        answer(
            out,
            String.format(
                Locale.ROOT,
                "loss %.4f on %d unseen examples, %.4f with held-out templates",
                trained,
                samples,
                heldOut));
      }
    }
  }
}
