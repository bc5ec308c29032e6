package io.spillway.planner;

import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.output.Explanation;
import io.spillway.planner.search.Answer;
import io.spillway.planner.search.Request;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.Models;
import io.spillway.report.Demonstration;
import io.spillway.report.HtmlPage;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;

/// Plans a real job on sixteen uneven nodes, beside the plans of the published methods.
public final class PlannerDemonstration implements Demonstration {
  @Override
  public String system() {
    return "planner";
  }

  @Override
  public String task() {
    return "plan a GPT of 39.1 billion parameters on 16 nodes of 8 A100, one link in ten slow";
  }

  @Override
  public Outcome run(Seeds seeds, Progress progress, HtmlPage page) {
    Cluster cluster = unevenCluster(16, seeds);
    Job job = new Job(Models.find("gpt-39.1b"), 512, 2048, Precision.BF16, false);
    Request request =
        new Request(job, cluster, Calibration.builtIn(), MemoryModel.builtIn(), 3, 8, 0.06, seeds);
    Answer ours = Planner.plan(Method.SPILLWAY, request, progress);
    Answer megatron = Planner.plan(Method.MEGATRON, request, progress);
    Answer pipette = Planner.plan(Method.PIPETTE, request, progress);
    page.table(Explanation.table(ours.plans())).paragraph(ours.log().toString());
    if (ours.plans().size() > 1) {
      page.paragraph(Explanation.whyRunnerUpLost(ours.best(), ours.plans().get(1)));
    }
    page.plot(
        Explanation.heatMap(
            "GB/s between nodes in the order of ranks", cluster, ours.best().placement()),
        "The placement keeps slow links off the pipeline and the rings.");
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("spillway_seconds", ours.best().time().seconds());
    figures.put("megatron_seconds", megatron.best().time().seconds());
    figures.put("pipette_seconds", pipette.best().time().seconds());
    figures.put("considered", ours.log().considered());
    return new Outcome(
        String.format(
            Locale.ROOT,
            "%s, %.2f s an iteration",
            ours.best().cut().label(),
            ours.best().time().seconds()),
        String.format(
            Locale.ROOT,
            "Megatron's rules %.2f s, Pipette %.2f s by the same event-driven model",
            megatron.best().time().seconds(),
            pipette.best().time().seconds()),
        figures);
  }

  /// Nodes of eight A100 with measured-like rates, of which one in ten is at a third.
  public static Cluster unevenCluster(int nodes, Seeds seeds) {
    Cluster even =
        Cluster.even(
            "uneven",
            nodes,
            8,
            Accelerators.named("A100-80"),
            Link.of(5e-6, 300e9),
            Network.of(Link.of(10e-6, 25e9), 1));
    RandomGenerator random = seeds.stream("uneven-cluster");
    double[][] rates = even.rates();
    for (int i = 0; i < nodes; i++) {
      for (int j = i + 1; j < nodes; j++) {
        double rate = (16.2 + 3.6 * random.nextDouble()) * 1e9;
        rate *= random.nextInt(10) == 0 ? 1 / 3.0 : 1;
        rates[i][j] = rate;
        rates[j][i] = rate;
      }
    }
    return even.withRates(rates);
  }

  /// The same cluster with a seeded tenth of its links at a third of their rate.
  public static Cluster degraded(Cluster cluster, long draw) {
    RandomGenerator random = new Seeds(draw).stream("degraded-links");
    double[][] rates = cluster.rates();
    for (int i = 0; i < rates.length; i++) {
      for (int j = i + 1; j < rates.length; j++) {
        if (random.nextInt(10) == 0) {
          rates[i][j] /= 3;
          rates[j][i] /= 3;
        }
      }
    }
    return cluster.withRates(rates);
  }
}
