package io.spillway.cli;

import io.spillway.platform.SpillwayException;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// Prints the completion script of a shell.
@Command(
    name = "completion",
    description =
        "Print the completion script of a shell; source it from the shell's start-up file.")
public final class CompletionCommand extends SpillwayCommand {
  @Parameters(paramLabel = "SHELL", description = "bash or zsh")
  private String shell = "";

  @Override
  protected void execute() {
    System.out.print(script(shell));
  }

  /// **Errors:** another shell.
  static String script(String shell) {
    return switch (shell) {
      case "bash" -> bash();
      case "zsh" ->
          "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"
              + bash();
      default ->
          throw SpillwayException.badInput("no completion for '%s', write bash or zsh", shell);
    };
  }

  private static String bash() {
    CommandLine root = new CommandLine(new Root());
    for (Commands.Entry entry : Commands.entries()) {
      root.addSubcommand(entry.name(), new CommandLine(entry.create()));
    }
    return AutoComplete.bash("spillway", root)
        + "complete -F _complete_spillway -o default ./spillway\n";
  }

  /// Stands for `./spillway` itself.
  @Command(name = "spillway")
  private static final class Root implements Runnable {
    @Override
    public void run() {}
  }
}
