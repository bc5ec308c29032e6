package io.spillway.planner.measure;

import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Progress;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// What every process of a measured training runs: profile compute and links, then train the small
/// GPT under each cut and time the iterations. Process 0 writes the outcome.
///
/// Start it with `./spillway launch` or [io.spillway.platform.launch.RankLauncher].
public final class Experiment {
  /// What to measure.
  ///
  /// @param messageSizes bytes; empty to leave links out
  /// @param profileSeconds about how long each compute figure and message size may take
  /// @param device cpu (over Gloo) or cuda (over NCCL)
  /// @param queued whether compute is measured as a device with a queue of work runs it
  /// @param rounds in which profiles and iterations are measured beside each other
  /// @param warmup iterations before the measured ones, in each round
  /// @param iterations measured in each round
  /// @param search whether the planner's own search picks a plan that is then trained as well
  public record Plan(
      String device,
      boolean queued,
      GptShape shape,
      List<Cut> cuts,
      List<Long> messageSizes,
      double profileSeconds,
      int rounds,
      int warmup,
      int iterations,
      boolean search,
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

    /// With what another round gave.
    Trained and(Trained more) {
      List<Double> all = new ArrayList<>(seconds);
      all.addAll(more.seconds);
      return new Trained(cut, all, losses.isEmpty() ? more.losses : losses);
    }
  }

  /// What all gave.
  ///
  /// @param picked what the planner's own search picked and the best cut of `trained`, trained once
  ///   more beside each other after all others; empty if no search was wanted
  public record Outcome(
      Plan plan,
      ComputeProfile compute,
      LinkProfile links,
      List<Trained> trained,
      List<Trained> picked) {}

  /// Bytes of a cut as text.
  private static final int AGREED = 4096;

  /// Passes that a GPU is given between two looks at the clock.
  private static final int QUEUED = 16;

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

  /// A machine's speed drifts, so that profiles and iterations are measured in rounds beside each
  /// other. What is known is written after every round, so that a job that ends early leaves it.
  private static void run(ProcessGroup world, ComputeDevice device, Plan plan, Path file) {
    List<ComputeProfile> profiles = new ArrayList<>();
    List<LinkProfile> links = new ArrayList<>();
    List<Trained> trained = new ArrayList<>();
    plan.cuts().forEach(c -> trained.add(new Trained(c, List.of(), List.of())));
    for (int round = 0; round < plan.rounds(); round++) {
      if (!plan.messageSizes().isEmpty()) {
        profiles.add(profile(world, device, plan));
        links.add(
            new LinkProfiler(
                    world, device, plan.messageSizes(), plan.profileSeconds() / plan.rounds())
                .run(Progress.silent()));
      }
      for (int i = 0; i < trained.size(); i++) {
        trained.set(i, trained.get(i).and(train(world, device, plan, trained.get(i).cut())));
        say(world, trained.get(i));
      }
      write(world, plan, profiles, links, trained, List.of(), file);
    }
    if (plan.search() && !profiles.isEmpty()) {
      picks(world, device, plan, profiles, links, trained, file);
    }
  }

  /// Trains what the planner's own search picks and, beside it, the best cut so far.
  private static void picks(
      ProcessGroup world,
      ComputeDevice device,
      Plan plan,
      List<ComputeProfile> profiles,
      List<LinkProfile> links,
      List<Trained> trained,
      Path file) {
    LinkProfile middle = LinkProfile.middle(links);
    IterationPredictor predictor =
        new IterationPredictor(plan.shape(), ComputeProfile.middle(profiles), middle);
    int batch = plan.cuts().getFirst().globalBatch();
    MeasuredSearch search = new MeasuredSearch(plan.shape(), batch, predictor);
    Accelerator accelerator =
        device.isCuda()
            ? ProfiledCluster.accelerator(device.description())
            : ClusterProfiler.cpu(world);
    Cluster cluster =
        new ProfiledCluster(middle, ClusterProfiler.hosts(world, device))
            .build("measured", accelerator);
    var found = search.search(cluster, 1, plan.seed()).best();
    Cut picked = agreed(world, device, search.cut(found.cut(), found.placement()));
    Cut fastest =
        trained.stream().min(Comparator.comparingDouble(Trained::median)).orElseThrow().cut();
    Cut best = agreed(world, device, fastest);
    List<Trained> beside = new ArrayList<>();
    beside.add(new Trained(picked, List.of(), List.of()));
    beside.add(new Trained(best, List.of(), List.of()));
    for (int round = 0; round < plan.rounds(); round++) {
      for (int i = 0; i < 2; i++) {
        beside.set(i, beside.get(i).and(train(world, device, plan, beside.get(i).cut())));
        say(world, beside.get(i));
      }
    }
    write(world, plan, profiles, links, trained, beside, file);
  }

  private static void say(ProcessGroup world, Trained t) {
    if (world.rank() == 0) {
      System.out.printf("%s %.3f s%n", t.cut().label(), t.median());
    }
  }

  private static void write(
      ProcessGroup world,
      Plan plan,
      List<ComputeProfile> profiles,
      List<LinkProfile> links,
      List<Trained> trained,
      List<Trained> picked,
      Path file) {
    if (world.rank() == 0) {
      Outcome outcome =
          new Outcome(
              plan,
              profiles.isEmpty() ? ComputeProfile.none() : ComputeProfile.middle(profiles),
              links.isEmpty()
                  ? new LinkProfile(List.of(), new double[0][][])
                  : LinkProfile.middle(links),
              trained,
              picked);
      AtomicFiles.writeString(file, Json.write(outcome) + "\n");
    }
  }

  /// What process 0 says; the others could differ by rounding.
  private static Cut agreed(ProcessGroup world, ComputeDevice device, Cut mine) {
    long[] text = new long[AGREED];
    byte[] bytes = Json.write(mine).getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < bytes.length; i++) {
      text[i] = bytes[i];
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor t = scope.adopt(Tensors.to(Tensors.of(text, AGREED), device));
      world.broadcast(t, 0);
      long[] said = Tensors.longs(t);
      byte[] back = new byte[AGREED];
      for (int i = 0; i < AGREED; i++) {
        back[i] = (byte) said[i];
      }
      String json = new String(back, StandardCharsets.UTF_8).replace("\0", "");
      return Json.parse(json, Cut.class, "the cut of process 0");
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
        : new ComputeProfiler(world, plan.shape(), plan.profileSeconds() / plan.rounds())
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
    return cut.tensorGroups().stream().sorted(Comparator.comparing(List::getFirst)).toList();
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
