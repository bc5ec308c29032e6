package io.spillway.cli;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The table of commands, by the task they serve. A command's class is loaded only when it is
/// called, which keeps the start of every other command short.
public final class Commands {
  /// One command.
  ///
  /// @param task the heading under which help lists it
  /// @param name the word after `./spillway`
  /// @param summary one line of help
  /// @param className the picocli command class
  record Entry(String task, String name, String summary, String className) {
    Object create() {
      try {
        return Class.forName(className).getDeclaredConstructor().newInstance();
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("command class " + className, e);
      }
    }
  }

  private static final String PLANNING = "Plan a training job";
  private static final String SIMULATING = "Simulate cores and caches";
  private static final String SERVING = "Serve long prompts";
  private static final String TRAINING = "Train past GPU memory";
  private static final String DRAWING = "Make images on many devices";
  private static final String SENSING = "Learn from events";
  private static final String HOUSE = "This installation";

  private static final List<Entry> ENTRIES =
      List.of(
          new Entry(
              DRAWING,
              "diffuse",
              "make images; several ranks share one by a strategy",
              "io.spillway.cli.diffusion.DiffuseCommand"),
          new Entry(
              PLANNING,
              "plan",
              "cut and place a training job on a real cluster",
              "io.spillway.cli.planner.PlanCommand"),
          new Entry(
              PLANNING,
              "cluster",
              "import measured links, show a cluster",
              "io.spillway.cli.planner.ClusterCommand"),
          new Entry(
              SIMULATING,
              "simulate",
              "run RISC-V programs on simulated cores",
              "io.spillway.cli.simulator.SimulateCommand"),
          new Entry(
              PLANNING,
              "profile",
              "measure the links between ranks, write the cluster",
              "io.spillway.cli.planner.ProfileCommand"),
          new Entry(
              SERVING,
              "generate",
              "answer a long prompt from a fixed cache budget",
              "io.spillway.cli.longcontext.GenerateCommand"),
          new Entry(
              SERVING,
              "chat",
              "talk with a model on the terminal",
              "io.spillway.cli.longcontext.ChatCommand"),
          new Entry(
              SERVING,
              "retain",
              "train and judge retaining heads",
              "io.spillway.cli.longcontext.RetainCommand"),
          new Entry(
              SERVING,
              "longcontext",
              "measure cache policies side by side",
              "io.spillway.cli.longcontext.LongContextCommand"),
          new Entry(
              SERVING,
              "serve",
              "serve OpenAI's API over long contexts",
              "io.spillway.cli.longcontext.ServeCommand"),
          new Entry(
              SENSING,
              "reservoir",
              "recognise events and sound with a reservoir on resistive memory",
              "io.spillway.cli.reservoir.ReservoirCommand"),
          new Entry(
              HOUSE,
              "demo",
              "run every system on small real input, write one page",
              "io.spillway.cli.house.DemoCommand"),
          new Entry(
              HOUSE,
              "reproduce",
              "measure the papers' headline claims beside their figures",
              "io.spillway.cli.house.ReproduceCommand"),
          new Entry(
              TRAINING,
              "train",
              "train a decoder whose optimizer does not fit; plan and profile the split",
              "io.spillway.cli.training.TrainCommand"),
          new Entry(
              HOUSE,
              "sweep",
              "run a command over many values, on threads or on Spark",
              "io.spillway.cli.house.SweepCommand"),
          new Entry(
              HOUSE,
              "doctor",
              "say what works on this machine and how to mend the rest",
              "io.spillway.cli.house.DoctorCommand"),
          new Entry(
              HOUSE,
              "ui",
              "serve the web page over all six systems",
              "io.spillway.cli.house.UiCommand"),
          new Entry(
              HOUSE,
              "launch",
              "start, watch and end the processes of a job",
              "io.spillway.cli.house.LaunchCommand"),
          new Entry(
              HOUSE,
              "completion",
              "print the completion script for bash or zsh",
              "io.spillway.cli.CompletionCommand"));

  /// Subcommands that are started without their parent, by what the user writes: their siblings are
  /// then not even loaded, which halves the time to read the command line. They keep no run record.
  private static final Map<String, String> DIRECT =
      Map.of("simulate run", "io.spillway.cli.simulator.SimulateRunCommand");

  private Commands() {}

  /// The subcommand that `args` begin with, if it is one that starts without its parent.
  static Optional<Entry> direct(String... args) {
    if (args.length < 2) {
      return Optional.empty();
    }
    String name = args[0] + " " + args[1];
    return Optional.ofNullable(DIRECT.get(name)).map(c -> new Entry(HOUSE, name, "", c));
  }

  static List<Entry> entries() {
    return ENTRIES;
  }

  static Optional<Entry> find(String name) {
    return ENTRIES.stream().filter(e -> e.name().equals(name)).findFirst();
  }

  static List<String> names() {
    return ENTRIES.stream().map(Entry::name).toList();
  }

  /// The help page: commands grouped by task.
  static String help() {
    StringBuilder out = new StringBuilder();
    out.append(
        """
        Spillway runs AI workloads past the memory wall.

        Usage: ./spillway COMMAND [OPTIONS]
        """);
    for (String task : List.of(PLANNING, SIMULATING, SERVING, TRAINING, DRAWING, SENSING, HOUSE)) {
      List<Entry> under = ENTRIES.stream().filter(e -> e.task().equals(task)).toList();
      if (under.isEmpty()) {
        continue;
      }
      out.append('\n').append(task).append('\n');
      for (Entry e : under) {
        out.append(String.format("  %-14s %s%n", e.name(), e.summary()));
      }
    }
    out.append(
        """
          test           run every test
          package        pack an archive that runs without Java, a .deb, add-ons

        ./spillway COMMAND --help tells more of each. Most commands take --json.
        Exit status: 0 done, 2 bad input, 3 does not fit or not available, 1 our fault.
        """);
    return out.toString();
  }
}
