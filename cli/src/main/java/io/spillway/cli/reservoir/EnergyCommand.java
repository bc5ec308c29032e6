package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Yaml;
import io.spillway.report.TextTable;
import io.spillway.reservoir.energy.EnergyModel;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidResponse;
import java.nio.file.Path;
import java.util.LinkedHashMap;
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
            + " peripheral, projection, and the same network on a digital accelerator.")
public final class EnergyCommand extends SpillwayCommand {
  @Mixin private RecordingOptions input = new RecordingOptions();

  @Option(
      names = "--outputs",
      paramLabel = "N",
      defaultValue = "10",
      description = "Classes or width of the projection; default ${DEFAULT-VALUE}.")
  private int outputs = 10;

  @Option(
      names = "--constants",
      paramLabel = "YAML",
      description = "Other energy constants (gpu_picojoules, array_picojoules, ...).")
  private @Nullable Path constants;

  @Override
  protected void execute() {
    if (outputs < 1 || outputs > 100_000) {
      throw SpillwayException.badInput("--outputs %d, 1 to 100000 are possible", outputs);
    }
    EnergyModel model =
        constants == null ? EnergyModel.PUBLISHED : Yaml.read(constants, EnergyModel.class);
    RecordingOptions.Named named = input.read();
    EventRecording recording = named.recording();
    Liquid liquid = named.liquid();
    LiquidResponse response = liquid.run(liquid.framing().frames(recording), 0);
    EnergyModel.Report report =
        model.of(
            liquid.config(),
            liquid.framing().inputs(),
            liquid.framing().steps(),
            outputs,
            response);
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
    TextTable table = new TextTable("figure", "value");
    results.forEach((key, value) ->
        table.row(
            key.replace('_', ' '),
            String.format(Locale.ROOT, "%.4g", ((Number) value).doubleValue())));
    answer(results, table);
  }
}
