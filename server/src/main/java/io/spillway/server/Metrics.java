package io.spillway.server;

import io.spillway.server.http.PrometheusPage;
import io.spillway.tensor.Torch;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntSupplier;

/// Counters in Prometheus' text format.
final class Metrics {
  private final LongAdder requests = new LongAdder();
  private final LongAdder refused = new LongAdder();
  private final LongAdder failed = new LongAdder();
  private final LongAdder cancelled = new LongAdder();
  private final LongAdder promptTokens = new LongAdder();
  private final LongAdder answerTokens = new LongAdder();
  private final LongAdder firstTokens = new LongAdder();
  private final DoubleAdder firstTokenSeconds = new DoubleAdder();
  private IntSupplier waiting = () -> 0;
  private IntSupplier active = () -> 0;

  void watch(IntSupplier queue, IntSupplier running) {
    waiting = queue;
    active = running;
  }

  void request() {
    requests.increment();
  }

  void refused() {
    refused.increment();
  }

  void failed() {
    failed.increment();
  }

  void cancelled() {
    cancelled.increment();
  }

  void promptTokens(int count) {
    promptTokens.add(count);
  }

  void answerToken() {
    answerTokens.increment();
  }

  void firstToken(double seconds) {
    firstTokens.increment();
    firstTokenSeconds.add(seconds);
  }

  String render(SessionStore store) {
    return new PrometheusPage()
        .counter("spillway_requests_total", "Requests for answers.", requests.sum())
        .counter(
            "spillway_refused_total", "Requests refused since the queue was full.", refused.sum())
        .counter("spillway_failed_total", "Requests that failed.", failed.sum())
        .counter("spillway_cancelled_total", "Answers whose client left.", cancelled.sum())
        .counter("spillway_prompt_tokens_total", "Prompt tokens read.", promptTokens.sum())
        .counter("spillway_answer_tokens_total", "Answer tokens chosen.", answerTokens.sum())
        .gauge("spillway_waiting", "Requests in the queue.", waiting.getAsInt())
        .gauge("spillway_active", "Answers that grow now.", active.getAsInt())
        .gauge("spillway_sessions", "Stored contexts.", store.list().size())
        .gauge("spillway_session_bytes", "Bytes of stored contexts.", store.bytes())
        .gauge(
            "spillway_native_objects",
            "Tensors and other native objects alive.",
            Torch.liveObjects())
        .summary(
            "spillway_first_token_seconds",
            "Time to the first token.",
            firstTokenSeconds.sum(),
            firstTokens.sum())
        .text();
  }
}
