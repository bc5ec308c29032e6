package io.spillway.simulator.timing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.simulator.Programs;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.system.SystemFiles;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A sampled run estimates the whole run within its confidence interval, and runs repeat.
final class SamplingTest {
  private static TimingResult run(String command, TimingRun.Window window) throws Exception {
    String[] words = command.split(" ");
    byte[] elf = Files.readAllBytes(Path.of("workloads/programs", words[0]));
    try (Machine machine = Programs.machine(elf, new ByteArrayOutputStream(), words)) {
      return new TimingRun(SystemFiles.load("minor"), machine).run(window);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"is S", "bfs kronecker 11", "tc kronecker 9"})
  void wholeRunLiesWithinTheInterval(String command) throws Exception {
    TimingResult whole = run(command, TimingRun.Window.ALL);
    TimingRun.Window window = new TimingRun.Window(0, 2_000, 1_000, 20_000);
    TimingResult sampled = run(command, window);
    TimingResult.Samples samples = sampled.samples().orElseThrow();
    assertThat(sampled.exitStatus()).isEqualTo(whole.exitStatus()).isZero();
    assertThat(sampled.instructions()).isEqualTo(whole.instructions());
    assertThat(samples.count()).isGreaterThan(50);
    assertThat(samples.halfWidth()).isLessThan(0.2 * whole.cpi());
    assertThat(samples.cpi()).isCloseTo(whole.cpi(), within(samples.halfWidth()));
    assertThat(run(command, window).samples()).contains(samples);
  }

  @Test
  void aWindowMeasuresAsManyInstructionsAsAsked() throws Exception {
    TimingResult part = run("is S", new TimingRun.Window(1_000_000, 50_000, 200_000, 0));
    assertThat(part.instructions()).isEqualTo(200_000);
    assertThat(part.finished()).isFalse();
    assertThat(part.cpi()).isBetween(0.5, 20.0);
  }

  @Test
  void aWindowCountsItsOwnBranchesOnly() throws Exception {
    TimingRun.Window small = new TimingRun.Window(0, 500_000, 1_000, 0);
    TimingResult part = run("bfs kronecker 11", small);
    assertThat(part.instructions()).isEqualTo(1_000);
    // a hundred instructions of each wrong path at most are predicted besides
    assertThat(part.conditionalBranches()).isBetween(1L, 1_000L + 100 * part.mispredicts());
    assertThat(part.mispredicts()).isLessThanOrEqualTo(1_000);
  }

  @Test
  void refusesSamplesLongerThanTheirPeriod() {
    assertThatThrownBy(() -> new TimingRun.Window(0, 900, 200, 1_000))
        .isInstanceOfSatisfying(
            SpillwayException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT))
        .hasMessageContaining("900")
        .hasMessageContaining("1000");
  }
}
