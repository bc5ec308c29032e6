package io.spillway.diffusion.plan;

import io.spillway.diffusion.Strategy;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/// What `bench/gpu/diffusion.sh` measured on one or two GPUs, read from its JSON: whole steps, one
/// rank's strips of 2, 4 and 8 without company, and the link.
///
/// @param gpu what the driver calls them
/// @param link of all-gathers
/// @param milliseconds of a displaced step by the name of its part, such as `sdxl 2048 alone`,
///   `sdxl 2048 strip pcpp 4` or `sdxl 2048 pcpp unexchanged`
public record MeasuredGpu(String gpu, LatencyPlan.Link link, Map<String, Double> milliseconds) {
  private static final double CONDITIONING = 0.3; // of the strips that the script times
  private static final int POOL = 4;

  public MeasuredGpu {
    milliseconds = Map.copyOf(milliseconds);
  }

  /// Reads the JSON of `bench/gpu/diffusion.sh`.
  ///
  /// **Errors:** a missing file; one without parts or, as it is after a run on one GPU, without
  /// links.
  public static MeasuredGpu read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.notFound(
          "--measured %s is no file; name what bench/gpu/diffusion.sh wrote", file);
    }
    JsonNode all = Json.readTree(file);
    Map<String, Double> parts = new TreeMap<>();
    all.path("parts")
        .properties()
        .forEach(e -> parts.put(e.getKey(), e.getValue().path("stepMs").asDouble(Double.NaN)));
    JsonNode gather = all.path("allGather");
    if (parts.isEmpty() || !gather.has("latencySeconds") || !gather.has("bytesPerSecond")) {
      throw SpillwayException.badInput(
          "--measured %s lacks %s; it must be what bench/gpu/diffusion.sh wrote on two GPUs or more",
          file, parts.isEmpty() ? "'parts'" : "'allGather', the link between GPUs");
    }
    return new MeasuredGpu(
        all.path("gpus").asString("?").lines().findFirst().orElse("?"),
        new LatencyPlan.Link(
            gather.path("latencySeconds").asDouble(), gather.path("bytesPerSecond").asDouble()),
        parts);
  }

  /// Predicts `steps` steps of one strategy, from its own strips where they were timed.
  ///
  /// **Errors:** a model and size of which no whole step was measured, with those of which one was.
  public LatencyPlan.Prediction predict(
      Workload workload, Strategy strategy, int ranks, int steps, int warmup) {
    String subject = workload.name() + " " + workload.pixels() + " ";
    Double alone = milliseconds.get(subject + "alone");
    if (alone == null) {
      throw SpillwayException.badInput(
          "no step of %s at %d pixels was measured; there are %s",
          workload.name(),
          workload.pixels(),
          milliseconds.keySet().stream()
              .filter(p -> p.endsWith(" alone"))
              .map(p -> p.substring(0, p.length() - " alone".length()))
              .sorted()
              .toList());
    }
    String name = part(strategy);
    Double strip = milliseconds.get(subject + "strip " + name + " " + ranks);
    double slowdown = slowdown(subject, name);
    double floor = strip == null ? floor(workload, subject, alone) : 0;
    LatencyPlan plan =
        new LatencyPlan(workload, alone / 1e3, Math.max(0, floor) / 1e3, slowdown, link);
    return plan.predict(
        strategy,
        ranks,
        steps,
        warmup,
        2,
        strip == null
            ? Optional.empty()
            : Optional.of(new LatencyPlan.Part(strip / 1e3, strip / 1e3)),
        Optional.empty());
  }

  /// The script's name of a strategy; of one that it does not time, a name that no part has.
  private static String part(Strategy strategy) {
    return switch (strategy) {
      case Strategy.DistriFusion(Strategy.Sync sync, boolean x) ->
          sync == Strategy.Sync.CORRECTED_ASYNC_GN && !x ? "distrifusion" : "?";
      case Strategy.Pcpp(double p, int pool, boolean x) ->
          p != CONDITIONING || x || (pool != 0 && pool != POOL)
              ? "?"
              : pool == 0 ? "pcpp" : "pcpp-pool";
      case Strategy.Single _,
          Strategy.NaivePatches _,
          Strategy.Turns _,
          Strategy.SequenceParallel _,
          Strategy.PipeFusion _,
          Strategy.TensorParallel _ ->
          "?";
    };
  }

  private double slowdown(String subject, String name) {
    Double with = milliseconds.get(subject + name);
    Double without = milliseconds.get(subject + name + " unexchanged");
    return with == null || without == null ? 0 : Math.max(0, with / without - 1);
  }

  /// What of a step does not shrink, from DistriFusion's strips: strip = floor + (step - floor) x
  /// share, the mean over the numbers of ranks that were timed.
  private double floor(Workload workload, String subject, double alone) {
    double sum = 0;
    int count = 0;
    for (int n = 2; n <= 64; n *= 2) {
      Double strip = milliseconds.get(subject + "strip distrifusion " + n);
      if (strip != null) {
        double share = workload.share(n, 1);
        sum += (strip - alone * share) / (1 - share);
        count++;
      }
    }
    return count == 0 ? 0 : Math.min(sum / count, 0.99 * alone);
  }
}
