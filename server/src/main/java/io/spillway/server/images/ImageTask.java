package io.spillway.server.images;

import io.spillway.diffusion.Images;
import io.spillway.diffusion.parallel.Job;
import io.spillway.server.http.ClientWatch;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// One request on its way through the engine, and the events it sends back; at most one for each
/// step and an end.
final class ImageTask {
  /// What a task tells.
  sealed interface Event {
    /// A step is done.
    record Progress(int step, int steps) implements Event {}

    /// The images as PNG files and the parameters written into each.
    record Done(List<byte[]> files, List<Map<String, String>> parameters, double seconds)
        implements Event {}

    /// The task was cancelled before it ended.
    record Cancelled() implements Event {}

    /// The images could not be made.
    record Failed(RuntimeException cause) implements Event {}
  }

  private final String id;
  private final Images images;
  private final Job job;
  private final List<String> notes;
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private volatile boolean cancelled;

  /// @param notes what the client should know, for example what of its prompt was left out
  ImageTask(String id, Images images, Job job, List<String> notes) {
    this.id = id;
    this.images = images;
    this.job = job;
    this.notes = notes;
  }

  String id() {
    return id;
  }

  Images images() {
    return images;
  }

  Job job() {
    return job;
  }

  List<String> notes() {
    return notes;
  }

  void tell(Event event) {
    events.add(event);
  }

  /// Waits for the next event.
  ///
  /// @param gone runs when the client of this thread's request has left
  Event next(Runnable gone) throws InterruptedException {
    return ClientWatch.take(events, gone);
  }

  /// Ends the task before its next step.
  void cancel() {
    cancelled = true;
  }

  boolean cancelled() {
    return cancelled;
  }
}
