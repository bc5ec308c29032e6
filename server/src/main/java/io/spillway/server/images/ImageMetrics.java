package io.spillway.server.images;

import io.spillway.server.http.PrometheusPage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;

/// Counters of the image service.
final class ImageMetrics {
  private final LongAdder requests = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder cancelled = new LongAdder();
  private final LongAdder images = new LongAdder();
  private final LongAdder done = new LongAdder();
  private final DoubleAdder seconds = new DoubleAdder();
  private final AtomicInteger running = new AtomicInteger();
  private IntSupplier waiting = () -> 0;

  void watch(IntSupplier queue) {
    waiting = queue;
  }

  void request() {
    requests.increment();
  }

  void refused() {
    refused.increment();
  }

  void running(int count) {
    running.set(count);
  }

  void ended(ImageTask.Event event) {
    switch (event) {
      case ImageTask.Event.Done d -> {
        images.add(d.files().size());
        done.increment();
        seconds.add(d.seconds());
      }
      case ImageTask.Event.Cancelled _ -> cancelled.increment();
      case ImageTask.Event.Failed _ -> failed.increment();
      case ImageTask.Event.Progress _ -> throw new IllegalStateException("a step is no end");
    }
  }

  /// How long the queue will take, from the requests so far; at least a second.
  long retryAfterSeconds() {
    double each = done.sum() == 0 ? 1 : seconds.sum() / done.sum();
    return Math.max(1, Math.round(each * (waiting.getAsInt() + running.get()) / 2));
  }

  String render() {
    return new PrometheusPage()
        .counter("spillway_requests_total", "Requests for images.", requests.sum())
        .counter(
            "spillway_refused_total", "Requests refused since the queue was full.", refused.sum())
        .counter("spillway_failed_total", "Requests that failed.", failed.sum())
        .counter("spillway_cancelled_total", "Requests that were cancelled.", cancelled.sum())
        .counter("spillway_images_total", "Images made.", images.sum())
        .gauge("spillway_waiting", "Requests in the queue.", waiting.getAsInt())
        .gauge("spillway_active", "Requests drawn now.", running.get())
        .summary("spillway_request_seconds", "Time to draw a request.", seconds.sum(), done.sum())
        .text();
  }
}
