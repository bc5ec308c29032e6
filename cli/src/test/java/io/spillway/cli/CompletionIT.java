package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The completion scripts, asked by the shells that they are for.
final class CompletionIT {
  @TempDir Path folder;

  @Test
  void bashCompletesCommandsOptionsAndTheirValues() throws Exception {
    assertThat(bash("spillway", "pla")).containsExactly("plan");
    assertThat(bash("spillway", "cluster", "i")).containsExactly("import");
    assertThat(bash("spillway", "plan", "--global")).containsExactly("--global-batch");
    assertThat(bash("spillway", "plan", "--method", "V")).containsExactly("VARUNA");
    assertThat(bash("./spillway", "doct")).containsExactly("doctor");
  }

  @Test
  void zshTakesTheScript() throws Exception {
    assumeTrue(has("zsh"), "zsh is not installed");
    Path script = script("zsh");
    assertThat(
            run(
                "zsh",
                "-f",
                "-c",
                "source \"$1\"; print -r -- \"${_comps[spillway]}\"",
                "zsh",
                script.toString()))
        .containsExactly("_bash_complete -F _complete_spillway -o default");
  }

  /// What bash offers for the last of `words`.
  private List<String> bash(String... words) throws Exception {
    Path script = script("bash");
    List<String> command =
        new ArrayList<>(
            List.of(
                "bash",
                "--norc",
                "-c",
                "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _complete_spillway;"
                    + " printf '%s\\n' \"${COMPREPLY[@]}\"",
                script.toString()));
    command.addAll(List.of(words));
    return run(command.toArray(String[]::new));
  }

  private Path script(String shell) throws IOException {
    String text = CompletionCommand.script(shell);
    return Files.writeString(folder.resolve(shell), text);
  }

  private static boolean has(String program) {
    for (String place : System.getenv("PATH").split(":", -1)) {
      if (Files.isExecutable(Path.of(place, program))) {
        return true;
      }
    }
    return false;
  }

  /// The lines that a command prints; standard error goes elsewhere, since the shells complain that
  /// nobody pressed the key.
  private List<String> run(String... command) throws Exception {
    Path out = Files.createTempFile(folder, "out", "");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("HOME", folder.toString());
    builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
    builder.redirectError(ProcessBuilder.Redirect.DISCARD).redirectOutput(out.toFile());
    Process process = builder.start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return Files.readString(out, StandardCharsets.UTF_8).lines().toList();
  }
}
