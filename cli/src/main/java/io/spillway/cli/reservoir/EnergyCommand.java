package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Yaml;
import io.spillway.report.TextTable;
import io.spillway.reservoir.energy.EnergyModel;
import io.spillway.reservoir.energy.TrainingCost;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir energy`: what one inference costs, on the array and on a digital accelerator.
@Command(
    name = "energy",
    description =
        "Energy of one inference from the spikes of a recording: array, drivers, converters,"
            + " peripheral, projection, and the same network on a digital accelerator; with the cost"
            + " of training beside that of a recurrent network of the same size. With --second both"
            + " senses of zero-shot count.")
public final class EnergyCommand extends SpillwayCommand {
  @Mixin private RecordingOptions input = new RecordingOptions();

  @Option(
      names = "--second",
      paramLabel = "FILE",
      description = "A recording of the other sense, run through a liquid of its own.")
  private @Nullable Path second;

  @Option(
      names = "--outputs",
      paramLabel = "N",
      description = "Classes, or width of the projection; default 10, with --second 64.")
  private @Nullable Integer outputs;

  @Option(
      names = "--training",
      paramLabel = "N",
      defaultValue = "1000",
      description = "Recordings or pairs of a training; default ${DEFAULT-VALUE}.")
  private int training = 1000;

  @Option(
      names = "--epochs",
      paramLabel = "N",
      defaultValue = "100",
      description = "Passes of a training; default ${DEFAULT-VALUE}.")
  private int epochs = 100;

  @Option(
      names = "--constants",
      paramLabel = "YAML",
      description = "Other energy constants (gpu_picojoules, array_picojoules, ...).")
  private @Nullable Path constants;

  /// One sense: its liquid and what its recording made of it.
  private record Sense(Liquid liquid, LiquidResponse response) {
    static Sense of(EventRecording recording, Liquid liquid) {
      return new Sense(liquid, liquid.run(liquid.framing().frames(recording), 0));
    }

    long inputs() {
      return liquid.framing().inputs();
    }

    long steps() {
      return liquid.framing().steps();
    }

    long features() {
      return (long) liquid.config().neurons() * liquid.config().segments();
    }

    EnergyModel.Report energy(EnergyModel model, int outputs) {
      return model.of(liquid.config(), (int) inputs(), (int) steps(), outputs, response);
    }
  }

  @Override
  protected void execute() {
    int out = outputs != null ? outputs : second == null ? 10 : 64;
    if (out < 1 || out > 100_000) {
      throw SpillwayException.badInput("--outputs %d, 1 to 100000 are possible", out);
    }
    if (training < 1 || epochs < 1) {
      throw SpillwayException.badInput(
          "--training %d --epochs %d, 1 at least of each is needed", training, epochs);
    }
    EnergyModel model =
        constants == null ? EnergyModel.PUBLISHED : Yaml.read(constants, EnergyModel.class);
    RecordingOptions.Named named = input.read();
    List<Sense> senses = new ArrayList<>();
    senses.add(Sense.of(named.recording(), named.liquid()));
    if (second != null) {
      EventRecording other = RecordingOptions.read(second, 0);
      senses.add(Sense.of(other, input.described(other.sensor())));
    }
    EnergyModel.Report report =
        senses.stream()
            .map(sense -> sense.energy(model, out))
            .reduce(EnergyModel.Report::plus)
            .orElseThrow();
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("array_operations", report.arrayOperations());
    results.put("dense_operations", report.denseOperations());
    results.put("group_array_nj", report.groupArray());
    results.put("group_projection_nj", report.groupProjection());
    results.put("group_digital_nj", report.groupDigital());
    results.put("group_ratio", report.groupRatio());
    results.put("cells_nj", report.cells());
    results.put("drivers_nj", report.drivers());
    results.put("converters_nj", report.converters());
    results.put("peripheral_nj", report.peripheral());
    results.put("component_ratio", report.componentRatio());
    training(senses, out, results);
    TextTable table = new TextTable("figure", "value", "paper, published size");
    results.forEach((key, value) ->
        table.row(
            key.replace('_', ' '),
            String.format(Locale.ROOT, "%.4g", ((Number) value).doubleValue()),
            paper(key)));
    answer(results, table);
  }

  private String paper(String key) {
    return switch (key) {
      case "group_ratio" -> second == null ? "23.34 (N-MNIST)" : "160 (both senses)";
      case "training_ratio_counts_kept" -> second == null ? "" : "152.83 (SRNN-CLIP)";
      default -> "";
    };
  }

  /// Training the projection or readout alone, against a recurrent network of the same size through
  /// time; with both senses the reservoirs may be run once or in each epoch anew.
  private void training(List<Sense> senses, int out, Map<String, Object> results) {
    Sense first = senses.get(0);
    int hidden = first.liquid().config().neurons();
    double reservoirs = senses.stream().mapToDouble(s -> s.response().additions()).sum();
    TrainingCost kept;
    TrainingCost anew;
    TrainingCost recurrent;
    if (senses.size() == 1) {
      kept = TrainingCost.frozenReservoir(reservoirs, first.features(), out, training, epochs);
      anew =
          TrainingCost.frozenReservoir(
              reservoirs * epochs, first.features(), out, training, epochs);
      recurrent =
          TrainingCost.recurrent(first.inputs(), hidden, out, first.steps(), training, epochs);
    } else {
      Sense other = senses.get(1);
      kept =
          TrainingCost.projections(
              reservoirs, false, first.features(), other.features(), out, training, epochs);
      anew =
          TrainingCost.projections(
              reservoirs, true, first.features(), other.features(), out, training, epochs);
      recurrent =
          TrainingCost.recurrentPair(
              first.inputs(),
              first.steps(),
              other.inputs(),
              other.steps(),
              hidden,
              out,
              training,
              epochs);
    }
    results.put("training_operations_counts_kept", kept.operations());
    results.put("training_operations_encoded_each_epoch", anew.operations());
    results.put("training_operations_recurrent", recurrent.operations());
    results.put("training_ratio_counts_kept", recurrent.operations() / kept.operations());
    results.put("training_ratio_encoded_each_epoch", recurrent.operations() / anew.operations());
    results.put("parameters", kept.parameters());
    results.put("parameters_recurrent", recurrent.parameters());
  }
}
