package io.spillway.server;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.generate.Sampling;
import io.spillway.server.http.ClientWatch;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/// One request on its way through the engine, and the events it sends back. What waits for a slow
/// reader is bounded by the tokens of its answer.
final class Job {
  /// What a job tells.
  sealed interface Event {
    /// A piece of the answer.
    record Piece(String text) implements Event {}

    /// The end of the answer.
    ///
    /// @param reason `stop` or `length`
    record Done(String reason, int promptTokens, int answerTokens) implements Event {}

    /// The job could not be done.
    record Failed(RuntimeException cause) implements Event {}
  }

  final int[] prompt;
  final Policy policy;
  final CacheSettings settings;
  final Sampling sampling;
  final int mostTokens;

  /// A stored context to go on from.
  final Optional<String> session;

  /// The name under which the prompt is stored instead of answered.
  final Optional<String> store;

  final long createdNanos = System.nanoTime();
  private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private volatile boolean cancelled;

  Job(
      int[] prompt,
      Policy policy,
      CacheSettings settings,
      Sampling sampling,
      int mostTokens,
      Optional<String> session,
      Optional<String> store) {
    this.prompt = prompt;
    this.policy = policy;
    this.settings = settings;
    this.sampling = sampling;
    this.mostTokens = mostTokens;
    this.session = session;
    this.store = store;
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

  /// The client has left.
  void cancel() {
    cancelled = true;
  }

  boolean cancelled() {
    return cancelled;
  }
}
