package io.spillway.simulator.functional;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.simulator.Programs;
import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Engine;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import io.spillway.simulator.machine.ProgramFault;
import io.spillway.simulator.machine.Scheduler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Static programs of Debian's cross compilers with their C and C++ libraries print and return what
/// they do under qemu. Skipped where compiler or qemu are absent.
final class LinuxProgramsTest {
  private static final String INPUT = "ab\nc\n";

  @TempDir Path folder;

  private Path build(String compiler, String source) throws Exception {
    Path program = folder.resolve("program");
    List<String> command =
        List.of(
            compiler,
            "-O2",
            "-static",
            "-o",
            program.toString(),
            "src/test/c/" + source,
            "-lm",
            "-w");
    Process process;
    try {
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    } catch (IOException e) {
      Assumptions.abort(
          compiler + " is absent (Debian: apt-get install g++-riscv64-linux-gnu): " + e);
      throw e;
    }
    assertThat(process.waitFor()).as("%s %s", compiler, source).isZero();
    return program;
  }

  private Programs.Result underQemu(Path program, String... arguments) throws Exception {
    Programs.requireQemu();
    List<String> command = new ArrayList<>(List.of("qemu-riscv64", program.toString()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .directory(Files.createDirectory(folder.resolve("qemu")).toFile())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (var in = process.getOutputStream()) {
      in.write(INPUT.getBytes(StandardCharsets.UTF_8));
    }
    byte[] output = process.getInputStream().readAllBytes();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return new Programs.Result(output, process.exitValue());
  }

  private void sameAsUnderQemu(Path program, String... arguments) throws Exception {
    Programs.Result expected = underQemu(program, arguments);
    List<String> all = new ArrayList<>(List.of("program"));
    all.addAll(List.of(arguments));
    List<Function<Machine, Engine>> engines =
        List.of(Interpreter::new, m -> new FunctionalEngine(m, 5), FunctionalEngine::new);
    List<Long> retired = new ArrayList<>();
    for (Function<Machine, Engine> engine : engines) {
      Path root = Files.createTempDirectory(folder, "root");
      Files.createDirectory(root.resolve("tmp"));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ProcessOptions options =
          ProcessOptions.of(all.toArray(String[]::new))
              .withOutput(out, new ByteArrayOutputStream())
              .withInput(new ByteArrayInputStream(INPUT.getBytes(StandardCharsets.UTF_8)))
              .withRoot(root);
      try (Machine machine = Machine.load(ElfImage.read(program), options)) {
        new Scheduler(machine, engine.apply(machine)).run();
        assertThat(out.toString(StandardCharsets.UTF_8))
            .isEqualTo(new String(expected.output(), StandardCharsets.UTF_8));
        assertThat(machine.exitStatus()).isEqualTo(expected.status());
        retired.add(machine.retired());
      }
    }
    assertThat(retired).as("instructions under every engine").containsOnly(retired.get(0));
  }

  @Test
  void libraryOfC() throws Exception {
    sameAsUnderQemu(build("riscv64-linux-gnu-gcc", "libc.c"), "one", "two words");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pthreads.c", "signals.c", "files.c", "numbers.c", "shared.c"})
  void callsOfLinuxThroughTheLibraryOfC(String source) throws Exception {
    sameAsUnderQemu(build("riscv64-linux-gnu-gcc", source));
  }

  @Test
  void whatIsMappedSharedIsInTheFileAtTheEnd() throws Exception {
    Path program = build("riscv64-linux-gnu-gcc", "shared.c");
    ProcessOptions options =
        ProcessOptions.of("program")
            .withOutput(new ByteArrayOutputStream(), new ByteArrayOutputStream())
            .withRoot(folder);
    try (Machine machine = Machine.load(ElfImage.read(program), options)) {
      new Scheduler(machine, new FunctionalEngine(machine)).run();
    }
    assertThat(Files.readString(folder.resolve("left")))
        .startsWith("kept at the end\0")
        .hasSize(4096);
    assertThat(Files.size(folder.resolve("short"))).isEqualTo(3);
  }

  @Test
  void libraryOfCpp() throws Exception {
    sameAsUnderQemu(build("riscv64-linux-gnu-g++", "library.cc"));
  }

  @Test
  void aSecondProcessIsRefusedByName() throws Exception {
    Path program = build("riscv64-linux-gnu-gcc", "fork.c");
    try (Machine machine = Machine.load(ElfImage.read(program), ProcessOptions.of("program"))) {
      assertThatThrownBy(() -> new Scheduler(machine, new Interpreter(machine)).run())
          .isInstanceOf(ProgramFault.class)
          .hasMessageContaining("a second process (fork, vfork, system, popen) is not offered");
    }
  }

  @Test
  void libraryOfCppWithThreads() throws Exception {
    sameAsUnderQemu(build("riscv64-linux-gnu-g++", "threads.cc"));
  }
}
