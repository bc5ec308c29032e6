package io.spillway.cli.house;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.launch.LaunchSpec;
import io.spillway.platform.launch.RankLauncher;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `spillway launch`: starts the ranks of a job on this host and watches them.
@Command(
    description =
        "Starts N processes with torch's variables (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,"
            + " MASTER_PORT), shows their output, and ends all when one fails.")
public final class LaunchCommand extends SpillwayCommand {
  @Option(
      names = "--nproc",
      required = true,
      description = "Processes on this host; with GPUs usually one for each.")
  int processes;

  @Option(
      names = "--nnodes",
      defaultValue = "1",
      description = "Hosts of the job; run the same command on each (default: ${DEFAULT-VALUE}).")
  int nodes;

  @Option(
      names = "--node-rank",
      defaultValue = "0",
      description = "Number of this host, from 0 (default: ${DEFAULT-VALUE}).")
  int nodeRank;

  @Option(
      names = "--master-addr",
      description = "Host of rank 0; needed with several hosts (default: 127.0.0.1).")
  Optional<String> masterAddr = Optional.empty();

  @Option(
      names = "--master-port",
      description =
          "TCP port of rank 0's store (default: a free one on one host, 29500 on several).")
  Optional<Integer> masterPort = Optional.empty();

  @Option(
      names = "--grace",
      defaultValue = "5",
      description =
          "Seconds that ranks get to end before they are killed (default: ${DEFAULT-VALUE}).")
  int graceSeconds;

  @Parameters(
      paramLabel = "COMMAND",
      arity = "1..*",
      description = "Program and arguments of every rank, after --.")
  List<String> command = new ArrayList<>();

  private int status;

  @Override
  protected void execute() throws InterruptedException {
    if (nodes > 1 && masterAddr.isEmpty()) {
      throw SpillwayException.badInput(
          "--nnodes %d needs --master-addr, the host of rank 0", nodes);
    }
    if (graceSeconds < 0) {
      throw SpillwayException.badInput("--grace %d s must not be negative", graceSeconds);
    }
    LaunchSpec spec =
        new LaunchSpec(
            command,
            processes,
            nodes,
            nodeRank,
            masterAddr.orElse("127.0.0.1"),
            masterPort.orElseGet(() -> nodes > 1 ? 29_500 : LaunchSpec.freePort()),
            Map.of(),
            List.of(),
            Duration.ofSeconds(graceSeconds));
    int width = Integer.toString(nodes * processes - 1).length();
    RankLauncher.Outcome outcome =
        RankLauncher.run(spec, (rank, error, text) -> print(width, rank, error, text));
    status = outcome.exitStatus();
    if (!outcome.explanation().isEmpty()) {
      System.err.println("spillway: " + outcome.explanation());
    }
  }

  private static void print(int width, int rank, boolean error, String text) {
    PrintStream stream = error ? System.err : System.out;
    stream.println(String.format("[rank %" + width + "d] %s", rank, text));
  }

  @Override
  protected int exitStatus() {
    return status;
  }
}
