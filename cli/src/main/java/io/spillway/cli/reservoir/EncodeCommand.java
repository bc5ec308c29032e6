package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.ReservoirModel;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.liquid.Simulator;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.liquid.TorchLiquid;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir encode`: one recording through the liquid.
@Command(
    name = "encode",
    description = "Run one recording through the liquid; write its spikes or recognise it.")
public final class EncodeCommand extends SpillwayCommand {
  @Mixin private RecordingOptions input = new RecordingOptions();
  @Mixin private EngineOptions engine = new EngineOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "CSV",
      description = "Write the liquid's spikes as lines of step,neuron.")
  private @Nullable Path output;

  @Override
  protected void execute() {
    RecordingOptions.Named named = input.read();
    EventRecording recording = named.recording();
    ReservoirModel loaded = named.model();
    Liquid liquid = named.liquid();
    Framing framing = liquid.framing();
    SpikeFrames frames = framing.frames(recording);
    if (frames.size() == 0) {
      throw SpillwayException.badInput(
          "%s has no events in the region that is framed", named.file());
    }
    LiquidResponse[] answer = new LiquidResponse[1];
    if (output == null) {
      answer[0] = run(liquid, frames, Simulator.SpikeSink.NONE);
    } else {
      // line by line: a large liquid fires more often than memory holds
      AtomicFiles.writeStream(
          output,
          stream -> {
            PrintStream lines =
                new PrintStream(
                    new BufferedOutputStream(stream, 1 << 16), false, StandardCharsets.US_ASCII);
            lines.print("step,neuron\n");
            answer[0] =
                run(liquid, frames, (step, neuron) -> lines.append(step + "," + neuron + "\n"));
            if (lines.checkError()) {
              throw new IOException("cannot write the spikes");
            }
          });
    }
    LiquidResponse response = answer[0];
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("events", recording.size());
    results.put("input_spikes", response.inputSpikes());
    results.put("spikes", response.spikes());
    results.put("firing_rate", response.rate(framing.steps()));
    results.put("synaptic_operations", response.additions());
    String text =
        String.format(
            "%d events gave %d input spikes and %d spikes of %d neurons (%.1f %% a step), %.1f"
                + " million synaptic operations",
            recording.size(),
            response.inputSpikes(),
            response.spikes(),
            response.neurons(),
            100 * response.rate(framing.steps()),
            response.additions() / 1e6);
    if (loaded != null) {
      ReservoirModel.Answer recognised = loaded.answer(response);
      results.put("label", recognised.label());
      results.put("scores", recognised.scores());
      text += String.format("%nrecognised: %s", recognised.label());
    }
    answer(results, text);
  }

  private LiquidResponse run(Liquid liquid, SpikeFrames frames, Simulator.SpikeSink sink) {
    return switch (engine.engine()) {
      case Engine.Sparse _ -> liquid.run(frames, 0, sink);
      case Engine.Torch torch -> {
        try (TorchLiquid batched = liquid.on(torch.device())) {
          yield batched.run(List.of(frames), 0, sink).get(0);
        }
      }
    };
  }
}
