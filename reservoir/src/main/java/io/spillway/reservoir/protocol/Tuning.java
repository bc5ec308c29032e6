package io.spillway.reservoir.protocol;

import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.MemoryCapacity;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.liquid.SpikeFrames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/// Finds a liquid's scale and leak without a look at labels: by the rate at which its neurons fire,
/// or by how much of the past its spikes still tell. Give it validation recordings only.
public final class Tuning {
  private Tuning() {}

  /// What is sought.
  public sealed interface Goal {
    /// A firing rate, in spikes a neuron and step.
    record FiringRate(double target) implements Goal {
      public FiringRate {
        if (!(target > 0 && target < 1)) {
          throw SpillwayException.badInput("a firing rate of %s, above 0 and below 1", target);
        }
      }
    }

    /// The largest memory capacity.
    record Memory() implements Goal {}
  }

  /// One setting and what it gives.
  ///
  /// @param firingRate spikes a neuron and step
  /// @param memory steps of the input's past that the spikes tell, [MemoryCapacity]
  public record Trial(double inputScale, double leak, double firingRate, double memory) {}

  /// Tries every pair of scale and leak; recurrent weights keep their ratio to the input's.
  public static List<Trial> run(
      RecordingSet validation,
      LiquidConfig config,
      Framing framing,
      List<Double> scales,
      List<Double> leaks,
      Progress progress) {
    if (scales.isEmpty() || leaks.isEmpty()) {
      throw SpillwayException.badInput("%d scales and %d leaks", scales.size(), leaks.size());
    }
    SpikeFrames[] frames = new SpikeFrames[validation.size()];
    Encoder.parallel(frames.length, i -> frames[i] = framing.frames(validation.read(i)));
    List<Trial> out = new ArrayList<>();
    try (Progress.Task task = progress.start("tune", (long) scales.size() * leaks.size())) {
      for (double scale : scales) {
        for (double leak : leaks) {
          double ratio = scale / config.inputScale();
          LiquidConfig tried =
              config.withScales(scale, config.recurrentScale() * ratio).withLeak(leak);
          out.add(trial(tried, framing, frames));
          task.advance(1);
        }
      }
    }
    return out;
  }

  private static Trial trial(LiquidConfig config, Framing framing, SpikeFrames[] frames) {
    Liquid liquid = new Liquid(config, framing);
    LongAdder spikes = new LongAdder();
    MemoryCapacity memory = new MemoryCapacity(config.neurons(), frames.length, framing.steps());
    Encoder.parallel(
        frames.length,
        i -> {
          LiquidResponse response = liquid.run(frames[i], i, (t, j) -> memory.spike(i, t, j));
          memory.inputs(i, frames[i]);
          spikes.add(response.spikes());
        });
    double rate = spikes.sum() / (double) frames.length / config.neurons() / framing.steps();
    return new Trial(config.inputScale(), config.leak(), rate, memory.capacity());
  }

  /// The trial that meets the goal best.
  public static Trial best(List<Trial> trials, Goal goal) {
    Comparator<Trial> better =
        switch (goal) {
          case Goal.FiringRate rate ->
              Comparator.comparingDouble(
                  t -> -Math.abs(Math.log((t.firingRate() + 1e-9) / rate.target())));
          case Goal.Memory _ -> Comparator.comparingDouble(Trial::memory);
        };
    return trials.stream().max(better).orElseThrow();
  }
}
