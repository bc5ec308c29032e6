package io.spillway.training.run;

import io.spillway.platform.SpillwayException;
import io.spillway.training.engine.Device;
import io.spillway.training.optimizer.OffloadedOptimizer;
import io.spillway.training.plan.Subgroup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// Saves a run in the background: the state is copied while no task runs, the copy is written while
/// training goes on. With several ranks all write before any goes on.
final class CheckpointWriter implements AutoCloseable {
  private final Checkpoints checkpoints;
  private final Ranks ranks;
  private final Device device;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("checkpoint-writer").factory());
  private @Nullable Future<?> running;

  CheckpointWriter(Checkpoints checkpoints, Ranks ranks, Device device) {
    this.checkpoints = checkpoints;
    this.ranks = ranks;
    this.device = device;
  }

  /// Copies the state and begins writing.
  ///
  /// @param weights the device's weights, `[parameters]`
  /// @param writeModel writes the model's files for people into the growing folder
  @SuppressWarnings("MustBeClosedChecker") // the writing thread closes the copy's arena
  void save(
      OffloadedOptimizer optimizer,
      MemorySegment weights,
      TrainState state,
      BiConsumer<Path, MemorySegment> writeModel) {
    await();
    optimizer.drain();
    long from = optimizer.graph().subgroups().getFirst().from();
    long to = optimizer.graph().subgroups().getLast().to();
    long bytes = 12 * state.parameters() + weights.byteSize() + (1 << 20);
    if (ranks.rank() == 0) {
      checkpoints.begin(state.step(), bytes);
    }
    ranks.barrier();
    Arena arena = Arena.ofShared();
    try {
      Shard shard = shard(arena, from, to);
      for (Subgroup g : optimizer.graph().subgroups()) {
        optimizer.get(
            g,
            shard.master().asSlice(4 * (g.from() - from), 4 * g.size()),
            shard.momentum().asSlice(4 * (g.from() - from), 4 * g.size()),
            shard.variance().asSlice(4 * (g.from() - from), 4 * g.size()));
      }
      MemorySegment copy = arena.allocate(weights.byteSize(), 64);
      device.mark().await();
      device.download(weights, copy);
      Runnable write =
          () -> {
            try (arena) {
              Checkpoints.writeShard(
                  checkpoints.part(state.step()), ranks.rank(), ranks.size(), shard);
              if (ranks.rank() == 0) {
                writeModel.accept(checkpoints.part(state.step()), copy);
              }
              ranks.barrier();
              if (ranks.rank() == 0) {
                checkpoints.finish(checkpoints.part(state.step()), state, ranks.size());
              }
            } catch (RuntimeException e) {
              if (ranks.rank() == 0) {
                checkpoints.discard(checkpoints.part(state.step()));
              }
              throw e;
            }
          };
      running = thread.submit(write);
    } catch (RuntimeException e) {
      arena.close();
      throw e;
    }
    if (ranks.size() > 1) {
      await();
      ranks.barrier();
    }
  }

  /// Empty optimizer state of a range.
  static Shard shard(Arena arena, long from, long to) {
    long bytes = 4 * (to - from);
    return new Shard(
        from, to, arena.allocate(bytes, 64), arena.allocate(bytes, 64), arena.allocate(bytes, 64));
  }

  /// Waits for the write that runs, if any.
  ///
  /// **Errors:** what made it fail; the checkpoint before it is intact.
  void await() {
    Future<?> f = running;
    running = null;
    if (f == null) {
      return;
    }
    try {
      f.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      if (cause instanceof SpillwayException s) {
        throw s;
      }
      throw new SpillwayException(
          io.spillway.platform.ErrorCode.NOT_AVAILABLE,
          "the checkpoint could not be written, the one before it is intact: " + cause.getMessage(),
          e);
    }
  }

  @Override
  public void close() {
    thread.shutdown();
  }
}
