package io.spillway.training.plan;

import java.util.ArrayList;
import java.util.List;

/// What ran when: the spans of one or more steps, predicted or measured.
public final class Timeline {
  /// One piece of work in one lane.
  ///
  /// @param lane its row
  /// @param label what a person reads
  /// @param step the optimizer step it belongs to
  /// @param begin seconds since the timeline's start
  /// @param end seconds since the timeline's start
  public record Span(Lane lane, String label, int step, double begin, double end) {}

  private final List<Span> spans = new ArrayList<>();

  /// Adds a span; may be called from several threads.
  public synchronized void add(Lane lane, String label, int step, double begin, double end) {
    spans.add(new Span(lane, label, step, begin, end));
  }

  public synchronized List<Span> spans() {
    return List.copyOf(spans);
  }

  /// Seconds that `lane` was at work.
  public synchronized double busy(Lane lane) {
    return spans.stream().filter(s -> s.lane() == lane).mapToDouble(s -> s.end() - s.begin()).sum();
  }
}
