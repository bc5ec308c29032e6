package io.spillway.planner.validate;

import io.spillway.planner.Job;
import io.spillway.planner.Method;
import io.spillway.planner.Plan;
import io.spillway.planner.Planner;
import io.spillway.planner.PlannerDemonstration;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.importer.Format;
import io.spillway.planner.importer.Importers;
import io.spillway.planner.memory.LearnedMemory;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.memory.NoCorrection;
import io.spillway.planner.search.Request;
import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.Models;
import io.spillway.report.Claim;
import io.spillway.report.Claim.Better;
import io.spillway.report.Claim.Finding;
import io.spillway.report.Claim.Published;
import io.spillway.report.Reproduction;
import io.spillway.report.Spread;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What Pipette claims, beside what the planner does. The paper's own error figures were not at
/// hand; published measurements and the scripts' settings stand in for them, each with its source.
public final class PlannerReproduction implements Reproduction {
  private static final double MARGIN = 0.06;

  @Override
  public String system() {
    return "planner";
  }

  @Override
  public String paper() {
    return "Pipette: Automatic Fine-grained LLM Training Configurator for Real-World Clusters (2024)";
  }

  @Override
  public List<Claim> claims() {
    return List.of(
        new Claim(
            "iteration-time",
            "the latency model predicts real iterations of models that it was not fitted to",
            Published.of(
                11.9, "% mean error", Better.LOWER, "Pipette's formula on vTrain's runs, refitted"),
            "62 of vTrain's 109 runs (64 to 512 A100), each model left out of the fit as there",
            PlannerReproduction::iterationTime),
        new Claim(
            "memory-refused",
            "configurations that run out of memory are not recommended",
            Published.of(0, "% recommended", Better.LOWER, "the paper's claim: never"),
            "AMP's failed trials on T4 and V100 whose memory was the reason; nothing is fitted to"
                + " them",
            PlannerReproduction::memoryRefused),
        new Claim(
            "mapping-gain",
            "the order of nodes shortens the iteration on a real matrix of bandwidths",
            new Published(
                0.3, 1.6, "% shorter", Better.HIGHER, 0, "computed from the published matrices"),
            "the two published matrices of 16 nodes of 8 A100, our event-driven model in place of"
                + " a run",
            PlannerReproduction::mappingGain),
        new Claim(
            "search-time",
            "the search for 128 GPUs ends within the limit of the authors' script",
            Published.of(10, "s", Better.LOWER, "the authors' script"),
            "GPT-175B on 16 nodes of 8 A100, this machine's processors",
            PlannerReproduction::searchTime),
        new Claim(
            "uneven-speedup",
            "plans that know the links beat Megatron's rules on an uneven cluster",
            Published.of(1.54, "x", Better.HIGHER, "AMP, mixed cluster, measured there"),
            "the published matrix with a tenth of its links at a third; predicted by the"
                + " event-driven model, not run",
            PlannerReproduction::unevenSpeedup));
  }

  private static Path data(Reproduction.Setting setting, String name) {
    return setting.data().resolve("cluster").resolve(name);
  }

  private static Finding absent(Path file) {
    return new Finding.NotMeasurable(
        file.getFileName() + " is not there; name the data's folder by --data (docs/data.md)");
  }

  private static Finding iterationTime(Reproduction.Setting setting) {
    Path file = data(setting, "vtrain-measured.csv");
    if (!Files.exists(file)) {
      return absent(file);
    }
    double[] errors = Fit.leaveOneGroupOut(VtrainFile.read(file));
    double[] percent = Arrays.stream(errors).map(e -> 100 * Math.abs(e)).toArray();
    return Finding.Measured.mean(
        percent, "runs", Map.of("median", 100 * Statistics.median(errors)));
  }

  private static Finding memoryRefused(Reproduction.Setting setting) {
    Path file = data(setting, "amp-trials.csv");
    if (!Files.exists(file)) {
      return absent(file);
    }
    List<Measured> rows = AmpFile.read(file);
    MemoryModel memory = new MemoryModel(LearnedMemory.builtIn().constants(), new NoCorrection());
    double[] gib =
        rows.stream()
            .mapToDouble(r ->
                memory.predict(r.job(), r.cut(), r.cluster().accelerator(0)).total() / (1L << 30))
            .toArray();
    int[] count =
        FailedTrials.count(rows, gib, MARGIN).getOrDefault(FailedTrials.MEMORY, new int[2]);
    double[] wilson = Spread.wilson(count[1], count[0]);
    return new Finding.Measured(
        100.0 * count[1] / count[0],
        100 * wilson[0],
        100 * wilson[1],
        "95 % (Wilson) of " + count[0] + " trials",
        Map.of("trials", count[0], "recommended", count[1]));
  }

  private static Cluster measured(Path file) {
    try {
      Importers.Setting as =
          new Importers.Setting(
              "published", Accelerators.named("A100-80"), 16, 8, Link.of(10e-6, 25e9), 1, 0.5);
      String text = Files.readString(file);
      return Importers.cluster(Importers.parse(text, Format.MPIGRAPH, as, file.toString()), as);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Request request(Cluster cluster, Reproduction.Setting setting, double limit) {
    Job job = new Job(Models.find("gpt-175b"), 1536, 2048, Precision.BF16, false);
    return new Request(
        job,
        cluster,
        Calibration.builtIn(),
        MemoryModel.builtIn(),
        1,
        limit,
        MARGIN,
        setting.seeds());
  }

  private static Finding mappingGain(Reproduction.Setting setting) {
    double[] gains = new double[2];
    for (int t = 0; t < 2; t++) {
      Path file = data(setting, "mpigraph-16xA100-t" + t + ".json");
      if (!Files.exists(file)) {
        return absent(file);
      }
      Plan best =
          Planner.plan(Method.PIPETTE, request(measured(file), setting, 10), setting.progress())
              .best();
      gains[t] = 100 * (1 - best.time().seconds() / best.identitySeconds());
    }
    return new Finding.Measured(
        (gains[0] + gains[1]) / 2,
        Math.min(gains[0], gains[1]),
        Math.max(gains[0], gains[1]),
        "both matrices",
        Map.of());
  }

  private static Finding searchTime(Reproduction.Setting setting) {
    Cluster cluster = PlannerDemonstration.unevenCluster(16, setting.seeds());
    seconds(Method.SPILLWAY, request(cluster, setting, 60), setting); // the compiler warms up
    double[] seconds = new double[setting.choose(3, 9)];
    for (int i = 0; i < seconds.length; i++) {
      seconds[i] =
          Planner.plan(Method.SPILLWAY, request(cluster, setting, 60), setting.progress())
              .log()
              .seconds();
    }
    return Finding.Measured.mean(seconds, "runs", Map.of("runs", seconds));
  }

  private static Finding unevenSpeedup(Reproduction.Setting setting) {
    Path file = data(setting, "mpigraph-16xA100-t0.json");
    if (!Files.exists(file)) {
      return absent(file);
    }
    Cluster even = measured(file);
    double[] gains = new double[setting.choose(3, 10)];
    Map<String, Object> figures = new LinkedHashMap<>();
    for (int draw = 0; draw < gains.length; draw++) {
      Request request = request(PlannerDemonstration.degraded(even, draw + 1), setting, 10);
      double ours = seconds(Method.SPILLWAY, request, setting);
      gains[draw] = seconds(Method.MEGATRON, request, setting) / ours;
      figures.put(
          "draw " + (draw + 1) + " over Pipette", seconds(Method.PIPETTE, request, setting) / ours);
    }
    return Finding.Measured.mean(gains, "draws of slow links", figures);
  }

  private static double seconds(Method method, Request request, Reproduction.Setting setting) {
    try {
      return Planner.plan(method, request, setting.progress()).best().time().seconds();
    } catch (SpillwayException e) {
      if (e.code() == ErrorCode.DOES_NOT_FIT) {
        return Double.POSITIVE_INFINITY;
      }
      throw e;
    }
  }
}
