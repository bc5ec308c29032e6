package io.spillway.planner.validate;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Recompute;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.ModelShape;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Reads the measured iterations that vTrain published: Megatron-LM with full recomputation on
/// nodes of eight A100 with four HDR InfiniBand rails.
final class VtrainFile {
  static final String MARK = "iteration time (ms)";

  private VtrainFile() {}

  static List<Measured> read(Path file) {
    return Csv.read(file, VtrainFile::row);
  }

  private static Measured row(Csv.Row r) {
    int heads = r.integer("attention heads");
    int layers = r.integer("# layers");
    int hidden = r.integer("hidden size");
    ModelShape model =
        ModelShape.gpt(
            "gpt-" + r.text("Parameters (billion)") + "b",
            hidden,
            layers,
            heads,
            51_200,
            r.integer("sequence length"));
    int gpus = r.integer("# GPUs");
    Job job =
        new Job(
            model, r.integer("global batch"), r.integer("sequence length"), Precision.FP16, false);
    Parallel cut =
        Parallel.of(
                r.integer("tensor parallelism"),
                r.integer("pipeline parallelism"),
                r.integer("data parallelism"),
                r.integer("micro batch"),
                layers)
            .withRecompute(Recompute.FULL);
    return new Measured(
        model.name(),
        String.format(Locale.ROOT, "%s %s", model.name(), cut.label()),
        job,
        cluster(gpus),
        cut,
        Optional.of(r.measured(MARK) / 1e3),
        Optional.empty());
  }

  static Cluster cluster(int gpus) {
    int perNode = gpus <= 8 ? gpus : gpus % 8 == 0 ? 8 : 1;
    return Cluster.even(
        "a100",
        gpus / perNode,
        perNode,
        Accelerators.named("A100-80"),
        Link.of(5e-6, 300e9),
        Network.of(Link.of(10e-6, 25e9), 4));
  }
}
