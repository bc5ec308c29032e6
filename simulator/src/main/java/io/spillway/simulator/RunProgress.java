package io.spillway.simulator;

import io.spillway.platform.Progress;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/// Shows how many million instructions a run has executed, once it has lasted long enough for
/// somebody to wonder.
public final class RunProgress implements LongConsumer, AutoCloseable {
  private static final long MILLION = 1_000_000;
  private static final long PATIENCE_NANOS = 2_000_000_000L;

  private final Progress progress;
  private final String name;
  private final long total;
  private final long patience;
  private final long begin = System.nanoTime();
  private long before = -1;
  private long shown;
  private Progress.@Nullable Task task;

  /// @param total instructions to execute, `Long.MAX_VALUE` where the program's end decides
  public RunProgress(Progress progress, String name, long total) {
    this(progress, name, total, PATIENCE_NANOS);
  }

  RunProgress(Progress progress, String name, long total, long patienceNanos) {
    this.progress = progress;
    this.name = name;
    this.total = total;
    this.patience = patienceNanos;
  }

  /// Takes the machine's count of instructions; the first one is where the run began.
  @Override
  public void accept(long retired) {
    if (before < 0) {
      before = retired;
    }
    Progress.Task running = task;
    if (running == null) {
      if (System.nanoTime() - begin < patience) {
        return;
      }
      long millions = total == Long.MAX_VALUE ? -1 : (total + MILLION - 1) / MILLION;
      running = progress.start(name + ", million instructions", millions);
      task = running;
    }
    long millions = (retired - before) / MILLION;
    running.advance(millions - shown);
    shown = millions;
  }

  @Override
  public void close() {
    if (task != null) {
      task.close();
    }
  }
}
