package io.spillway.planner.validate;

import io.spillway.planner.Job;
import io.spillway.planner.Keeps;
import io.spillway.planner.Parallel;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import io.spillway.platform.model.Models;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Reads the measured iterations and memory peaks that Sailor published.
///
/// Peaks are what nvidia-smi says a card uses. The models train in full precision (the states and
/// activations of the rows say so) and apply no dropout to attention scores; the OPT model uses
/// Megatron's norm, which keeps its output alone, and a rectifier, the GPT-Neo model torch's norm.
///
/// **Source:** the layers in the authors' fork of Megatron-DeepSpeed, of which GPT-Neo's is public.
final class SailorFile {
  static final String MARK = "peak_mem_bytes";

  private static final Map<String, String> ACCELERATORS =
      Map.of("GH-96", "GH200", "RTX-3090", "RTX-3090", "Titan-RTX", "TITAN-RTX");
  private static final Map<String, String> MODELS =
      Map.of("GPT-NEO", "gpt-neo-2.7b", "OPT-350", "opt-350m", "OPT-350?", "opt-350m");

  private SailorFile() {}

  static List<Measured> read(Path file) {
    return Csv.read(file, SailorFile::row);
  }

  private static Measured row(Csv.Row r) {
    Accelerator card = Accelerators.named(known(r, "gpu", ACCELERATORS));
    ModelShape model = Models.find(known(r, "model", MODELS));
    int tp = first(r, "tp_per_stage");
    int pp = r.integer("pp");
    int dp = first(r, "dp");
    // the rows of the smaller site fit its cards only with short sequences
    int sequence = card.memory().gib() < 30 ? 512 : 2048;
    boolean opt = model.name().startsWith("opt");
    Keeps keeps = new Keeps(!opt, true, false, !opt);
    Job job = new Job(model, r.integer("gbs"), sequence, Precision.FP32, false, keeps);
    Parallel cut = Parallel.of(tp, pp, dp, r.integer("mbs"), model.layers());
    int gpus = tp * pp * dp;
    int perNode = Math.min(gpus, card.memory().gib() < 30 ? 8 : 4);
    if (gpus % perNode != 0) {
      perNode = 1;
    }
    Cluster cluster =
        Cluster.even(
            r.text("cluster"),
            gpus / perNode,
            perNode,
            card,
            Link.of(5e-6, card.peer().bytesPerSecond()),
            Network.of(Link.of(10e-6, 25e9), perNode));
    return new Measured(
        model.name(),
        String.format(Locale.ROOT, "%s %s %s", card.name(), model.name(), cut.label()),
        job,
        cluster,
        cut,
        Optional.of(r.measured("iter_time_s")),
        Optional.of(r.measured(MARK)),
        doubt(r, dp));
  }

  /// An iteration cannot end with its reduction alone.
  private static Optional<String> doubt(Csv.Row r, int dp) {
    if (dp == 1 || !r.has("red_grads_s")) {
      return Optional.empty();
    }
    double iteration = r.number("iter_time_s");
    double reduction = r.number("red_grads_s");
    return reduction < iteration
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "its reduction (%.3f s) is as long as its iteration (%.3f s)",
                reduction,
                iteration));
  }

  private static String known(Csv.Row row, String column, Map<String, String> names) {
    String value = row.text(column);
    String name = names.get(value);
    if (name == null) {
      throw SpillwayException.badFile(
          row.file(),
          ":" + row.line(),
          "unknown %s '%s', %s",
          column,
          value,
          Nearest.hint(value, names.keySet()));
    }
    return name;
  }

  /// The first of values that are given for each stage; all must be equal.
  private static int first(Csv.Row row, String column) {
    String[] each = row.text(column).split("/");
    for (String value : each) {
      if (!value.equals(each[0]) || !value.matches("[1-9][0-9]{0,6}")) {
        throw SpillwayException.badFile(
            row.file(),
            ":" + row.line(),
            "%s is '%s', equal whole numbers joined by / were expected",
            column,
            row.text(column));
      }
    }
    return Integer.parseInt(each[0]);
  }
}
