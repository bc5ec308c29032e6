import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.plan.LatencyPlan;
import io.spillway.diffusion.plan.Workload;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.Json;
import io.spillway.tensor.Torch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/// Joins what the ranks of DiffusionGpu and the peer wrote: `DiffusionGpuReport FOLDER OUT.json`.
public final class DiffusionGpuReport {
  private static final int STEPS = 50;
  private static final int WARMUP = 4;

  /// One part, the slowest rank's times.
  private record Part(double syncMs, double stepMs, double enqueueMs, int steps, long bytes, long buffers, double peakGiB, boolean finite) {
    Part worst(Part o) {
      return new Part(
          Math.max(syncMs, o.syncMs),
          Math.max(stepMs, o.stepMs),
          Math.max(enqueueMs, o.enqueueMs),
          steps,
          Math.max(bytes, o.bytes),
          Math.max(buffers, o.buffers),
          Math.max(peakGiB, o.peakGiB),
          finite && o.finite);
    }

    /// Of 50 steps with 5 synchronous ones, from the few that were run.
    double seconds() {
      return ((WARMUP + 1) * syncMs + (STEPS - WARMUP - 1) * stepMs) / 1e3;
    }
  }

  private final Map<String, Part> parts = new LinkedHashMap<>();
  private final Map<String, String> notRun = new TreeMap<>();
  private final List<double[]> links = new ArrayList<>(); // bytes, gather s, trade s
  private final Map<String, String> recordings = new TreeMap<>();
  private final List<JsonNode> right = new ArrayList<>();
  private int ranks = 1;

  private DiffusionGpuReport() {}

  public static void main(String[] args) throws Exception {
    new DiffusionGpuReport().run(Path.of(args[0]), Path.of(args[1]));
    System.exit(0);
  }

  private void run(Path folder, Path out) throws Exception {
    List<Path> files;
    try (var list = Files.list(folder)) {
      files = list.filter(f -> f.getFileName().toString().matches("results-\\d+\\.jsonl")).sorted().toList();
    }
    for (Path file : files) {
      for (String line : Files.readAllLines(file)) {
        read(Json.parse(line, JsonNode.class, file.toString()));
      }
    }
    ranks = Math.max(1, files.size());
    Path peerFile = folder.resolve("peer.json");
    JsonNode peer = Files.exists(peerFile) ? Json.readTree(peerFile) : Json.parse("{}", JsonNode.class, "none");
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("gpus", run("nvidia-smi", "--query-gpu=name,driver_version,memory.total,clocks.sm,power.limit", "--format=csv,noheader"));
    all.put("topology", run("nvidia-smi", "topo", "-m"));
    all.put("libtorch", Torch.buildConfiguration());
    all.put("java", System.getProperty("java.vm.version"));
    all.put("command", "bench/gpu/diffusion.sh");
    all.put("peer", peer);
    all.put("parts", parts);
    all.put("notRun", notRun);
    all.put("right", right);
    LatencyPlan.Link link = links(all);
    one(peer);
    several(link, all);
    predictions(link, all);
    all.put("recordings", recordings);
    recordings.forEach((part, how) -> System.out.println("recorded: " + part + ": " + how));
    notRun.forEach((part, why) -> System.out.println("not run: " + part + ": " + why));
    AtomicFiles.writeString(out, Json.write(all));
  }

  private void read(JsonNode line) {
    String name = line.path("part").asString("");
    if (name.equals("link")) {
      double gather = line.path("gatherSeconds").asDouble();
      double trade = line.path("tradeSeconds").asDouble();
      double bytes = line.path("bytes").asDouble();
      for (double[] known : links) {
        if (known[0] == bytes) {
          known[1] = Math.max(known[1], gather);
          known[2] = Math.max(known[2], trade);
          return;
        }
      }
      links.add(new double[] {bytes, gather, trade});
      return;
    }
    if (name.equals("right") && !line.has("failed")) {
      right.add(line);
      return;
    }
    if (!line.has("stepMs")) {
      notRun.put(name, line.path("failed").asString(line.path("impossible").asString("?")));
      return;
    }
    Part part =
        new Part(
            line.path("syncMs").asDouble(),
            line.path("stepMs").asDouble(),
            line.path("enqueueMs").asDouble(),
            line.path("timedSteps").asInt(),
            line.path("stepBytes").asLong(),
            line.path("bufferBytes").asLong(),
            line.path("peakGiB").asDouble(),
            line.path("finite").asBoolean());
    parts.merge(name, part, Part::worst);
    if (name.contains("+graph")) {
      recordings.merge(name, line.path("recording").asString(), (a, b) -> a.equals(b) ? a : a + "; " + b);
    }
  }

  /// Least squares of relative errors of t = alpha + bytes / beta; bytes that a rank receives.
  private static LatencyPlan.Link fit(List<double[]> points) {
    double sw = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (double[] p : points) {
      double w = 1 / (p[1] * p[1]);
      sw += w;
      sx += w * p[0];
      sy += w * p[1];
      sxx += w * p[0] * p[0];
      sxy += w * p[0] * p[1];
    }
    double slope = (sw * sxy - sx * sy) / (sw * sxx - sx * sx);
    double alpha = Math.max(0, (sy - slope * sx) / sw);
    return new LatencyPlan.Link(alpha, 1 / slope);
  }

  private LatencyPlan.Link links(Map<String, Object> all) {
    if (links.size() < 2) {
      return null;
    }
    List<double[]> gather = new ArrayList<>();
    List<double[]> trade = new ArrayList<>();
    System.out.println("\nexchange of bytes a rank: all-gather and trade with the next rank, us");
    for (double[] l : links) {
      gather.add(new double[] {l[0] * (ranks - 1), l[1]});
      trade.add(new double[] {l[0], l[2]});
      System.out.printf(Locale.ROOT, "%12.0f %10.1f %10.1f%n", l[0], l[1] * 1e6, l[2] * 1e6);
    }
    LatencyPlan.Link g = fit(gather);
    LatencyPlan.Link t = fit(trade);
    System.out.printf(
        Locale.ROOT,
        "all-gather: alpha %.1f us, beta %.1f GB/s; trade: alpha %.1f us, beta %.1f GB/s%n",
        g.latencySeconds() * 1e6,
        g.bytesPerSecond() / 1e9,
        t.latencySeconds() * 1e6,
        t.bytesPerSecond() / 1e9);
    all.put("links", links);
    all.put("allGather", g);
    all.put("trade", t);
    return g;
  }

  private static String subject(String part) {
    String[] words = part.split(" ");
    return words[0] + " " + words[1];
  }

  private void one(JsonNode peer) {
    System.out.println("\none GPU, guidance batch 2: ms a step (queued by the host in), the peer's, ratio, peak GiB (peer's)");
    parts.forEach(
        (name, p) -> {
          if (name.endsWith(" alone") || name.endsWith(" alone+graph")) {
            JsonNode of = peer.path(subject(name));
            double other = of.path("stepMs").asDouble();
            System.out.printf(
                Locale.ROOT,
                "%-26s %9.1f (%7.1f) %9.1f %6.2f  %5.1f (%.1f) %s%n",
                name, p.stepMs, p.enqueueMs, other, other / p.stepMs, p.peakGiB, of.path("peakGiB").asDouble(), p.finite ? "" : "NOT FINITE");
          }
        });
    System.out.println("\none rank's strip without company: ms a displaced step, of the whole");
    parts.forEach(
        (name, p) -> {
          Part alone = parts.get(subject(name) + " alone");
          if (name.contains(" strip")) {
            System.out.printf(Locale.ROOT, "%-36s %9.1f (%7.1f) %6.3f%n", name, p.stepMs, p.enqueueMs, alone == null ? Double.NaN : p.stepMs / alone.stepMs);
          }
        });
  }

  private void several(LatencyPlan.Link link, Map<String, Object> all) {
    if (ranks == 1) {
      return;
    }
    List<Map<String, Object>> rows = new ArrayList<>();
    System.out.printf(
        Locale.ROOT,
        "%n%d GPUs: sync and displaced ms a step (queued in), speedup of a step, 50 steps s and speedup, MB received a step, wire ms, exposed ms, overlap, buffers MB, peak GiB%n",
        ranks);
    parts.forEach(
        (name, p) -> {
          Part alone = parts.get(subject(name) + " alone");
          if (name.contains(" alone") || name.contains(" strip") || name.endsWith("unexchanged")) {
            return;
          }
          Part without = parts.get(name + " unexchanged");
          double wire = link == null ? Double.NaN : 1e3 * (17 * link.latencySeconds() + p.bytes / link.bytesPerSecond());
          double exposed = without == null ? Double.NaN : p.stepMs - without.stepMs;
          double overlap = without == null ? Double.NaN : Math.max(0, Math.min(1, 1 - exposed / wire));
          double whole = alone == null ? Double.NaN : alone.stepMs;
          double total = whole * STEPS / 1e3;
          System.out.printf(
              Locale.ROOT,
              "%-30s %8.1f %8.1f (%7.1f) %5.2f  %7.2f %5.2f  %9.2f %7.2f %7.2f %5.2f  %8.1f %5.1f %s%n",
              name, p.syncMs, p.stepMs, p.enqueueMs, whole / p.stepMs, p.seconds(), total / p.seconds(), p.bytes / 1e6, wire, exposed, overlap, p.buffers / 1e6, p.peakGiB, p.finite ? "" : "NOT FINITE");
          Map<String, Object> row = new LinkedHashMap<>();
          row.put("part", name);
          row.put("stepSpeedup", whole / p.stepMs);
          row.put("seconds50", p.seconds());
          row.put("speedup50", total / p.seconds());
          row.put("timedSteps", p.steps);
          row.put("wireMs", wire);
          row.put("exposedMs", exposed);
          rows.add(row);
        });
    all.put("several", rows);
  }

  /// More GPUs from one rank's strips and the link, beside what was measured where it was.
  private void predictions(LatencyPlan.Link link, Map<String, Object> all) {
    if (link == null) {
      return;
    }
    List<Map<String, Object>> rows = new ArrayList<>();
    System.out.println("\npredicted from strips and link: n, 50 steps s, speedup; measured s where it was");
    parts.forEach(
        (name, p) -> {
          String[] words = name.split(" ");
          Part alone = parts.get(subject(name) + " alone");
          if (!name.contains(" strip") || alone == null) {
            return;
          }
          int n = Integer.parseInt(words[4]);
          String graph = words[2].substring("strip".length()); // nothing or +graph
          Part with = parts.get(subject(name) + " " + words[3] + graph);
          Part without = parts.get(subject(name) + " " + words[3] + " unexchanged");
          double slowdown =
              with == null || without == null ? 0 : Math.max(0, with.stepMs / without.stepMs - 1);
          LatencyPlan plan =
              new LatencyPlan(Workload.of(words[0], Integer.parseInt(words[1])), alone.stepMs / 1e3, 0, slowdown, link);
          LatencyPlan.Prediction predicted =
              plan.predict(
                  Strategy.named(words[3], n, 0.3, 4, Strategy.Sync.CORRECTED_ASYNC_GN),
                  n,
                  STEPS,
                  WARMUP,
                  2,
                  Optional.of(new LatencyPlan.Part(p.stepMs / 1e3, p.stepMs / 1e3)),
                  Optional.empty());
          double measured = n == ranks && with != null ? with.seconds() : Double.NaN;
          System.out.printf(
              Locale.ROOT,
              "%-14s %-19s %d %8.2f %6.2f   %s%n",
              subject(name), words[3] + graph, n, predicted.seconds(), predicted.speedup(),
              Double.isNaN(measured) ? "" : String.format(Locale.ROOT, "%.2f s, %+.1f %%", measured, 100 * (predicted.seconds() / measured - 1)));
          Map<String, Object> row = new LinkedHashMap<>();
          row.put("subject", subject(name));
          row.put("recorded", !graph.isEmpty());
          row.put("slowdown", slowdown);
          row.put("prediction", predicted);
          row.put("measuredSeconds", measured);
          rows.add(row);
        });
    all.put("predictions", rows);
  }

  private static String run(String... command) {
    try {
      Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
      p.getOutputStream().close();
      return new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (java.io.IOException e) {
      return String.valueOf(e.getMessage());
    }
  }
}
