package io.spillway.cli;

import io.spillway.cli.simulator.EarlyStart;
import io.spillway.cli.simulator.SimulateRunCommand;
import io.spillway.platform.ErrorCode;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/// Entry point of `./spillway`: finds the command, runs it and turns failures into one line and an
/// exit status (0 done, 2 bad input, 3 does not fit or not available, 1 our fault, 130
/// interrupted).
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    speakUtf8();
    int status = run(args);
    if (Commands.direct(args).isPresent()) {
      // exit first looks for a logger to tell, for longer than the machine took to start; such a
      // command leaves nothing to hooks
      System.out.flush();
      System.err.flush();
      Runtime.getRuntime().halt(status);
    }
    System.exit(status);
  }

  /// A container's locale is often POSIX, whose characters are ASCII: answers of a model would be
  /// question marks. What reads them takes UTF-8.
  private static void speakUtf8() {
    if (System.out.charset().equals(StandardCharsets.US_ASCII)) {
      System.setOut(new PrintStream(System.out, true, StandardCharsets.UTF_8));
    }
    if (System.err.charset().equals(StandardCharsets.US_ASCII)) {
      System.setErr(new PrintStream(System.err, true, StandardCharsets.UTF_8));
    }
  }

  /// Runs one command line and returns the exit status.
  public static int run(String... args) {
    if (args.length == 0 || args[0].equals("--help") || args[0].equals("-h")) {
      System.out.print(Commands.help());
      return 0;
    }
    if (args[0].equals("--version") || args[0].equals("-V")) {
      System.out.println("spillway " + Version.text());
      return 0;
    }
    Optional<Commands.Entry> direct = Commands.direct(args);
    if (direct.isPresent()) {
      EarlyStart.begin(Arrays.asList(args));
      List<String> words = Arrays.asList(args).subList(2, args.length);
      Optional<SimulateRunCommand> plain = SimulateRunCommand.plain(words);
      if (plain.isPresent()) {
        return call(plain.get());
      }
      return execute(commandLine(direct.get()), Arrays.copyOfRange(args, 2, args.length));
    }
    String name = args[0].equals("help") && args.length > 1 ? args[1] : args[0];
    Optional<Commands.Entry> entry = Commands.find(name);
    if (entry.isEmpty()) {
      return fail(
          ErrorCode.BAD_INPUT,
          "unknown command '" + name + "', " + Nearest.hint(name, Commands.names()));
    }
    String[] rest =
        args[0].equals("help") ? new String[] {"--help"} : Arrays.copyOfRange(args, 1, args.length);
    CommandLine line = commandLine(entry.get());
    return execute(line, rest);
  }

  /// Runs a command; picocli hands on exceptions only, a full heap is told here.
  private static int execute(CommandLine line, String... args) {
    try {
      return line.execute(args);
    } catch (OutOfMemoryError e) {
      return report(e);
    }
  }

  private static int call(SpillwayCommand command) {
    try {
      return command.call();
    } catch (Exception e) {
      return report(e);
    }
  }

  /// The picocli command of one entry, with our error handling.
  static CommandLine commandLine(Commands.Entry entry) {
    CommandLine line = new CommandLine(entry.create());
    line.setCommandName("spillway " + entry.name());
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setAbbreviatedOptionsAllowed(false);
    line.setUsageHelpAutoWidth(true);
    line.setParameterExceptionHandler((e, a) -> {
      CommandLine at = e.getCommandLine();
      fail(ErrorCode.BAD_INPUT, oneLine(e.getMessage()));
      System.err.println("see: ./" + at.getCommandSpec().qualifiedName().trim() + " --help");
      return ErrorCode.BAD_INPUT.exitStatus();
    });
    line.setExecutionExceptionHandler((e, c, r) -> report(e));
    return line;
  }

  /// Prints a failure as a person should read it and returns its exit status.
  static int report(Throwable e) {
    if (e instanceof SpillwayException s) {
      return fail(s.code(), oneLine(s.getMessage()));
    }
    if (e instanceof UncheckedIOException io) {
      return fail(ErrorCode.NOT_AVAILABLE, oneLine(io.getMessage()));
    }
    if (e instanceof OutOfMemoryError) {
      return fail(
          ErrorCode.DOES_NOT_FIT,
          "the Java heap of "
              + Runtime.getRuntime().maxMemory() / (1 << 20)
              + " MiB is full; give more with SPILLWAY_JAVA_OPTIONS=-Xmx…");
    }
    fail(ErrorCode.INTERNAL, "this is a fault of ours: " + e);
    e.printStackTrace();
    return ErrorCode.INTERNAL.exitStatus();
  }

  private static int fail(ErrorCode code, String message) {
    System.err.println("spillway: " + message);
    return code.exitStatus();
  }

  private static String oneLine(@Nullable String message) {
    return message == null ? "no reason given" : message.strip().replaceAll("\\s*\\R\\s*", " ");
  }
}
