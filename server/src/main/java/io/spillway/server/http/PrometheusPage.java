package io.spillway.server.http;

import java.util.Locale;

/// Numbers in Prometheus' text format.
public final class PrometheusPage {
  private final StringBuilder out = new StringBuilder();

  /// A number that only grows.
  public PrometheusPage counter(String name, String help, long value) {
    return line(name, help, "counter", value);
  }

  /// A number that goes up and down.
  public PrometheusPage gauge(String name, String help, long value) {
    return line(name, help, "gauge", value);
  }

  /// A sum and how many parts it has.
  public PrometheusPage summary(String name, String help, double sum, long count) {
    head(name, help, "summary");
    out.append(String.format(Locale.ROOT, "%s_sum %.6f\n%s_count %d\n", name, sum, name, count));
    return this;
  }

  private PrometheusPage line(String name, String help, String kind, long value) {
    head(name, help, kind);
    out.append(name).append(' ').append(value).append('\n');
    return this;
  }

  private void head(String name, String help, String kind) {
    out.append("# HELP ").append(name).append(' ').append(help).append('\n');
    out.append("# TYPE ").append(name).append(' ').append(kind).append('\n');
  }

  public String text() {
    return out.toString();
  }
}
