package io.spillway.reservoir.protocol;

import io.spillway.platform.Progress;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.liquid.TorchLiquid;
import io.spillway.tensor.ComputeDevice;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/// A set of recordings after the liquid.
///
/// @param counts of every recording, `[recordings][segments * neurons]`
/// @param spikes spikes of the liquid in all
/// @param inputSpikes spikes that came in
/// @param additions weights that were added: synaptic operations
public record Encoding(Counts counts, long spikes, long inputSpikes, long additions) {
  /// Runs the liquid over the set.
  public static Encoding of(Liquid liquid, Engine engine, RecordingSet set, Progress progress) {
    Counts counts = new Counts(set.size(), liquid.config().segments() * liquid.config().neurons());
    Tally tally = new Tally(counts, new LongAdder(), new LongAdder(), new LongAdder());
    try (Progress.Task task = progress.start("encode", set.size())) {
      switch (engine) {
        case Engine.Sparse _ ->
            Encoder.parallel(
                set.size(),
                i -> {
                  tally.take(i, liquid.run(liquid.framing().frames(set.read(i)), i));
                  synchronized (task) {
                    task.advance(1);
                  }
                });
        case Engine.Torch torch -> batches(liquid, torch.device(), set, tally, task);
      }
    }
    return new Encoding(counts, tally.spikes.sum(), tally.inputSpikes.sum(), tally.additions.sum());
  }

  private static void batches(
      Liquid liquid, ComputeDevice device, RecordingSet set, Tally tally, Progress.Task task) {
    try (TorchLiquid torch = liquid.on(device)) {
      for (int from = 0; from < set.size(); from += torch.batch()) {
        int first = from;
        SpikeFrames[] frames = new SpikeFrames[Math.min(torch.batch(), set.size() - from)];
        Encoder.parallel(
            frames.length, k -> frames[k] = liquid.framing().frames(set.read(first + k)));
        List<LiquidResponse> answers = torch.run(Arrays.asList(frames), first);
        for (int k = 0; k < frames.length; k++) {
          tally.take(first + k, answers.get(k));
        }
        task.advance(frames.length);
      }
    }
  }

  /// Spikes a neuron and step.
  public double firingRate(Liquid liquid) {
    return spikes / (double) counts.size() / liquid.config().neurons() / liquid.framing().steps();
  }

  private record Tally(
      Counts counts, LongAdder spikes, LongAdder inputSpikes, LongAdder additions) {
    void take(int i, LiquidResponse response) {
      counts.set(i, response.counts());
      spikes.add(response.spikes());
      inputSpikes.add(response.inputSpikes());
      additions.add(response.additions());
    }
  }
}
