package io.spillway.cli;

import io.spillway.sweep.SweepExecutor;
import io.spillway.sweep.SweepExecutors;
import picocli.CommandLine.Option;

/// Where the points of a sweep run: `--executor`, `--threads`; one for every command that sweeps.
public final class ExecutorOptions {
  @Option(
      names = "--executor",
      defaultValue = "local",
      paramLabel = "NAME",
      description =
          "local, local:N (threads), spark://HOST:PORT, or local-cluster[WORKERS,CORES,MEGABYTES] to"
              + " try Spark here. Default: ${DEFAULT-VALUE}.")
  private String name = "local";

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Points at once for local. Default: the number of processors.")
  private int threads = Runtime.getRuntime().availableProcessors();

  public SweepExecutor open() {
    return SweepExecutors.of(name, threads);
  }
}
