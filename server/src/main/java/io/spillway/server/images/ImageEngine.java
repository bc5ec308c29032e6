package io.spillway.server.images;

import io.spillway.diffusion.Caption;
import io.spillway.diffusion.Images;
import io.spillway.diffusion.shapes.Png;
import io.spillway.tensor.HostMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// Makes the images of one request after another on one platform thread: a diffusion step fills the
/// device by itself.
final class ImageEngine implements AutoCloseable {
  /// Thrown out of a step to end it.
  private static final class Stop extends RuntimeException {
    private static final long serialVersionUID = 1;

    Stop() {
      super("cancelled", null, false, false);
    }
  }

  private final int ranks;
  private final ImageMetrics metrics;
  private final BlockingQueue<ImageTask> waiting;
  private final Map<String, ImageTask> known = new ConcurrentHashMap<>();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private volatile boolean draining;

  ImageEngine(int ranks, int queued, ImageMetrics metrics) {
    this.ranks = ranks;
    this.metrics = metrics;
    this.waiting = new ArrayBlockingQueue<>(queued);
    metrics.watch(waiting::size);
    Thread.ofPlatform().name("spillway-images").daemon().start(this::run);
  }

  /// Hands a task over; false when the queue is full or the service ends.
  boolean submit(ImageTask task) {
    if (draining) {
      return false;
    }
    known.put(task.id(), task);
    if (waiting.offer(task)) {
      return true;
    }
    known.remove(task.id());
    return false;
  }

  /// Cancels a waiting or running task; false for an unknown one.
  boolean cancel(String id) {
    ImageTask task = known.get(id);
    if (task == null) {
      return false;
    }
    task.cancel();
    if (waiting.remove(task)) {
      end(task, new ImageTask.Event.Cancelled());
    }
    return true;
  }

  private void run() {
    try {
      while (!draining || !waiting.isEmpty()) {
        ImageTask task = waiting.poll(50, TimeUnit.MILLISECONDS);
        if (task != null) {
          metrics.running(1);
          end(task, draw(task));
          metrics.running(0);
          HostMemory.releaseUnused(); // the ranks' threads have ended and left theirs
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      for (ImageTask left; (left = waiting.poll()) != null; ) {
        end(left, new ImageTask.Event.Cancelled());
      }
      stopped.countDown();
    }
  }

  private void end(ImageTask task, ImageTask.Event event) {
    known.remove(task.id());
    metrics.ended(event);
    task.tell(event);
  }

  private ImageTask.Event draw(ImageTask task) {
    long began = System.nanoTime();
    try {
      checkpoint(task);
      Images images = task.images();
      Images.Made made =
          images.make(
              task.job(),
              ranks,
              step -> {
                checkpoint(task);
                task.tell(new ImageTask.Event.Progress(step + 1, task.job().steps()));
              });
      List<byte[]> files = new ArrayList<>();
      List<Map<String, String>> parameters = new ArrayList<>();
      int size = images.size();
      for (int i = 0; i < images.seeds().length; i++) {
        parameters.add(Caption.of(images, task.job(), ranks, i));
        files.add(
            Png.encode(
                Png.image(made.pixels(), i * 3 * size * size, size, size), parameters.getLast()));
      }
      return new ImageTask.Event.Done(files, parameters, (System.nanoTime() - began) / 1e9);
    } catch (RuntimeException e) {
      return task.cancelled() ? new ImageTask.Event.Cancelled() : new ImageTask.Event.Failed(e);
    }
  }

  private static void checkpoint(ImageTask task) {
    if (task.cancelled()) {
      throw new Stop();
    }
  }

  /// Lets accepted tasks end, refuses new ones.
  @Override
  public void close() {
    draining = true;
    try {
      if (!stopped.await(60, TimeUnit.SECONDS)) {
        known.values().forEach(ImageTask::cancel); // ends within a step
        stopped.await(60, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
