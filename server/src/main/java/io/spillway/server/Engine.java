package io.spillway.server;

import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.cache.Session;
import io.spillway.longcontext.generate.Answer;
import io.spillway.longcontext.generate.Generator;
import io.spillway.platform.SpillwayException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Runs all requests of one model on one platform thread: a new request joins the growing answers
/// as soon as a place is free, and all answers grow by one token in one pass over the weights. A
/// prompt is read chunk by chunk between those passes, so that a long one holds no answer up for
/// longer than a chunk takes.
final class Engine implements AutoCloseable {
  private record Growing(Job job, Session session, Answer answer, int promptTokens) {}

  /// A prompt on its way into a cache.
  private record Reading(Job job, Session session, Session.Prefill prefill) {}

  private final LongContextModel model;
  private final SessionStore store;
  private final Metrics metrics;
  private final int most;
  private final BlockingQueue<Job> waiting;
  private final AtomicInteger active = new AtomicInteger();
  private final CountDownLatch stopped = new CountDownLatch(1);
  private volatile boolean draining;

  Engine(LongContextModel model, SessionStore store, Metrics metrics, ServerSettings settings) {
    this.model = model;
    this.store = store;
    this.metrics = metrics;
    this.most = settings.active();
    this.waiting = new ArrayBlockingQueue<>(Math.max(1, settings.queued() + settings.active()));
    metrics.watch(waiting::size, active::get);
    Thread.ofPlatform().name("spillway-engine").daemon().start(this::run);
  }

  /// Hands a job over; false when the queue is full or the service ends.
  boolean submit(Job job) {
    return !draining && waiting.offer(job);
  }

  /// Ends a job whose client has left: at once where it waits, else before the next token or chunk.
  void cancel(Job job) {
    job.cancel();
    if (waiting.remove(job)) {
      metrics.cancelled();
    }
  }

  private void run() {
    List<Growing> growing = new ArrayList<>();
    Optional<Reading> reading = Optional.empty();
    try {
      while (!draining || !growing.isEmpty() || reading.isPresent() || !waiting.isEmpty()) {
        if (reading.isEmpty() && growing.size() < most) {
          reading = admit(growing.isEmpty());
        }
        if (reading.isPresent() && read(reading.get(), growing)) {
          reading = Optional.empty();
        }
        step(growing);
        active.set(growing.size() + (reading.isPresent() ? 1 : 0));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      growing.forEach(g -> g.session().close());
      reading.ifPresent(r -> r.session().close());
      stopped.countDown();
    }
  }

  /// Takes the next request, waiting for one if nothing else is to be done.
  private Optional<Reading> admit(boolean idle) throws InterruptedException {
    Job job = idle ? waiting.poll(50, TimeUnit.MILLISECONDS) : waiting.poll();
    if (job == null) {
      return Optional.empty();
    }
    if (job.cancelled()) { // as it was taken from the queue
      metrics.cancelled();
      return Optional.empty();
    }
    try {
      return Optional.of(open(job));
    } catch (RuntimeException | OutOfMemoryError e) {
      job.tell(new Job.Event.Failed(cause(e)));
      return Optional.empty();
    }
  }

  /// What a client is told; without memory the engine goes on with the other requests.
  private static RuntimeException cause(Throwable thrown) {
    return switch (thrown) {
      case RuntimeException e -> e;
      default ->
          SpillwayException.doesNotFit(
              "the server's memory is used up (%s); send less or try again later",
              String.valueOf(thrown.getMessage()));
    };
  }

  /// Reads one chunk; whether the prompt needs no further one.
  private boolean read(Reading reading, List<Growing> growing) {
    Job job = reading.job();
    boolean kept = false;
    boolean more = false;
    try {
      if (job.cancelled()) {
        metrics.cancelled();
        return true;
      }
      if (!reading.prefill().isDone()) {
        reading.prefill().step();
      }
      more = !reading.prefill().isDone();
      if (!more) {
        kept = begin(job, reading.session(), growing);
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      more = false;
      job.tell(new Job.Event.Failed(cause(e)));
    } finally {
      if (!more && !kept) {
        reading.session().close();
      }
    }
    return !more;
  }

  /// Stores a context that was read, or chooses the first token; whether the session lives on.
  private boolean begin(Job job, Session session, List<Growing> growing) {
    if (job.store.isPresent()) {
      int tokens = session.seen();
      store.put(job.store.get(), session); // a full disk must be told, not a context promised
      job.tell(new Job.Event.Done("stop", tokens, 0));
      return true;
    }
    Answer answer =
        new Answer(model.tokenizer(), model.config().endTokens(), job.sampling, job.mostTokens);
    metrics.promptTokens(job.prompt.length);
    metrics.firstToken((System.nanoTime() - job.createdNanos) / 1e9);
    Growing one = new Growing(job, session, answer, job.prompt.length);
    boolean more = advance(one, session.logits());
    if (more) {
      growing.add(one);
    }
    return more;
  }

  private Reading open(Job job) {
    if (job.store.isEmpty() && job.session.isEmpty()) {
      Generator.check(model, job.policy, job.prompt.length, job.mostTokens);
    }
    Session session =
        job.session.isPresent()
            ? store.fork(job.session.get())
            : model.session(job.policy, job.settings);
    try {
      return new Reading(job, session, prefill(job, session));
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  /// A stored context takes a question whole, a new one is evicted down to what its end needs.
  private static Session.Prefill prefill(Job job, Session session) {
    if (job.session.isPresent()) {
      return session.startPrefill(new int[0], job.prompt);
    }
    if (job.store.isPresent()) {
      return session.startPrefill(job.prompt, new int[0]);
    }
    int[][] parts = Generator.split(job.prompt, job.settings.local());
    return session.startPrefill(parts[0], parts[1]);
  }

  /// Chooses the next token; whether the answer goes on.
  private boolean advance(Growing one, float[] logits) {
    boolean more = one.answer().accept(logits);
    if (more && one.session().isFull()) {
      one.answer().cut();
      more = false;
    }
    metrics.answerToken();
    String piece = one.answer().fresh();
    if (!piece.isEmpty()) {
      one.job().tell(new Job.Event.Piece(piece));
    }
    if (!more) {
      one.job()
          .tell(
              new Job.Event.Done(
                  one.answer().finish() == Answer.Finish.STOP ? "stop" : "length",
                  one.promptTokens(),
                  one.answer().count()));
    }
    return more;
  }

  private void step(List<Growing> growing) {
    for (Iterator<Growing> all = growing.iterator(); all.hasNext(); ) {
      Growing one = all.next();
      if (one.job().cancelled()) {
        metrics.cancelled();
        one.session().close();
        all.remove();
      }
    }
    if (growing.isEmpty()) {
      return;
    }
    try {
      List<float[]> logits =
          Session.step(
              growing.stream().map(Growing::session).toList(),
              growing.stream().mapToInt(g -> g.answer().last()).toArray());
      List<Growing> ended = new ArrayList<>();
      for (int i = 0; i < growing.size(); i++) {
        if (!advance(growing.get(i), logits.get(i))) {
          ended.add(growing.get(i));
        }
      }
      ended.forEach(g -> g.session().close());
      growing.removeAll(ended);
    } catch (RuntimeException | OutOfMemoryError e) {
      growing.forEach(g -> {
        g.job().tell(new Job.Event.Failed(cause(e)));
        g.session().close();
      });
      growing.clear();
    }
  }

  /// Lets running answers end, refuses new ones.
  @Override
  public void close() {
    draining = true;
    try {
      if (!stopped.await(60, TimeUnit.SECONDS)) {
        throw new IllegalStateException("answers were still growing after 60 s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
