package io.spillway.diffusion.training;

import io.spillway.diffusion.shapes.Picture;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.platform.Seeds;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Draws the pictures of later steps on several threads while a step trains, into host memory that
/// is used again and again, page-locked if a GPU reads it. The pictures of step n depend on n
/// alone, not on the threads.
final class PictureFeed implements AutoCloseable {
  /// One step's pictures, valid until [PictureFeed#done].
  ///
  /// @param images [batch, 3, size, size] f32 on the host
  /// @param labels [batch] i64 on the host; some are "no class"
  record Batch(Tensor images, Tensor labels) {}

  private static final class Slot {
    final Batch batch;
    final MemorySegment pixels;
    final MemorySegment labels;
    Future<?> drawn = java.util.concurrent.CompletableFuture.completedFuture(null);

    Slot(Batch batch) {
      this.batch = batch;
      this.pixels = Tensors.segment(batch.images());
      this.labels = Tensors.segment(batch.labels());
    }
  }

  private final Recipe recipe;
  private final Seeds seeds;
  private final TensorHolder holder = new TensorHolder();
  private final List<Slot> slots = new ArrayList<>();
  private final ExecutorService threads;

  /// @param first the first step that will be asked for
  /// @param ahead how many steps are drawn or in use at the same time
  PictureFeed(Recipe recipe, long first, int ahead, int threads, boolean pinned) {
    this.recipe = recipe;
    this.seeds = new Seeds(recipe.seed());
    this.threads =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().name("pictures-", 0).daemon().factory());
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      for (int i = 0; i < ahead; i++) {
        slots.add(
            new Slot(
                new Batch(
                    memory(DType.F32, pinned, recipe.batch(), 3, recipe.size(), recipe.size()),
                    memory(DType.I64, pinned, recipe.batch()))));
      }
    }
    for (long step = first; step < first + ahead; step++) {
      draw(step);
    }
  }

  private Tensor memory(DType type, boolean pinned, long... shape) {
    return holder.hold(
        torch.empty(
            shape,
            pinned ? Tensors.pinned(type) : Tensors.options(type),
            new MemoryFormatOptional()));
  }

  private Slot slot(long step) {
    return slots.get((int) (step % slots.size()));
  }

  private void draw(long step) {
    Slot slot = slot(step);
    slot.drawn = threads.submit(() -> fill(slot, step));
  }

  private void fill(Slot slot, long step) {
    RandomGenerator random = seeds.stream("pictures", step);
    Shape[] shapes = Shape.values();
    int each = 3 * recipe.size() * recipe.size();
    float[] picture = new float[each];
    for (int i = 0; i < recipe.batch(); i++) {
      int label = random.nextInt(shapes.length);
      Picture.draw(shapes[label], recipe.size(), random, picture, 0);
      MemorySegment.copy(
          picture, 0, slot.pixels, ValueLayout.JAVA_FLOAT, (long) i * each * Float.BYTES, each);
      boolean hidden = random.nextDouble() < recipe.labelDropout();
      slot.labels.setAtIndex(ValueLayout.JAVA_LONG, i, hidden ? shapes.length : label);
    }
  }

  /// The pictures of one step; waits until they are drawn.
  Batch take(long step) {
    Slot slot = slot(step);
    try {
      slot.drawn.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while pictures were drawn", e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("pictures of step " + step + " were not drawn", e);
    }
    return slot.batch;
  }

  /// Nothing reads the pictures of that step any more; its memory takes those of a later one.
  void done(long step) {
    draw(step + slots.size());
  }

  @Override
  public void close() {
    threads.shutdownNow();
    try {
      threads.awaitTermination(10, java.util.concurrent.TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    holder.close();
  }
}
