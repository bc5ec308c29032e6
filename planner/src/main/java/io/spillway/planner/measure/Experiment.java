package io.spillway.planner.measure;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Progress;
import io.spillway.platform.launch.RankEnvironment;
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
  public record Plan(
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

  private Experiment() {}

  /// Arguments: the plan's file, the outcome's file.
  public static void main(String[] args) {
    Plan plan = Json.read(Path.of(args[0]), Plan.class);
    GroupOptions options = GroupOptions.defaults().withTimeout(Duration.ofSeconds(60));
    try (ProcessGroup world =
        ProcessGroup.init(GroupBackend.GLOO, RankEnvironment.current(), options)) {
      Outcome outcome = run(world, plan);
      if (world.rank() == 0) {
        AtomicFiles.writeString(Path.of(args[1]), Json.write(outcome) + "\n");
      }
      world.barrier();
    }
  }

  static Outcome run(ProcessGroup world, Plan plan) {
    ComputeProfile compute = new ComputeProfile(List.of(), 0, List.of(), List.of());
    LinkProfile links = new LinkProfile(List.of(), new double[0][][]);
    if (!plan.messageSizes().isEmpty()) {
      compute =
          new ComputeProfiler(world, plan.shape(), plan.profileSeconds())
              .run(
                  plan.cuts().stream().map(Cut::tp).distinct().toList(),
                  plan.cuts().stream().map(Cut::microBatch).distinct().toList(),
                  plan.cuts().stream()
                      .filter(c -> c.tp() > 1)
                      .map(Experiment::sortedTensorGroups)
                      .distinct()
                      .toList());
      links =
          new LinkProfiler(world, Devices.cpu(), plan.messageSizes(), plan.profileSeconds())
              .run(Progress.silent());
    }
    List<Trained> trained = new ArrayList<>();
    for (Cut cut : plan.cuts()) {
      trained.add(train(world, plan, cut));
      if (world.rank() == 0) {
        System.out.printf("%s %.3f s%n", cut.label(), trained.getLast().median());
      }
    }
    return new Outcome(plan, compute, links, trained);
  }

  /// Sums do not care for the order of stages and replicas.
  private static List<List<Integer>> sortedTensorGroups(Cut cut) {
    return cut.tensorGroups().stream()
        .sorted(java.util.Comparator.comparing(List::getFirst))
        .toList();
  }

  private static Trained train(ProcessGroup world, Plan plan, Cut cut) {
    List<Double> seconds = new ArrayList<>();
    List<Double> losses = new ArrayList<>();
    try (GptTrainer trainer = new GptTrainer(world, plan.shape(), cut, plan.seed())) {
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
