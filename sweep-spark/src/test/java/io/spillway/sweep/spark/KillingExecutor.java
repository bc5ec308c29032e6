package io.spillway.sweep.spark;

import io.spillway.sweep.SweepExecutor;
import io.spillway.sweep.SweepPoint;
import io.spillway.sweep.SweepTask;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Runs points on Spark and kills one executor process of this machine after some answers; notes
/// every point that was heard of.
final class KillingExecutor implements SweepExecutor {
  private final SweepExecutor spark;
  private final int after;
  private final List<String> heard = Collections.synchronizedList(new ArrayList<>());
  private final List<Long> killed = Collections.synchronizedList(new ArrayList<>());

  KillingExecutor(SweepExecutor spark, int after) {
    this.spark = spark;
    this.after = after;
  }

  List<String> heard() {
    return List.copyOf(heard);
  }

  List<Long> killed() {
    return List.copyOf(killed);
  }

  @Override
  public void run(List<SweepPoint> points, SweepTask task, Listener listener) {
    spark.run(
        points,
        task,
        new Listener() {
          @Override
          public void finished(SweepPoint point, String json) {
            heard.add(point.id());
            listener.finished(point, json);
            killOnce();
          }

          @Override
          public void failed(SweepPoint point, String message) {
            heard.add(point.id());
            listener.failed(point, message);
            killOnce();
          }
        });
  }

  private void killOnce() {
    if (heard.size() >= after && killed.isEmpty()) {
      ProcessHandle one = executors().getFirst();
      killed.add(one.pid());
      one.destroyForcibly();
    }
  }

  static List<ProcessHandle> executors() {
    return ProcessHandle.current()
        .descendants()
        .filter(p -> commandLine(p).contains("ExecutorBackend"))
        .toList();
  }

  /// The whole command line; [ProcessHandle] cuts a long class path off.
  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"));
    } catch (IOException e) {
      return ""; // it has ended
    }
  }
}
