package io.spillway.reservoir.protocol;

import io.spillway.platform.Progress;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidResponse;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.liquid.TorchLiquid;
import java.util.Arrays;
import java.util.List;

/// A set of recordings after the liquid.
///
/// @param counts of every recording, `[recordings][segments * neurons]`
/// @param spikes spikes of the liquid in all
/// @param inputSpikes spikes that came in
/// @param additions weights that were added: synaptic operations
public record Encoding(Counts counts, long spikes, long inputSpikes, long additions) {
  /// Recordings of a block that is kept: what a kill costs each core at most.
  private static final int BLOCK = 64;

  /// Runs the liquid over the set.
  public static Encoding of(Liquid liquid, Engine engine, RecordingSet set, Progress progress) {
    return of(liquid, engine, set, KeptEncodings.none(), progress);
  }

  /// Runs the liquid over what is not among the kept blocks of the set; the result is that of a run
  /// in a piece, bit for bit.
  public static Encoding of(
      Liquid liquid, Engine engine, RecordingSet set, KeptEncodings kept, Progress progress) {
    try {
      return run(liquid, engine, set, kept, progress);
    } catch (SpillwayException e) {
      kept.remove(); // with these recordings no later run can end
      throw e;
    }
  }

  private static Encoding run(
      Liquid liquid, Engine engine, RecordingSet set, KeptEncodings kept, Progress progress) {
    int width = liquid.config().segments() * liquid.config().neurons();
    return switch (engine) {
      case Engine.Sparse _ -> {
        EncodedBlocks blocks = kept.blocks(liquid, engine, set, width, BLOCK);
        try (Progress.Task task = begin(progress, set, blocks)) {
          int[] missing = blocks.missing();
          Encoder.parallel(
              missing.length,
              k -> {
                int i = missing[k];
                blocks.take(i, liquid.run(liquid.framing().frames(set.read(i)), i));
                synchronized (task) {
                  task.advance(1);
                }
              });
        }
        yield blocks.finished();
      }
      case Engine.Torch device -> {
        try (TorchLiquid torch = liquid.on(device.device())) {
          // whole batches: libtorch's sums may depend on what lies beside a recording
          int block = (BLOCK + torch.batch() - 1) / torch.batch() * torch.batch();
          EncodedBlocks blocks = kept.blocks(liquid, engine, set, width, block);
          try (Progress.Task task = begin(progress, set, blocks)) {
            batches(liquid, torch, set, blocks, task);
          }
          yield blocks.finished();
        }
      }
    };
  }

  private static Progress.Task begin(Progress progress, RecordingSet set, EncodedBlocks blocks) {
    Progress.Task task = progress.start("encode", set.size());
    task.advance(blocks.known());
    return task;
  }

  private static void batches(
      Liquid liquid,
      TorchLiquid torch,
      RecordingSet set,
      EncodedBlocks blocks,
      Progress.Task task) {
    for (int from = 0; from < set.size(); from += torch.batch()) {
      if (blocks.done(from)) {
        continue;
      }
      int first = from;
      SpikeFrames[] frames = new SpikeFrames[Math.min(torch.batch(), set.size() - from)];
      Encoder.parallel(
          frames.length, k -> frames[k] = liquid.framing().frames(set.read(first + k)));
      List<LiquidResponse> answers = torch.run(Arrays.asList(frames), first);
      for (int k = 0; k < frames.length; k++) {
        blocks.take(first + k, answers.get(k));
      }
      task.advance(frames.length);
    }
  }

  /// Spikes a neuron and step.
  public double firingRate(Liquid liquid) {
    return spikes / (double) counts.size() / liquid.config().neurons() / liquid.framing().steps();
  }
}
