package io.spillway.platform;

import java.time.Duration;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// Progress for a person: a bar with rate and time left on a terminal; a line at the start, every
/// half minute and the end when standard error is a file or a pipe. Never writes to standard
/// output.
public final class ConsoleProgress implements Progress {
  private static final Duration PLAIN_INTERVAL = Duration.ofSeconds(30);

  private final boolean terminal;

  public ConsoleProgress() {
    this(System.console() != null && System.console().isTerminal());
  }

  ConsoleProgress(boolean terminal) {
    this.terminal = terminal;
  }

  @Override
  public Task start(String name, long total) {
    return terminal ? new BarTask(name, total) : new PlainTask(name, total);
  }

  private static final class BarTask implements Task {
    private final ProgressBar bar;

    BarTask(String name, long total) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(200)
              .build();
    }

    @Override
    public void advance(long steps) {
      bar.stepBy(steps);
    }

    @Override
    public void note(String text) {
      bar.setExtraMessage(text);
    }

    @Override
    public void close() {
      bar.close();
    }
  }

  private static final class PlainTask implements Task {
    private final String name;
    private final long total;
    private final long startNs = System.nanoTime();
    private long lastNs = startNs;
    private long done;
    private String note = "";

    PlainTask(String name, long total) {
      this.name = name;
      this.total = total;
    }

    @Override
    public synchronized void advance(long steps) {
      done += steps;
      long now = System.nanoTime();
      if (now - lastNs >= PLAIN_INTERVAL.toNanos()) {
        lastNs = now;
        print("");
      }
    }

    @Override
    public synchronized void note(String text) {
      note = text;
    }

    @Override
    public synchronized void close() {
      if (System.nanoTime() - startNs >= PLAIN_INTERVAL.toNanos()) {
        print(" done");
      }
    }

    private void print(String suffix) {
      double seconds = (System.nanoTime() - startNs) / 1e9;
      String left =
          total > 0 && done > 0 && done < total
              ? String.format(Locale.ROOT, ", %.0f s left", seconds * (total - done) / done)
              : "";
      String of = total > 0 ? "/" + total : "";
      System.err.printf(
          Locale.ROOT,
          "%s: %d%s in %.0f s%s%s%s%n",
          name,
          done,
          of,
          seconds,
          left,
          note.isEmpty() ? "" : ", " + note,
          suffix);
    }
  }
}
