package io.spillway.cli.planner;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.SpillwayException;
import picocli.CommandLine.Command;

/// Clusters: import measured links, show them.
@Command(
    name = "cluster",
    description = "Import measured links, show a cluster.",
    subcommands = {ClusterImportCommand.class, ClusterShowCommand.class})
public final class ClusterCommand extends SpillwayCommand {
  @Override
  protected void execute() {
    throw SpillwayException.badInput(
        "name what to do: cluster import FILE ..., cluster show FILE; see ./spillway cluster --help");
  }
}
