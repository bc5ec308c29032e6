package io.spillway.planner.validate;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import io.spillway.platform.hardware.Node;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Reads AMP's trials on AWS: a GPT of 24 layers on four nodes of four T4 (homogeneous) or on three
/// nodes of V100 and one of T4 (uneven cluster), and the generator of TransGAN on four nodes of
/// V100 (uneven model). The published list counts embedding and head as pieces beside the layers.
final class AmpFile {
  static final String MARK = "amp_pred_s";

  private static final List<String> EXPERIMENTS =
      List.of("homogeneous", "het_cluster", "het_model");
  private static final int LAYERS = 24;
  private static final int BATCH = 32;
  private static final int UNEVEN_MODEL_BATCH = 64;

  private AmpFile() {}

  static List<Measured> read(Path file) {
    return Csv.read(file, AmpFile::row);
  }

  private static Measured row(Csv.Row r) {
    String experiment = r.text("experiment");
    if (!EXPERIMENTS.contains(experiment)) {
      throw SpillwayException.badInput(
          "unknown experiment '%s', %s", experiment, Nearest.hint(experiment, EXPERIMENTS));
    }
    int tp = r.integer("tp");
    int dp = r.integer("dp");
    int pp = r.integer("pp");
    int micro = r.integer("mbs");
    Job job =
        new Job(
            ModelShape.gpt("gpt2-amp-" + experiment, 1024, LAYERS, 16, 52_256, 1024),
            experiment.equals("het_model") ? UNEVEN_MODEL_BATCH : BATCH,
            1024,
            Precision.FP16,
            false);
    Parallel cut = Parallel.of(tp, pp, dp, micro, LAYERS).withLayers(layers(r, pp));
    return new Measured(
        experiment,
        String.format(Locale.ROOT, "%s %s", experiment, cut.label()),
        job,
        cluster(experiment),
        cut,
        r.measuredUnlessFailed("real_s"),
        Optional.empty(),
        weightless(experiment, cuts(r, pp)));
  }

  /// AMP's own prediction of each row.
  static double[] ampPredictions(Path file) {
    return Csv.read(file).stream().mapToDouble(r -> r.number(MARK)).toArray();
  }

  /// Nodes of four T4 on PCIe have a network of 50 Gbit/s, nodes of four V100 with NVLink one of 10
  /// Gbit/s, as AMP's settings state them. The uneven cluster's T4 node comes last.
  private static Cluster cluster(String experiment) {
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      boolean v100 = experiment.equals("het_model") || experiment.equals("het_cluster") && i < 3;
      nodes.add(
          new Node(
              "aws" + i,
              Accelerators.named(v100 ? "V100-16" : "T4"),
              4,
              v100 ? Link.of(10e-6, 170e9 / 8) : Link.of(10e-6, 50e9 / 8),
              List.of()));
    }
    double slowest = experiment.equals("homogeneous") ? 50e9 : 10e9;
    return new Cluster("aws", nodes, Network.of(Link.of(30e-6, slowest / 8), 1));
  }

  /// DeepSpeed trains no stage without weights; the first of GPT's pieces converts to half
  /// precision.
  private static Optional<String> weightless(String experiment, int[] cuts) {
    return !experiment.equals("het_model") && cuts[1] == 1
        ? Optional.of("its first stage holds a conversion alone, nothing that can be trained")
        : Optional.empty();
  }

  /// Layers of each stage from cuts such as `[0 9 15 21 30]` over 30 or 56 pieces, scaled to the
  /// model's layers.
  private static List<Integer> layers(Csv.Row r, int pp) {
    int[] cuts = cuts(r, pp);
    Integer[] layers = new Integer[pp];
    int left = LAYERS;
    for (int x = 0; x < pp; x++) {
      // of 30 pieces three stand before the layers and three behind them
      int share =
          cuts[pp] == LAYERS + 6
              ? Math.clamp(cuts[x + 1] - 3, 0, LAYERS)
              : Math.round((float) LAYERS * cuts[x + 1] / Math.max(1, cuts[pp]));
      int before = LAYERS - left;
      int rest = pp - 1 - x;
      layers[x] = Math.clamp(share - before, 1, Math.max(1, left - rest));
      left -= layers[x];
    }
    layers[pp - 1] += left;
    return List.of(layers);
  }

  private static int[] cuts(Csv.Row r, int pp) {
    String text = r.text("partition").replaceAll("[\\[\\]]", " ").strip();
    String[] cells = text.split("\\s+");
    if (cells.length != pp + 1) {
      throw SpillwayException.badFile(
          r.file(), ":" + r.line(), "partition '%s' has not %d cuts", text, pp + 1);
    }
    int[] cuts = new int[pp + 1];
    for (int i = 0; i <= pp; i++) {
      if (!cells[i].matches("[0-9]{1,4}")) {
        throw SpillwayException.badFile(
            r.file(), ":" + r.line(), "partition '%s' holds no whole numbers", text);
      }
      cuts[i] = Integer.parseInt(cells[i]);
    }
    return cuts;
  }
}
