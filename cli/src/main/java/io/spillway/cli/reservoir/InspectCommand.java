package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.report.TextTable;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.view.Pictures;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir inspect`: pictures and statistics of a recording and of what the liquid does with it.
@Command(
    name = "inspect",
    description =
        "Draw a recording's events (animated GIF), the spikes (PNG), the conductances (PNG) and the"
            + " firing rates (PNG).")
public final class InspectCommand extends SpillwayCommand {
  @Mixin private RecordingOptions input = new RecordingOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FOLDER",
      description = "Folder of the pictures; default the run's own folder.")
  private @Nullable Path output;

  @Option(
      names = "--bin-ms",
      paramLabel = "MS",
      description =
          "Milliseconds of events in one frame of the GIF; default 10, longer if more than 500 frames"
              + " came of it.")
  private @Nullable Double binMs;

  @Override
  protected void execute() {
    RecordingOptions.Named named = input.read();
    EventRecording recording = named.recording();
    Liquid liquid = named.liquid();
    SpikeFrames frames = liquid.framing().frames(recording);
    long bin = binMs == null ? Pictures.binUs(recording) : Math.round(binMs * 1000);
    int count = Pictures.frames(recording, bin);
    Path folder = output != null ? output : newRunFolder();
    Pictures.gif(folder.resolve("events.gif"), Pictures.eventFrames(recording, bin));
    Pictures.png(folder.resolve("raster.png"), Pictures.raster(liquid, frames, 0));
    Pictures.png(folder.resolve("conductances.png"), Pictures.conductances(liquid.inputCrossbar()));
    LiquidResponse response = liquid.run(frames, 0);
    float[] each = perNeuron(response);
    Pictures.png(
        folder.resolve("rates.png"), Pictures.rates(each, "spikes a recording and neuron"));
    float[] sorted = each.clone();
    Arrays.sort(sorted);
    int silent = 0;
    for (float v : each) {
      silent += v == 0 ? 1 : 0;
    }
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("events", recording.size());
    results.put("duration_ms", recording.durationUs() / 1000.0);
    results.put("sensor", recording.sensor().width() + " x " + recording.sensor().height());
    results.put("neurons", response.neurons());
    results.put("spikes", response.spikes());
    results.put("firing_rate", response.rate(frames.steps()));
    results.put("silent_neurons", silent);
    results.put("median_spikes", sorted[sorted.length / 2]);
    results.put("largest_spikes", sorted[sorted.length - 1]);
    results.put("frames", count);
    results.put("frame_ms", bin / 1000.0);
    results.put("folder", folder.toString());
    TextTable table = new TextTable("figure", "value");
    results.forEach((key, value) ->
        table.row(
            key.replace('_', ' '),
            value instanceof Double d ? String.format(Locale.ROOT, "%.4g", d) : value));
    answer(results, table);
  }

  private static float[] perNeuron(LiquidResponse response) {
    float[] out = new float[response.neurons()];
    for (int i = 0; i < response.counts().length; i++) {
      out[i % out.length] += response.counts()[i];
    }
    return out;
  }
}
