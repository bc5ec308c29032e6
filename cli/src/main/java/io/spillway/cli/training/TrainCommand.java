package io.spillway.cli.training;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import io.spillway.training.plan.TimelineSvg;
import io.spillway.training.run.TrainJob;
import io.spillway.training.run.TrainReport;
import io.spillway.training.run.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `spillway train`: pre-training and continued training of decoders whose optimizer state lies
/// partly on the host.
@Command(
    description =
        "Trains a decoder (llama, mistral, qwen2, qwen3, phi3) with the optimizer state split between"
            + " device, host and disk; the weights are those of plain Adam.",
    subcommands = {TrainPlanCommand.class, TrainCompareCommand.class, TrainProfileCommand.class})
public final class TrainCommand extends SpillwayCommand {
  @Option(
      names = "--model",
      paramLabel = "DIR|config.json",
      description = "A Hugging Face folder to go on from, or a config.json for random weights.")
  Optional<Path> model = Optional.empty();

  @Option(
      names = "--data",
      arity = "1..*",
      paramLabel = "FILE",
      description =
          "Text, JSON lines (key \"text\") or token files (.u16, .bin, .u32); models without a"
              + " tokenizer.json read bytes.")
  List<Path> data = new ArrayList<>();

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description =
          "Folder of checkpoints, metrics.csv, loss.png and TensorBoard events (default: a new run"
              + " folder).")
  Optional<Path> output = Optional.empty();

  @Option(
      names = "--steps",
      defaultValue = "100",
      description = "Optimizer steps in all (default: ${DEFAULT-VALUE}).")
  long steps;

  @Option(
      names = "--evaluate-every",
      defaultValue = "0",
      description = "Steps between evaluations, 0 for none (default: ${DEFAULT-VALUE}).")
  long evaluateEvery;

  @Option(
      names = "--evaluate-on",
      defaultValue = "0",
      description =
          "Sequences at the end of the data that are held out (default: ${DEFAULT-VALUE}).")
  long evaluation;

  @Option(
      names = "--save-every",
      defaultValue = "0",
      description = "Steps between checkpoints, 0 for one at the end (default: ${DEFAULT-VALUE}).")
  long saveEvery;

  @Option(
      names = "--keep",
      defaultValue = "2",
      description = "Checkpoints that stay (default: ${DEFAULT-VALUE}).")
  int keep;

  @Option(names = "--resume", description = "Go on from the newest checkpoint in --output.")
  boolean resume;

  @Option(
      names = "--timeline",
      paramLabel = "FILE.svg",
      description = "Draw the last two steps as they were measured.")
  Optional<Path> timeline = Optional.empty();

  @Mixin TrainOptions options = new TrainOptions();

  private int status;

  @Override
  protected void execute() {
    if (model.isEmpty() || data.isEmpty()) {
      throw SpillwayException.badInput(
          "train needs --model DIR|config.json and --data FILES; see also train plan, train compare"
              + " and train profile");
    }
    if (resume && output.isEmpty()) {
      throw SpillwayException.badInput("--resume needs --output, the folder of the run to go on");
    }
    Path run = output.orElseGet(this::newRunFolder);
    TrainJob job =
        new TrainJob(
            model.get(),
            data,
            run,
            options.settings(steps),
            steps,
            options.trainDevice(),
            options.hostBytes(),
            options.threads(),
            evaluateEvery,
            evaluation,
            saveEvery,
            keep,
            resume);
    AtomicBoolean stop = new AtomicBoolean();
    onSignal("INT", stop);
    onSignal("TERM", stop);
    try (Trainer trainer = new Trainer(job, progress(), stop)) {
      trainer.predictStated();
      TrainReport report = trainer.run();
      timeline.ifPresent(file -> TimelineSvg.write(trainer.timeline(), "measured", file));
      if (!trainer.isFirstRank()) {
        return;
      }
      record(run, options.seed, results(report));
      answer(results(report), text(report));
      status = report.interrupted() ? ErrorCode.INTERRUPTED.exitStatus() : 0;
    }
  }

  private static void onSignal(String name, AtomicBoolean stop) {
    sun.misc.Signal.handle(
        new sun.misc.Signal(name),
        _ -> {
          if (stop.getAndSet(true)) {
            Runtime.getRuntime().halt(ErrorCode.INTERRUPTED.exitStatus());
          }
          System.err.println(
              "spillway: ending after this step with a checkpoint; a second signal ends at once");
        });
  }

  private static Map<String, Object> results(TrainReport r) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("device", r.device());
    all.put("schedule", r.schedule());
    all.put("parameters", r.parameters());
    all.put("steps", r.step());
    all.put("first_loss", r.losses().isEmpty() ? null : r.losses().getFirst());
    all.put("last_loss", r.losses().isEmpty() ? null : r.losses().getLast());
    all.put("evaluation_loss", finite(r.evaluationLoss()));
    all.put("tokens_per_second", finite(r.tokensPerSecond()));
    all.put("predicted_step_seconds", finite(r.predictedSeconds()));
    all.put("measured_step_seconds", finite(r.measuredSeconds()));
    all.put("device_peak_bytes", r.devicePeakBytes());
    all.put("host_bytes", r.hostBytes());
    all.put("skipped_steps", r.skipped());
    all.put("checkpoint", r.checkpoint());
    all.put("interrupted", r.interrupted());
    all.values().removeIf(v -> v == null);
    return all;
  }

  private static Object finite(double value) {
    return Double.isFinite(value) ? value : "not measured";
  }

  private static String text(TrainReport r) {
    StringBuilder out = new StringBuilder();
    out.append(r.interrupted() ? "stopped by a signal" : "trained").append(" at step ");
    out.append(r.step());
    if (!r.losses().isEmpty()) {
      out.append(
          String.format(
              Locale.ROOT, ": loss %.4f -> %.4f", r.losses().getFirst(), r.losses().getLast()));
    }
    if (!Double.isNaN(r.evaluationLoss())) {
      out.append(String.format(Locale.ROOT, ", held-out loss %.4f", r.evaluationLoss()));
    }
    out.append(String.format(Locale.ROOT, "%n%,d parameters on %s%n", r.parameters(), r.device()));
    out.append("update: ").append(r.schedule()).append('\n');
    out.append(
        String.format(
            Locale.ROOT,
            "a step: %s measured, %s predicted; %.0f tokens/s%n",
            Double.isNaN(r.measuredSeconds()) ? "not" : new Seconds(r.measuredSeconds()),
            Double.isNaN(r.predictedSeconds()) ? "not" : new Seconds(r.predictedSeconds()),
            r.tokensPerSecond()));
    out.append(
        String.format(
            "memory: device peak %s without activations, host %s for the optimizer%n",
            new Bytes(r.devicePeakBytes()), new Bytes(r.hostBytes())));
    if (r.skipped() > 0) {
      out.append(r.skipped()).append(" steps were skipped for overflow\n");
    }
    out.append("checkpoint: ").append(r.checkpoint());
    return out.toString();
  }

  @Override
  protected int exitStatus() {
    return status;
  }
}
