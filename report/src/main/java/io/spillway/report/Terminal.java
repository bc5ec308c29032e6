package io.spillway.report;

/// The terminal that standard output goes to, as the launcher saw it.
public final class Terminal {
  private Terminal() {}

  /// Its width in columns; unbounded when the output is piped, so that programs get whole lines.
  public static int width() {
    int columns = Integer.getInteger("spillway.columns", 0);
    return columns > 0 ? columns : Integer.MAX_VALUE;
  }
}
