package io.spillway.server;

import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.cache.Session;
import io.spillway.longcontext.generate.Answer;
import io.spillway.longcontext.generate.Generator;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// Runs all requests of one model on one platform thread: a new request joins the growing answers
/// as soon as a place is free, and all answers grow by one token in one pass over the weights.
final class Engine implements AutoCloseable {
  private record Growing(Job job, Session session, Answer answer, int promptTokens) {}

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

  private void run() {
    List<Growing> growing = new ArrayList<>();
    try {
      while (!draining || !growing.isEmpty() || !waiting.isEmpty()) {
        admit(growing);
        step(growing);
        active.set(growing.size());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      growing.forEach(g -> g.session().close());
      stopped.countDown();
    }
  }

  private void admit(List<Growing> growing) throws InterruptedException {
    while (growing.size() < most) {
      Job job = growing.isEmpty() ? waiting.poll(50, TimeUnit.MILLISECONDS) : waiting.poll();
      if (job == null) {
        return;
      }
      if (!job.cancelled()) {
        begin(job, growing);
      }
      if (!growing.isEmpty()) {
        return; // one prompt between two steps, so that growing answers do not stall
      }
    }
  }

  private void begin(Job job, List<Growing> growing) {
    Session session = null;
    try {
      session = open(job);
      if (job.store.isPresent()) {
        job.tell(new Job.Event.Done("stop", session.seen(), 0));
        store.put(job.store.get(), session);
        return;
      }
      Answer answer =
          new Answer(model.tokenizer(), model.config().endTokens(), job.sampling, job.mostTokens);
      metrics.promptTokens(job.prompt.length);
      metrics.firstToken((System.nanoTime() - job.createdNanos) / 1e9);
      Growing one = new Growing(job, session, answer, job.prompt.length);
      if (advance(one, session.logits())) {
        growing.add(one);
        session = null;
      }
    } catch (RuntimeException e) {
      job.tell(new Job.Event.Failed(e));
    } finally {
      if (session != null && job.store.isEmpty()) {
        session.close();
      }
    }
  }

  private Session open(Job job) {
    if (job.session.isPresent()) {
      Session session = store.fork(job.session.get());
      try {
        session.extend(job.prompt);
      } catch (RuntimeException e) {
        session.close();
        throw e;
      }
      return session;
    }
    if (job.store.isEmpty()) {
      Generator.check(model, job.policy, job.prompt.length, job.mostTokens);
    }
    Session session = model.session(job.policy, job.settings);
    try {
      int[][] parts =
          job.store.isPresent()
              ? new int[][] {job.prompt, new int[0]}
              : Generator.split(job.prompt, job.settings.local());
      session.prefill(parts[0], parts[1]);
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
    return session;
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
    } catch (RuntimeException e) {
      growing.forEach(g -> {
        g.job().tell(new Job.Event.Failed(e));
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
