package io.spillway.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The text of the GPU kernels, compiled for the CPU, against plain loops over doubles. What only a
/// GPU shows is checked by `bench/gpu/parity.sh`.
class StepKernelsTest {
  @TempDir Path folder;

  @Test
  void theKernelsGiveWhatPlainLoopsGive() throws Exception {
    Path compiler = Path.of("/usr/bin/g++");
    assumeTrue(Files.isExecutable(compiler), "g++ is not installed");
    Path program = folder.resolve("step");
    run(
        List.of(
            compiler.toString(),
            "-std=c++17",
            "-O1",
            "-w",
            "-Isrc/main/resources/io/spillway/models",
            "-Isrc/test/cuda",
            "-o",
            program.toString(),
            "src/test/cuda/step_test.cpp"));
    assertThat(run(List.of(program.toString())).lines()).hasSizeGreaterThan(15);
  }

  private String run(List<String> command) throws Exception {
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    boolean ended = process.waitFor(5, TimeUnit.MINUTES);
    process.destroyForcibly();
    String told = Files.readString(log, StandardCharsets.UTF_8);
    assertThat(ended).as(told).isTrue();
    assertThat(process.exitValue()).as(told).isZero();
    return told;
  }
}
