package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Condition;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.sampling.FlowEuler;
import io.spillway.diffusion.training.OwnModels;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.Seeds;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.GroupOptions;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/// One rank of [PredictedOnLinks]: measures the link, what a strip computes without company, how
/// much slower it does while the link is busy, and then whole jobs.
public final class LinkRank {
  static final int SIDE = 64;

  private LinkRank() {}

  /// What is measured.
  ///
  /// @param images in a batch; each has two guidance branches
  /// @param rounds at most; none begins when `seconds` have gone by
  record Plan(
      List<String> strategies, int images, int steps, int warmup, int rounds, double seconds) {}

  /// One strategy.
  ///
  /// @param stripSeconds of a displaced step without exchanges, all ranks computing at once
  /// @param busySeconds the same while the link carries a step's bytes again and again
  /// @param seconds of whole jobs
  record Measured(
      String strategy,
      double stripSeconds,
      double busySeconds,
      long stepBytes,
      List<Double> seconds) {}

  /// All of it, from rank 0.
  ///
  /// @param link bytes received by a rank and seconds of an all-gather
  /// @param trade bytes received by a rank and seconds of a trade with the neighbours of a ring
  /// @param restedDeal the same of an all-to-all that follows a rest, as long as Ulysses computes
  ///   between two: a link that has rested takes a burst at once
  /// @param restedTrade the same of a trade, as long as ring attention computes between two
  /// @param restedSum the same of an all-reduce, as long as tensor parallelism computes between two
  /// @param aloneSeconds of one device's step while every rank computes one
  /// @param undisturbedSeconds of one device's step while the other ranks rest: where ranks share
  ///   cores, less
  record Outcome(
      int ranks,
      int steps,
      int warmup,
      List<double[]> link,
      List<double[]> trade,
      List<double[]> restedDeal,
      List<double[]> restedTrade,
      List<double[]> restedSum,
      double aloneSeconds,
      double undisturbedSeconds,
      List<Measured> measured) {
    /// Earlier files have fewer of the fields; their jobs had 20 steps and warm-up 2.
    Outcome {
      steps = steps == 0 ? 20 : steps;
      warmup = warmup == 0 ? 2 : warmup;
      restedDeal = restedDeal == null ? List.of() : restedDeal;
      restedTrade = restedTrade == null ? List.of() : restedTrade;
      restedSum = restedSum == null ? List.of() : restedSum;
      undisturbedSeconds = undisturbedSeconds == 0 ? aloneSeconds : undisturbedSeconds;
    }
  }

  static Strategy strategy(String name, int n) {
    return Strategy.named(name, n, 0.3, 4, Strategy.Sync.CORRECTED_ASYNC_GN);
  }

  public static void main(String[] args) {
    Torch.threads(1);
    Plan plan = Json.read(Path.of(args[0]), Plan.class);
    RankEnvironment environment = RankEnvironment.current();
    ProcessGroup group =
        ProcessGroup.init(
            GroupBackend.GLOO,
            environment,
            new GroupOptions(Duration.ofSeconds(120), Optional.empty(), 2));
    try (ProcessExchange world = new ProcessExchange(group);
        Parameters p = Parameters.random(OwnModels.DIT.parameters(), new Seeds(1));
        Dit model = new Dit(OwnModels.DIT, p)) {
      Outcome outcome = new LinkRank.Run(plan, group, world, model).outcome();
      if (environment.rank() == 0) {
        AtomicFiles.writeString(Path.of(args[1]), Json.write(outcome));
      }
      group.barrier();
    }
  }

  private record Run(Plan plan, ProcessGroup group, ProcessExchange world, Dit model) {
    Outcome outcome() {
      int n = group.size();
      List<double[]> link = new ArrayList<>();
      List<double[]> trade = new ArrayList<>();
      for (long bytes : new long[] {4096, 65_536, 262_144, 1_048_576}) {
        link.add(new double[] {bytes * (n - 1), most(gatherSeconds(bytes))});
        trade.add(new double[] {bytes, most(tradeSeconds(bytes))});
      }
      double layer = most(strip(strategy("ulysses", n))) / OwnModels.DIT.layers();
      List<double[]> deals = new ArrayList<>();
      List<double[]> trades = new ArrayList<>();
      List<double[]> sums = new ArrayList<>();
      for (long bytes : new long[] {8192, 49_152, 98_304, 196_608, 393_216}) {
        deals.add(new double[] {bytes, most(rested(layer / 2, dealing(bytes)))});
        trades.add(new double[] {bytes, most(rested(layer / (n - 1), trading(bytes)))});
        sums.add(new double[] {bytes, most(rested(layer / 2, summing(bytes)))});
      }
      double alone = steps(new Strategy.Single(), new AbsentRanks(0, 1), 0, 5) / 5;
      return new Outcome(
          n,
          plan.steps(),
          plan.warmup(),
          link,
          trade,
          deals,
          trades,
          sums,
          most(alone),
          most(undisturbed()),
          strategies());
    }

    /// One device's step on rank 0 while the others wait.
    private double undisturbed() {
      double seconds = 0;
      if (group.rank() == 0) {
        timed(new Strategy.Single(), new AbsentRanks(0, 1), 0, 1);
        seconds = timed(new Strategy.Single(), new AbsentRanks(0, 1), 0, 5) / 5;
      }
      group.barrier();
      return seconds;
    }

    private List<Measured> strategies() {
      Map<String, List<Double>> strips = new LinkedHashMap<>();
      Map<String, List<Double>> busies = new LinkedHashMap<>();
      Map<String, List<Double>> seconds = new LinkedHashMap<>();
      Map<String, Long> bytes = new LinkedHashMap<>();
      long began = System.nanoTime();
      for (int i = 0; i < plan.rounds(); i++) { // in turn: whatever disturbs, disturbs all
        if (i > 0 && most((System.nanoTime() - began) / 1e9) > plan.seconds()) {
          break;
        }
        for (String name : plan.strategies()) {
          Strategy strategy = strategy(name, group.size());
          group.barrier();
          RankRenderer.Outcome made = whole(strategy);
          double took = most(made.seconds());
          bytes.put(name, Math.round(most(made.displacedReceived())));
          double strip = most(strip(strategy));
          boolean hides =
              strategy instanceof Strategy.DistriFusion
                  || strategy instanceof Strategy.Pcpp
                  || strategy instanceof Strategy.Turns;
          double busy = hides ? most(busy(strategy, bytes.get(name))) : strip;
          seconds.computeIfAbsent(name, _ -> new ArrayList<>()).add(took);
          strips.computeIfAbsent(name, _ -> new ArrayList<>()).add(strip);
          busies.computeIfAbsent(name, _ -> new ArrayList<>()).add(busy);
        }
        if (group.rank() == 0) {
          System.out.println("round " + (i + 1) + ": " + seconds);
        }
      }
      return seconds.entrySet().stream()
          .map(of ->
              new Measured(
                  of.getKey(),
                  middle(strips.getOrDefault(of.getKey(), List.of())),
                  middle(busies.getOrDefault(of.getKey(), List.of())),
                  bytes.getOrDefault(of.getKey(), 0L),
                  of.getValue()))
          .toList();
    }

    private static double middle(List<Double> values) {
      return values.stream().sorted().toList().get(values.size() / 2);
    }

    /// The largest of all ranks' values.
    private double most(double value) {
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        Tensor t = Tensors.of(new double[] {value}, 1);
        group.allReduce(t, Reduction.MAX);
        return Tensors.doubles(t)[0];
      }
    }

    private double gatherSeconds(long bytes) {
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        Tensor mine = Tensors.empty(DType.U8, bytes);
        Tensor all = Tensors.empty(DType.U8, bytes * group.size());
        return seconds(bytes, () -> world.allGather(mine, all));
      }
    }

    private double tradeSeconds(long bytes) {
      return seconds(bytes, trading(bytes));
    }

    /// A trade with the neighbours of a ring.
    private Supplier<Exchange.Pending> trading(long bytes) {
      int n = group.size();
      long[] to = new long[n];
      long[] from = new long[n];
      to[(group.rank() + 1) % n] = bytes;
      from[(group.rank() + n - 1) % n] = bytes;
      return () -> world.allToAll(buffer(bytes), to, buffer(bytes), from);
    }

    /// An equal all-to-all in which every rank receives that many bytes.
    private Supplier<Exchange.Pending> dealing(long bytes) {
      long all = bytes / (group.size() - 1) * group.size();
      return () -> world.allToAll(buffer(all), buffer(all));
    }

    /// An all-reduce in which every rank receives that many bytes.
    private Supplier<Exchange.Pending> summing(long bytes) {
      int n = group.size();
      return () -> world.allReduce(Tensors.empty(DType.F32, bytes * n / (n - 1) / 2 / 4));
    }

    private Tensor buffer(long bytes) {
      return Tensors.empty(DType.U8, bytes);
    }

    private double seconds(long bytes, Supplier<Exchange.Pending> exchange) {
      int rounds = bytes > 200_000 ? 6 : 15;
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        for (int i = 0; i < 2; i++) {
          exchange.get().await();
        }
        group.barrier();
        long began = System.nanoTime();
        for (int i = 0; i < rounds; i++) {
          exchange.get().await();
        }
        return (System.nanoTime() - began) / 1e9 / rounds;
      }
    }

    /// Seconds of an exchange, each begun after `rest` seconds in which the link is idle. The rank
    /// sleeps: where ranks share cores, a strip's time in company holds what they take from each
    /// other already, and counting it in the exchange too would count it twice.
    private double rested(double rest, Supplier<Exchange.Pending> exchange) {
      int rounds = 24;
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        for (int i = 0; i < 8; i++) { // TCP's window has grown when a job uses it
          exchange.get().await();
        }
        group.barrier();
        long rests = 0;
        long began = System.nanoTime();
        for (int i = 0; i < rounds; i++) {
          long slept = System.nanoTime();
          LockSupport.parkNanos(Math.round(rest * 1e9));
          rests += System.nanoTime() - slept;
          exchange.get().await();
        }
        return (System.nanoTime() - began - rests) / 1e9 / rounds;
      }
    }

    private Job job(Strategy strategy, int warmup, int steps) {
      return new Job(strategy, false, warmup, steps, new FlowEuler(1), 3, SIDE, SIDE);
    }

    private RankRenderer.Outcome whole(Strategy strategy) {
      return render(job(strategy, plan.warmup(), plan.steps()), world);
    }

    private RankRenderer.Outcome render(Job job, Exchange exchange) {
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        int images = plan.images();
        Tensor noise = org.bytedeco.pytorch.global.torch.randn(new long[] {images, 3, SIDE, SIDE});
        long[] labels = new long[2 * images];
        return RankRenderer.render(
            model,
            job,
            noise,
            new Condition.Labels(Tensors.of(labels, labels.length)),
            exchange,
            _ -> {});
      }
    }

    /// Seconds of `count` steps after the synchronous ones and one more, on all ranks at once.
    private double steps(Strategy strategy, Exchange exchange, int warmup, int count) {
      render(job(strategy, warmup, warmup + 2), exchange); // warms up
      group.barrier();
      return timed(strategy, exchange, warmup, count);
    }

    private double timed(Strategy strategy, Exchange exchange, int warmup, int count) {
      long[] at = new long[2];
      try (TensorScope scope = TensorScope.open()) {
        assert scope != null;
        int images = plan.images();
        Tensor noise = org.bytedeco.pytorch.global.torch.randn(new long[] {images, 3, SIDE, SIDE});
        long[] labels = new long[2 * images];
        RankRenderer.render(
            model,
            job(strategy, warmup, warmup + 2 + count),
            noise,
            new Condition.Labels(Tensors.of(labels, labels.length)),
            exchange,
            i -> {
              if (i == warmup + 1) {
                at[0] = System.nanoTime();
              } else if (i == warmup + 1 + count) {
                at[1] = System.nanoTime();
              }
            });
      }
      return (at[1] - at[0]) / 1e9;
    }

    private double strip(Strategy strategy) {
      return steps(strategy, new AbsentRanks(group.rank(), group.size()), 0, 5) / 5;
    }

    /// A strip's step while another thread moves a step's bytes in pieces without rest.
    private double busy(Strategy strategy, long bytes) {
      int n = group.size();
      long piece = Math.max(1, bytes / (n - 1) / 8);
      AtomicBoolean ends = new AtomicBoolean();
      List<List<Integer>> all = List.of(java.util.stream.IntStream.range(0, n).boxed().toList());
      ProcessGroup other = group.split(all);
      Thread traffic =
          Thread.ofPlatform()
              .start(() -> {
                try (TensorScope scope = TensorScope.open()) {
                  assert scope != null;
                  Tensor mine = Tensors.empty(DType.U8, piece);
                  Tensor gathered = Tensors.empty(DType.U8, piece * n);
                  Tensor stop = Tensors.of(new double[] {0}, 1);
                  do {
                    other.allGather(gathered, mine);
                    stop.fill_(new org.bytedeco.pytorch.Scalar(ends.get() ? 1.0 : 0.0));
                    other.allReduce(stop, Reduction.MAX); // all end in the same round
                  } while (Tensors.doubles(stop)[0] == 0);
                }
              });
      double seconds = strip(strategy);
      ends.set(true);
      try {
        traffic.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      other.close();
      return seconds;
    }
  }
}
