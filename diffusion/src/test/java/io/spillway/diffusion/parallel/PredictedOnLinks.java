package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.plan.LatencyPlan;
import io.spillway.diffusion.plan.Workload;
import io.spillway.diffusion.training.OwnModels;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.platform.launch.LaunchSpec;
import io.spillway.platform.launch.RankLauncher;
import io.spillway.testkit.NetworkNamespaces;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Holds [LatencyPlan] against processes on hosts of their own behind shaped links
/// (bench/diffusion-links.sh starts it).
///
/// Arguments: `run FOLDER RANKS MBIT` measures and writes FOLDER/links-RANKS-MBIT.json, where MBIT
/// is one rate or, with `+` between, one for each rank; `show FILE...` compares.
public final class PredictedOnLinks {
  private static final LinkRank.Plan PLAN =
      new LinkRank.Plan(
          List.of(
              "pcpp",
              "distrifusion",
              "pcpp-pool",
              "turns",
              "ulysses",
              "ring",
              "pipefusion",
              "tensor",
              "naive"),
          1,
          8,
          2,
          3,
          38);

  private PredictedOnLinks() {}

  public static void main(String[] args) throws Exception {
    if (args[0].equals("run")) {
      Path folder = Path.of(args[1]);
      Files.createDirectories(folder);
      int n = Integer.parseInt(args[2]);
      List<Long> rates = rates(args[3], n);
      Path file = folder.resolve("links-" + n + "-" + args[3] + ".json");
      measure(folder, file, rates);
      show(List.of(file));
    } else {
      List<Path> files = new ArrayList<>();
      for (int i = 1; i < args.length; i++) {
        files.add(Path.of(args[i]));
      }
      show(files);
    }
  }

  /// Bits a second of each rank's uplink.
  private static List<Long> rates(String mbit, int n) {
    List<Long> all =
        Arrays.stream(mbit.split("\\+")).map(m -> Long.parseLong(m) * 1_000_000).toList();
    if (all.size() != 1 && all.size() != n) {
      throw new IllegalArgumentException(mbit + ": one rate or " + n + " are needed");
    }
    return all.size() == n ? all : Collections.nCopies(n, all.getFirst());
  }

  private static void measure(Path folder, Path file, List<Long> rates) throws Exception {
    int n = rates.size();
    Path plan = folder.resolve("plan.json");
    AtomicFiles.writeString(plan, Json.write(PLAN));
    int cores = Runtime.getRuntime().availableProcessors();
    try (NetworkNamespaces net = NetworkNamespaces.build("spwdif", rates)) {
      List<List<String>> prefixes = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        // pinned: a quota would let a rank that waited for its link compute faster afterwards
        List<String> prefix = new ArrayList<>(List.of("taskset", "-c", String.valueOf(i % cores)));
        prefix.addAll(net.enter(i));
        prefixes.add(prefix);
      }
      LaunchSpec local =
          LaunchSpec.local(
              n,
              List.of(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "--enable-native-access=ALL-UNNAMED",
                  "-Xmx300m",
                  "-XX:+UseSerialGC",
                  "-cp",
                  System.getProperty("java.class.path"),
                  LinkRank.class.getName(),
                  plan.toString(),
                  file.toString()));
      LaunchSpec spec =
          new LaunchSpec(
              local.command(),
              n,
              1,
              0,
              net.address(0),
              local.masterPort(),
              local.environment(),
              prefixes,
              LaunchSpec.DEFAULT_GRACE);
      RankLauncher.Outcome outcome =
          RankLauncher.run(
              spec,
              (rank, error, text) -> {
                if (!text.startsWith("[Gloo]")) {
                  System.out.println(rank + ": " + text);
                }
              });
      if (outcome.exitStatus() != 0) {
        throw new IllegalStateException(outcome.explanation());
      }
    }
  }

  /// The slope and start of t = alpha + bytes / beta by relative least squares.
  private static LatencyPlan.Link fit(List<double[]> points) {
    double sw = 0;
    double sx = 0;
    double sy = 0;
    double sxx = 0;
    double sxy = 0;
    for (double[] p : points) {
      double w = 1 / (p[1] * p[1]);
      sw += w;
      sx += w * p[0];
      sy += w * p[1];
      sxx += w * p[0] * p[0];
      sxy += w * p[0] * p[1];
    }
    double slope = (sw * sxy - sx * sy) / (sw * sxx - sx * sx);
    return new LatencyPlan.Link(Math.max(0, (sy - slope * sx) / sw), 1 / slope);
  }

  private static Optional<LatencyPlan.Curve> curve(List<double[]> points) {
    return points.isEmpty() ? Optional.empty() : Optional.of(new LatencyPlan.Curve(points));
  }

  private static void show(List<Path> files) {
    double tokens = OwnModels.DIT.sampleSize() / (double) OwnModels.DIT.patch();
    double width = OwnModels.DIT.width();
    Workload workload =
        new Workload(
            "shapes-dit",
            LinkRank.SIDE,
            OwnModels.DIT.sites(LinkRank.SIDE, LinkRank.SIDE),
            tokens * tokens * 12 * width * width * OwnModels.DIT.layers());
    double sum = 0;
    double worst = 0;
    int count = 0;
    System.out.println(
        "ranks, strategy: strip ms, slowdown, exchanges ms, predicted s, measured s (runs), error");
    for (Path file : files) {
      LinkRank.Outcome o = Json.read(file, LinkRank.Outcome.class);
      LatencyPlan.Link gather = fit(o.link());
      LatencyPlan.Link trade = fit(o.trade());
      System.out.printf(
          Locale.ROOT,
          "%s: all-gather alpha %.2f ms, beta %.2f MB/s; trade %.2f ms, %.2f MB/s; one device %.1f ms a step%n",
          file.getFileName(),
          1e3 * gather.latencySeconds(),
          gather.bytesPerSecond() / 1e6,
          1e3 * trade.latencySeconds(),
          trade.bytesPerSecond() / 1e6,
          1e3 * o.aloneSeconds());
      for (LinkRank.Measured m : o.measured()) {
        Strategy strategy = LinkRank.strategy(m.strategy(), o.ranks());
        LatencyPlan.Link link = strategy instanceof Strategy.Pcpp ? trade : gather;
        Optional<LatencyPlan.Curve> waited =
            switch (m.strategy()) {
              case "ulysses" -> curve(o.restedDeal());
              case "ring", "pipefusion" -> curve(o.restedTrade());
              case "tensor" -> curve(o.restedSum());
              default -> Optional.empty();
            };
        double slowdown = Math.max(0, m.busySeconds() / m.stripSeconds() - 1);
        // stages work one after the other, so that a synchronous step of a pipeline has no company
        double company = o.aloneSeconds() / o.undisturbedSeconds();
        boolean stages = strategy instanceof Strategy.PipeFusion;
        LatencyPlan plan =
            new LatencyPlan(
                workload, stages ? o.undisturbedSeconds() : o.aloneSeconds(), 0, slowdown, link, 4);
        LatencyPlan.Prediction p =
            plan.predict(
                strategy,
                o.ranks(),
                o.steps(),
                o.warmup(),
                2 * PLAN.images(),
                Optional.of(new LatencyPlan.Part(m.stripSeconds(), m.stripSeconds() / company)),
                waited);
        double measured = m.seconds().stream().sorted().toList().get(m.seconds().size() / 2);
        double error = p.seconds() / measured - 1;
        sum += Math.abs(error);
        worst = Math.max(worst, Math.abs(error));
        count++;
        System.out.printf(
            Locale.ROOT,
            "%d %-13s %8.1f %5.2f %9.1f %8.2f %8.2f %s %+6.1f %% bytes %d counted %d%n",
            o.ranks(),
            m.strategy(),
            1e3 * m.stripSeconds(),
            slowdown,
            1e3 * p.exchangeSeconds(),
            p.seconds(),
            measured,
            m.seconds().stream().map(s -> String.format(Locale.ROOT, "%.2f", s)).toList(),
            100 * error,
            p.stepBytes(),
            m.stepBytes());
      }
    }
    System.out.printf(
        Locale.ROOT,
        "mean error %.1f %%, largest %.1f %% of %d%n",
        100 * sum / count,
        100 * worst,
        count);
  }
}
