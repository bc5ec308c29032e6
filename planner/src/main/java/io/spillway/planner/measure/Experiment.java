package io.spillway.planner.measure;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Progress;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// What every process of a measured training runs: profile compute and links, then train the small
/// GPT under each cut and time the iterations. Process 0 writes the outcome.
///
/// Start it with `./spillway launch` or [io.spillway.platform.launch.RankLauncher].
public final class Experiment {
  /// What to measure.
  ///
  /// @param messageSizes bytes; empty to leave links out
  /// @param profileSeconds about how long each compute figure and message size may take
  /// @param warmup iterations before the measured ones
  /// @param device cpu (over Gloo) or cuda (over NCCL)
  /// @param queued whether compute is measured as a device with a queue of work runs it
  public record Plan(
      String device,
      boolean queued,
      GptShape shape,
      List<Cut> cuts,
      List<Long> messageSizes,
      double profileSeconds,
      int warmup,
      int iterations,
      long seed) {}

  /// What one cut gave.
  ///
  /// @param seconds of each measured iteration
  /// @param losses of every iteration, warm-up first
  public record Trained(Cut cut, List<Double> seconds, List<Double> losses) {
    /// The middle of the measured iterations.
    public double median() {
      return LinkProfiler.median(seconds.stream().mapToDouble(Double::doubleValue).toArray());
    }
  }

  /// What all gave.
  public record Outcome(
      Plan plan, ComputeProfile compute, LinkProfile links, List<Trained> trained) {}

  /// Passes that a GPU is given between two looks at the clock.
  private static final int QUEUED = 8;

  private Experiment() {}

  /// Arguments: the plan's file, the outcome's file.
  public static void main(String[] args) {
    Plan plan = Json.read(Path.of(args[0]), Plan.class);
    GroupOptions options = GroupOptions.defaults().withTimeout(Duration.ofSeconds(60));
    ComputeDevice device = Devices.choose(plan.device());
    GroupBackend backend = device.isCuda() ? GroupBackend.NCCL : GroupBackend.GLOO;
    try (ProcessGroup world = ProcessGroup.init(backend, RankEnvironment.current(), options)) {
      run(world, device, plan, Path.of(args[1]));
      world.barrier();
    }
  }

  /// What is known is written after every cut, so that a job that ends early leaves it.
  private static void run(ProcessGroup world, ComputeDevice device, Plan plan, Path file) {
    ComputeProfile compute = new ComputeProfile(List.of(), 0, List.of(), List.of(), List.of());
    LinkProfile links = new LinkProfile(List.of(), new double[0][][]);
    if (!plan.messageSizes().isEmpty()) {
      compute = profile(world, device, plan);
      links =
          new LinkProfiler(world, device, plan.messageSizes(), plan.profileSeconds())
              .run(Progress.silent());
    }
    List<Trained> trained = new ArrayList<>();
    for (Cut cut : plan.cuts()) {
      trained.add(train(world, device, plan, cut));
      if (world.rank() == 0) {
        System.out.printf("%s %.3f s%n", cut.label(), trained.getLast().median());
        Outcome outcome = new Outcome(plan, compute, links, trained);
        AtomicFiles.writeString(file, Json.write(outcome) + "\n");
      }
    }
  }

  private static ComputeProfile profile(ProcessGroup world, ComputeDevice device, Plan plan) {
    List<Integer> ways = plan.cuts().stream().map(Cut::tp).distinct().toList();
    List<Integer> microBatches = plan.cuts().stream().map(Cut::microBatch).distinct().toList();
    List<List<List<Integer>>> partitions =
        plan.cuts().stream()
            .filter(c -> c.tp() > 1)
            .map(Experiment::sortedTensorGroups)
            .distinct()
            .toList();
    List<Exchange> reductions =
        plan.cuts().stream()
            .filter(c -> c.dp() > 1)
            .map(c -> reduction(plan.shape(), c))
            .distinct()
            .toList();
    return plan.queued()
        ? new QueuedProfiler(world, device, plan.shape(), QUEUED)
            .run(ways, microBatches, partitions, reductions)
        : new ComputeProfiler(world, plan.shape(), plan.profileSeconds())
            .run(ways, microBatches, partitions, reductions);
  }

  /// What the replicas of a cut reduce: the least and the most that a stage of it holds.
  private static Exchange reduction(GptShape shape, Cut cut) {
    List<Long> bytes =
        java.util.stream.IntStream.range(0, cut.pp())
            .mapToObj(p -> cut.weightBytes(shape, p))
            .distinct()
            .sorted()
            .toList();
    return new Exchange(cut.dataGroups(), bytes);
  }

  /// Sums do not care for the order of stages and replicas.
  private static List<List<Integer>> sortedTensorGroups(Cut cut) {
    return cut.tensorGroups().stream()
        .sorted(java.util.Comparator.comparing(List::getFirst))
        .toList();
  }

  private static Trained train(ProcessGroup world, ComputeDevice device, Plan plan, Cut cut) {
    List<Double> seconds = new ArrayList<>();
    List<Double> losses = new ArrayList<>();
    try (GptTrainer trainer = new GptTrainer(world, device, plan.shape(), cut, plan.seed())) {
      for (int step = 0; step < plan.warmup() + plan.iterations(); step++) {
        world.barrier();
        long begin = System.nanoTime();
        losses.add(trainer.step(step, 0.05));
        world.barrier();
        if (step >= plan.warmup()) {
          seconds.add((System.nanoTime() - begin) / 1e9);
        }
      }
      world.barrier();
    }
    return new Trained(cut, seconds, losses);
  }
}
