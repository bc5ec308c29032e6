package io.spillway.cli.planner;

import io.spillway.planner.Job;
import io.spillway.planner.cost.Calibration;
import io.spillway.planner.memory.LearnedMemory;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.search.Request;
import io.spillway.platform.Seeds;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Precision;
import io.spillway.platform.model.Models;
import io.spillway.platform.yaml.Yaml;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options that name a job, a cluster and the cost model; shared by `plan` and `plan explain`.
final class PlanOptions {
  @Option(
      names = "--model",
      required = true,
      description = "A known model (such as gpt-175b, llama-3-70b) or the path of a config.json.")
  String model = "";

  @Option(names = "--cluster", required = true, description = "The cluster, a YAML file.")
  Path cluster = Path.of("");

  @Option(names = "--global-batch", required = true, description = "Sequences in one iteration.")
  int globalBatch;

  @Option(
      names = "--seq",
      defaultValue = "2048",
      description = "Tokens of one sequence (default ${DEFAULT-VALUE}).")
  int sequence;

  @Option(
      names = "--precision",
      defaultValue = "BF16",
      description = "Matrix arithmetic: ${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  Precision precision = Precision.BF16;

  @Option(
      names = "--no-flash",
      description = "Attention writes its scores to memory (fused attention is the default).")
  boolean noFlash;

  @Option(
      names = "--calibration",
      description = "YAML file with the cost model's figures (built-in ones by default).")
  @Nullable Path calibration;

  @Option(
      names = "--memory",
      description =
          "File of the memory model's figures, from plan validate --save-memory (built-in ones by"
              + " default).")
  @Nullable Path memory;

  @Option(
      names = "--margin",
      defaultValue = "0.06",
      description = "Share of each card's memory that stays free (default ${DEFAULT-VALUE}).")
  double margin;

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Seed of every random choice (default ${DEFAULT-VALUE}).")
  long seed;

  Job job() {
    return new Job(Models.find(model), globalBatch, sequence, precision, !noFlash);
  }

  Calibration figures() {
    Path file = calibration;
    return file == null ? Calibration.builtIn() : Yaml.read(file, Calibration.class);
  }

  private MemoryModel memoryModel() {
    Path file = memory;
    return file == null ? MemoryModel.builtIn() : LearnedMemory.read(file).model();
  }

  Request request(int top, double timeLimitSeconds) {
    return new Request(
        job(),
        Cluster.read(cluster),
        figures(),
        memoryModel(),
        top,
        timeLimitSeconds,
        margin,
        new Seeds(seed));
  }
}
