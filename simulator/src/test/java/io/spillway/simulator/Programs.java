package io.spillway.simulator;

import io.spillway.simulator.machine.ElfImage;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.ProcessOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/// Helpers that run programs here and under `qemu-riscv64`.
public final class Programs {
  private Programs() {}

  public static Machine machine(byte[] elf, ByteArrayOutputStream out, String... arguments) {
    return Machine.load(
        ElfImage.parse(Path.of("test"), elf), ProcessOptions.of(arguments).withOutput(out, out));
  }

  /// What a program printed and how it ended.
  public record Result(byte[] output, int status) {}

  /// Runs a program under qemu; the test is skipped where there is none.
  public static Result qemu(byte[] elf, String... arguments) throws Exception {
    Path program = Files.createTempFile("spillway", ".elf");
    try {
      Files.write(program, elf);
      program.toFile().setExecutable(true);
      return qemu(program, arguments);
    } finally {
      Files.delete(program);
    }
  }

  public static Result qemu(Path program, String... arguments) throws Exception {
    requireQemu();
    List<String> command = new ArrayList<>(List.of("qemu-riscv64", program.toString()));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    byte[] output = process.getInputStream().readAllBytes();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("qemu did not end");
    }
    return new Result(output, process.exitValue());
  }

  public static void requireQemu() {
    boolean there;
    try {
      there = new ProcessBuilder("qemu-riscv64", "--version").start().waitFor() == 0;
    } catch (IOException e) {
      there = false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      there = false;
    }
    Assumptions.assumeTrue(there, "qemu-riscv64 is absent (Debian: apt-get install qemu-user)");
  }
}
