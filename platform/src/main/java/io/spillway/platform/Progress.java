package io.spillway.platform;

/// Tells a person how far long work has come. Work is handed a `Progress` and never asks whether
/// anybody looks: [#silent()] swallows everything, [ConsoleProgress] draws a bar with the time
/// left.
public interface Progress {
  /// Begins a task of `total` steps (-1 when unknown) and returns its handle.
  Task start(String name, long total);

  /// One running task; closing it ends its line.
  interface Task extends AutoCloseable {
    /// Moves forward by `steps`.
    void advance(long steps);

    /// Shows a short text behind the bar, for example the loss.
    void note(String text);

    @Override
    void close();
  }

  /// Shows nothing.
  static Progress silent() {
    return (name, total) ->
        new Task() {
          @Override
          public void advance(long steps) {}

          @Override
          public void note(String text) {}

          @Override
          public void close() {}
        };
  }
}
