package io.spillway.platform.launch;

import io.spillway.platform.SpillwayException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// Starts the ranks of a job on this host, hands on their output line by line, and ends them all
/// when one fails or when this process is asked to stop.
///
/// A rank that ends with another status than 0 ends the job: the others get SIGTERM, then SIGKILL
/// after the grace period. SIGINT and SIGTERM to this process reach the ranks as SIGINT.
public final class RankLauncher {
  /// Lines of a rank that are kept to be shown when it dies.
  private static final int LAST_LINES = 12;

  /// Receives the ranks' output; called from several threads, one line at a time.
  @FunctionalInterface
  public interface Output {
    /// @param error whether the line came from standard error
    void line(int rank, boolean error, String text);
  }

  /// How a job ended.
  ///
  /// @param exitStatus 0, or the status of the first rank that failed (128 + number for a signal)
  /// @param failedRank that rank, -1 if none failed
  /// @param lastLines its last lines
  public record Outcome(int exitStatus, int failedRank, List<String> lastLines) {
    /// What to tell a person, empty after success.
    public String explanation() {
      if (failedRank < 0) {
        return "";
      }
      String how =
          exitStatus > 128 && exitStatus < 160
              ? "was ended by signal " + (exitStatus - 128)
              : "ended with status " + exitStatus;
      StringBuilder text = new StringBuilder("rank " + failedRank + " " + how);
      text.append(lastLines.isEmpty() ? " without a word" : "; its last lines:");
      lastLines.forEach(l -> text.append("\n  ").append(l));
      return text.toString();
    }
  }

  private record Ended(int index, int status) {}

  private final LaunchSpec spec;
  private final Output output;
  private final List<Process> ranks = new ArrayList<>();

  /// standard output and standard error of each rank
  private final List<Deque<String>> tails = new ArrayList<>();

  private final List<Thread> readers = new ArrayList<>();
  private final BlockingQueue<Ended> ended = new LinkedBlockingQueue<>();
  private volatile boolean stopping;

  private RankLauncher(LaunchSpec spec, Output output) {
    this.spec = spec;
    this.output = output;
  }

  /// Runs a job to its end.
  ///
  /// **Errors:** a program that cannot be started.
  public static Outcome run(LaunchSpec spec, Output output) throws InterruptedException {
    return new RankLauncher(spec, output).run();
  }

  private Outcome run() throws InterruptedException {
    Thread hook = new Thread(this::interrupt, "spillway-launch-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      for (int i = 0; i < spec.processes(); i++) {
        start(i);
      }
      return watch();
    } finally {
      stopping = true;
      endAll();
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException shuttingDown) {
        // the hook itself is running
      }
    }
  }

  private void start(int index) {
    RankEnvironment rank = spec.rank(index);
    List<String> command = new ArrayList<>();
    if (!spec.prefixes().isEmpty()) {
      command.addAll(spec.prefixes().get(index));
    }
    command.addAll(spec.command());
    ProcessBuilder builder = new ProcessBuilder(command);
    Map<String, String> environment = builder.environment();
    int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / spec.processes());
    environment.putIfAbsent("OMP_NUM_THREADS", Integer.toString(threads));
    environment.putIfAbsent("OMP_WAIT_POLICY", "passive");
    environment.putIfAbsent("OPENBLAS_NUM_THREADS", "1");
    environment.put("LOCAL_WORLD_SIZE", Integer.toString(spec.processes()));
    environment.put("GROUP_RANK", Integer.toString(spec.nodeRank()));
    environment.putAll(rank.variables());
    environment.putAll(spec.environment());
    builder.redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")));
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw SpillwayException.badInput("cannot start %s: %s", command.getFirst(), e);
    }
    ranks.add(process);
    for (boolean error : new boolean[] {false, true}) {
      Deque<String> tail = new ArrayDeque<>();
      tails.add(tail);
      readers.add(
          read(
              rank.rank(),
              error,
              error ? process.getErrorStream() : process.getInputStream(),
              tail));
    }
    process.onExit().thenAccept(p -> ended.add(new Ended(index, p.exitValue())));
  }

  private Thread read(int rank, boolean error, InputStream stream, Deque<String> tail) {
    return Thread.ofVirtual()
        .start(() -> {
          try (BufferedReader reader =
              new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
              synchronized (tail) {
                if (tail.size() == LAST_LINES) {
                  tail.removeFirst();
                }
                tail.addLast(line);
              }
              output.line(rank, error, line);
            }
          } catch (IOException closed) {
            // the rank was ended while it wrote
          }
        });
  }

  private Outcome watch() throws InterruptedException {
    for (int left = spec.processes(); left > 0; left--) {
      Ended one = ended.take();
      if (one.status() != 0 && !stopping) {
        stopping = true;
        // its last words may still be on their way
        readers.get(2 * one.index()).join(1000);
        readers.get(2 * one.index() + 1).join(1000);
        return new Outcome(one.status(), spec.rank(one.index()).rank(), lastLines(one.index()));
      }
      if (one.status() != 0) {
        return new Outcome(one.status(), -1, List.of());
      }
    }
    for (Thread reader : readers) {
      reader.join(2000);
    }
    return new Outcome(0, -1, List.of());
  }

  /// The last lines of standard error; before them a few of standard output, or more of those when
  /// nothing went to standard error. The two streams are read apart, so their order is not known.
  private List<String> lastLines(int index) {
    List<String> out = copy(tails.get(2 * index));
    List<String> error = copy(tails.get(2 * index + 1));
    int from = error.isEmpty() ? 0 : Math.max(0, out.size() - LAST_LINES / 3);
    List<String> lines = new ArrayList<>(out.subList(from, out.size()));
    lines.addAll(error);
    return lines;
  }

  private static List<String> copy(Deque<String> tail) {
    synchronized (tail) {
      return List.copyOf(tail);
    }
  }

  /// Passes SIGINT on, as a terminal would, and gives the ranks their grace period.
  private void interrupt() {
    stopping = true;
    for (Process p : ranks) {
      if (p.isAlive()) {
        Signals.interrupt(p.pid());
      }
    }
    awaitEnd();
    endAll();
  }

  private void endAll() {
    if (ranks.stream().noneMatch(Process::isAlive)) {
      return;
    }
    for (Process p : ranks) {
      p.descendants().forEach(ProcessHandle::destroy);
      p.destroy();
    }
    awaitEnd();
    for (Process p : ranks) {
      p.descendants().forEach(ProcessHandle::destroyForcibly);
      p.destroyForcibly();
    }
  }

  private void awaitEnd() {
    long deadline = System.nanoTime() + spec.grace().toNanos();
    for (Process p : ranks) {
      try {
        if (!p.waitFor(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
          return;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
