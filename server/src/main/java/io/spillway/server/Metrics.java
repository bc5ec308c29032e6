package io.spillway.server;

import java.util.Locale;
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
    StringBuilder out = new StringBuilder();
    counter(out, "spillway_requests_total", "Requests for answers.", requests.sum());
    counter(
        out, "spillway_refused_total", "Requests refused since the queue was full.", refused.sum());
    counter(out, "spillway_failed_total", "Requests that failed.", failed.sum());
    counter(out, "spillway_cancelled_total", "Answers whose client left.", cancelled.sum());
    counter(out, "spillway_prompt_tokens_total", "Prompt tokens read.", promptTokens.sum());
    counter(out, "spillway_answer_tokens_total", "Answer tokens chosen.", answerTokens.sum());
    gauge(out, "spillway_waiting", "Requests in the queue.", waiting.getAsInt());
    gauge(out, "spillway_active", "Answers that grow now.", active.getAsInt());
    gauge(out, "spillway_sessions", "Stored contexts.", store.list().size());
    gauge(out, "spillway_session_bytes", "Bytes of stored contexts.", store.bytes());
    out.append("# HELP spillway_first_token_seconds Time to the first token.\n")
        .append("# TYPE spillway_first_token_seconds summary\n")
        .append(
            String.format(
                Locale.ROOT,
                "spillway_first_token_seconds_sum %.6f%nspillway_first_token_seconds_count %d%n",
                firstTokenSeconds.sum(),
                firstTokens.sum()));
    return out.toString();
  }

  private static void counter(StringBuilder out, String name, String help, long value) {
    line(out, name, help, "counter", value);
  }

  private static void gauge(StringBuilder out, String name, String help, long value) {
    line(out, name, help, "gauge", value);
  }

  private static void line(StringBuilder out, String name, String help, String kind, long value) {
    out.append("# HELP ").append(name).append(' ').append(help).append('\n');
    out.append("# TYPE ").append(name).append(' ').append(kind).append('\n');
    out.append(name).append(' ').append(value).append('\n');
  }
}
