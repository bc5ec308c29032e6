package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Spread;
import io.spillway.report.TextTable;
import io.spillway.reservoir.energy.TrainingCost;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.events.Sensor;
import io.spillway.reservoir.learn.RecurrentBaseline;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.protocol.ReadoutTrainer;
import io.spillway.reservoir.protocol.Splits;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir baseline`: trains the networks that the reservoir is compared with.
@Command(
    name = "baseline",
    description =
        "Train a recurrent network through time on the same frames, spiking with a surrogate"
            + " gradient (srnn) or with tanh cells (rnn), and compare its cost of training.")
public final class BaselineCommand extends SpillwayCommand {
  @Mixin private SetOptions set = new SetOptions();

  @Option(
      names = "--network",
      defaultValue = "srnn",
      paramLabel = "NAME",
      description = "srnn or rnn; default ${DEFAULT-VALUE}.")
  private String network = "srnn";

  @Option(
      names = "--hidden",
      defaultValue = "200",
      paramLabel = "N",
      description = "Recurrent cells; default ${DEFAULT-VALUE}.")
  private int hidden = 200;

  @Option(
      names = "--epochs",
      defaultValue = "16",
      paramLabel = "N",
      description = "Passes over the training part; default ${DEFAULT-VALUE}.")
  private int epochs = 16;

  @Option(
      names = "--folds",
      defaultValue = "5",
      paramLabel = "K",
      description = "Folds; default ${DEFAULT-VALUE}.")
  private int folds = 5;

  @Option(
      names = "--first-folds",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Train on so many of the folds only.")
  private int firstFolds = 1000;

  @Option(
      names = "--seed",
      defaultValue = "1",
      paramLabel = "N",
      description = "Seed of weights and folds; default ${DEFAULT-VALUE}.")
  private long seed = 1;

  @Override
  protected void execute() {
    if (hidden < 1 || hidden > 10_000 || epochs < 1 || firstFolds < 1) {
      throw SpillwayException.badInput(
          "--hidden %d --epochs %d --first-folds %d, 1 to 10000, 1 and 1 at least are possible",
          hidden, epochs, firstFolds);
    }
    RecurrentBaseline.Cell cell =
        switch (network) {
          case "srnn" -> new RecurrentBaseline.Cell.Spiking(.9, 1, .25);
          case "rnn" -> new RecurrentBaseline.Cell.Tanh();
          default -> throw SpillwayException.badInput("--network %s, known: srnn, rnn", network);
        };
    RecordingSet recordings = set.open(seed);
    Sensor sensor = recordings.read(0).sensor();
    Framing framing =
        sensor.equals(Sensor.NMNIST) ? Framing.NMNIST_CENTRE : Framing.forSensor(sensor);
    int[] labels = recordings.indices(recordings.classes());
    int classes = recordings.classes().size();
    SpikeFrames[] frames = new SpikeFrames[recordings.size()];
    Encoder.parallel(frames.length, i -> frames[i] = framing.frames(recordings.read(i)));
    Seeds seeds = new Seeds(seed);
    Splits.Split[] splits = Splits.folds(labels, folds, seeds.stream("folds"));
    int used = Math.min(firstFolds, folds);
    double[] accuracy = new double[used];
    long[] parameters = {0};
    try (Progress.Task task = progress().start("folds", used)) {
      IntStream.range(0, used)
          .parallel()
          .forEach(f -> {
            RecurrentBaseline model =
                new RecurrentBaseline(
                    cell, framing.inputs(), hidden, classes, seeds.stream("baseline", f));
            model.train(
                Arrays.stream(splits[f].train())
                    .mapToObj(i -> frames[i])
                    .toArray(SpikeFrames[]::new),
                Splits.pick(labels, splits[f].train()),
                epochs,
                50,
                1e-3,
                seeds.stream("order", f));
            int[] predicted =
                Arrays.stream(splits[f].test()).map(i -> model.predict(frames[i])).toArray();
            accuracy[f] = ReadoutTrainer.accuracy(predicted, Splits.pick(labels, splits[f].test()));
            synchronized (task) {
              parameters[0] = model.parameters();
              task.advance(1);
            }
          });
    }
    Spread spread = Spread.of(accuracy);
    double examples = splits[0].train().length;
    TrainingCost cost =
        TrainingCost.recurrent(
            framing.inputs(), hidden, classes, framing.steps(), examples, epochs);
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("network", network);
    results.put("accuracy", ProbeCommand.figures(spread));
    results.put("parameters", parameters[0]);
    results.put("training_operations", cost.operations());
    TextTable table = new TextTable("figure", "value");
    table.row("accuracy over " + used + " of " + folds + " folds", spread.percent());
    table.row("trained parameters", parameters[0]);
    table.row("operations of training", String.format("%.3g", cost.operations()));
    record(newRunFolder(), seed, results);
    answer(results, table);
  }
}
