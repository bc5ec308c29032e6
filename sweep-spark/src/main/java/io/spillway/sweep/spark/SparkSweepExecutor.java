package io.spillway.sweep.spark;

import io.spillway.platform.SpillwayException;
import io.spillway.sweep.SweepExecutor;
import io.spillway.sweep.SweepPoint;
import io.spillway.sweep.SweepTask;
import java.io.File;
import java.io.Serializable;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.jspecify.annotations.Nullable;
import scala.Function2;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;
import scala.runtime.BoxedUnit;

/// Runs the points of a sweep on an Apache Spark cluster, one task a point. Spark hands every
/// task's answer over exactly once, in the order in which tasks end, also when a lost executor made
/// it run a task again; the answers are those of [io.spillway.sweep.LocalSweepExecutor].
///
/// Our jars travel to the executors; Spark's own are there.
public final class SparkSweepExecutor implements SweepExecutor {
  /// Attempts at one point, whose executor may be lost each time.
  private static final int ATTEMPTS = 8;

  /// How long the executors of a local cluster may take to end by themselves.
  private static final Duration GRACE = Duration.ofSeconds(60);

  /// What a Java 25 executor needs besides what Spark adds by itself.
  private static final String EXECUTOR_OPTIONS =
      "--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"
          + " --add-modules=jdk.incubator.vector";

  /// The system property by which the launcher names the jars that Spark's own folder lacks.
  private static final String SHIPPED = "spillway.sweep.jars";

  private final String master;

  /// @param master a Spark master, for example `spark://host:7077` or `local-cluster[2,1,1024]`
  public SparkSweepExecutor(String master) {
    this.master = master;
  }

  /// One point's answer on its way back.
  private record Answer(@Nullable String json, @Nullable String failure) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  @Override
  public void run(List<SweepPoint> points, SweepTask task, Listener listener) {
    if (points.isEmpty()) {
      return;
    }
    Class<?> answerType = Answer.class;
    Set<ProcessHandle> before = children();
    try (JavaSparkContext spark = new JavaSparkContext(configuration())) {
      spark
          .sc()
          .<SweepPoint, Answer>runJob(
              spark.parallelize(points, points.size()).rdd(),
              onExecutor(task),
              CollectionConverters.asScala(
                      IntStream.range(0, points.size()).<Object>mapToObj(i -> i).toList())
                  .toSeq(),
              (Function2<Object, Answer, BoxedUnit>)
                  (index, answer) -> {
                    tell(listener, points.get((Integer) index), answer);
                    return BoxedUnit.UNIT;
                  },
              ClassTag$.MODULE$.apply(answerType));
    } catch (RuntimeException e) {
      throw failure(e);
    } finally {
      if (isOfThisMachine()) {
        awaitEnd(before);
      }
    }
  }

  private boolean isOfThisMachine() {
    return master.startsWith("local-cluster");
  }

  /// A local cluster's executors are children of this process, which Spark tells to end without
  /// waiting for them: waits until they have gone, so that none computes or writes once [#run] has
  /// returned, and ends those that do not go.
  ///
  /// @param before the children that were there before the run
  private static void awaitEnd(Set<ProcessHandle> before) {
    Set<ProcessHandle> executors = new HashSet<>(children());
    executors.removeAll(before);
    try {
      CompletableFuture.allOf(
              executors.stream().map(ProcessHandle::onExit).toArray(CompletableFuture<?>[]::new))
          .get(GRACE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      executors.forEach(ProcessHandle::destroyForcibly);
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      executors.forEach(ProcessHandle::destroyForcibly);
    }
  }

  private static Set<ProcessHandle> children() {
    return ProcessHandle.current().children().collect(Collectors.toUnmodifiableSet());
  }

  private static Function2<TaskContext, Iterator<SweepPoint>, Answer> onExecutor(SweepTask task) {
    return (Function2<TaskContext, Iterator<SweepPoint>, Answer> & Serializable)
        (context, partition) -> {
          try {
            return new Answer(task.run(partition.next()), null);
          } catch (Exception | StackOverflowError e) {
            return new Answer(
                null, e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage());
          }
        };
  }

  private static void tell(Listener listener, SweepPoint point, Answer answer) {
    if (answer.json() != null) {
      listener.finished(point, answer.json());
    } else {
      listener.failed(point, String.valueOf(answer.failure()));
    }
  }

  private SparkConf configuration() {
    SparkConf conf =
        new SparkConf()
            .setMaster(master)
            .setAppName("spillway sweep")
            .set("spark.ui.enabled", "false")
            .set("spark.task.maxFailures", String.valueOf(ATTEMPTS))
            .setExecutorEnv("OPENBLAS_NUM_THREADS", "1")
            .set("spark.executor.extraJavaOptions", EXECUTOR_OPTIONS + installation());
    if (isOfThisMachine()) {
      // workers of this machine read the class path where it lies
      conf.set("spark.executor.extraClassPath", System.getProperty("java.class.path", ""))
          .set("spark.driver.host", "127.0.0.1")
          .set("spark.driver.bindAddress", "127.0.0.1");
    } else {
      conf.setJars(shippedJars());
    }
    return conf;
  }

  /// Models that come along lie below the installation's folder, which is the same on every worker.
  private static String installation() {
    String root = System.getProperty("spillway.root");
    return root == null ? "" : " \"-Dspillway.root=" + new File(root).getAbsolutePath() + "\"";
  }

  /// The jars that travel to the executors: those that the launcher names, else the whole class
  /// path of this process.
  private static String[] shippedJars() {
    String named = System.getProperty(SHIPPED, System.getProperty("java.class.path", ""));
    return Arrays.stream(named.split(File.pathSeparator))
        .filter(path -> new File(path).isFile())
        .toArray(String[]::new);
  }

  private SpillwayException failure(RuntimeException e) {
    return new SpillwayException(
        io.spillway.platform.ErrorCode.NOT_AVAILABLE,
        "executor "
            + master
            + ": "
            + String.valueOf(e.getMessage()).lines().findFirst().orElse("Spark failed")
            + "; finished points are kept, the same call goes on",
        e);
  }
}
