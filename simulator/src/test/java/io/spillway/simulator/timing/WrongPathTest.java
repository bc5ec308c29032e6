package io.spillway.simulator.timing;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.Programs;
import io.spillway.simulator.TinyElf;
import io.spillway.simulator.isa.Op;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.system.SystemFiles;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Loads behind a branch that is predicted not taken, waits for memory and is taken.
class WrongPathTest {
  private static final int BASE = 5;

  /// Runs a slow branch over `wrong`, then `right`, then the end.
  private static TimingResult run(String system, Consumer<TinyElf> wrong, Consumer<TinyElf> right)
      throws Exception {
    // the address of the data follows from the size of the code
    TinyElf sized = program(0, wrong, right);
    TinyElf program = program(sized.dataAddress(), wrong, right);
    try (Machine machine = Programs.machine(program.build(), new ByteArrayOutputStream())) {
      TimingResult result =
          new TimingRun(SystemFiles.load(system), machine).run(TimingRun.Window.ALL);
      assertThat(machine.exitStatus()).isZero();
      return result;
    }
  }

  private static TinyElf program(long data, Consumer<TinyElf> wrong, Consumer<TinyElf> right) {
    TinyElf skipped = new TinyElf();
    wrong.accept(skipped);
    TinyElf program = new TinyElf();
    // the code begins at 0x100b0: all of it is to lie in one line of 64 bytes
    for (int i = 0; i < 4; i++) {
      program.i(Op.ADDI, 0, 0, 0);
    }
    program.value(BASE, data).i(Op.LD, 7, BASE, 0);
    program.s(Op.BEQ, 7, 0, skipped.size() + 4);
    wrong.accept(program);
    right.accept(program);
    return program.call(93, 0, 0, 0);
  }

  private static long dataAccesses(TimingResult result) {
    return result.caches().get(1).accesses();
  }

  private static void load(TinyElf program, int offset) {
    program.i(Op.LD, 8, BASE, offset);
  }

  @Test
  void aLoadOfTheWrongPathBringsItsLine() throws Exception {
    // the fence keeps the wrong path from what follows it
    Consumer<TinyElf> loads =
        p -> {
          load(p, 1024);
          p.word(Op.FENCE.match());
        };
    Consumer<TinyElf> adds = p -> p.i(Op.ADDI, 8, 8, 1).word(Op.FENCE.match());
    TimingResult with = run("o3", loads, p -> load(p, 1024));
    TimingResult without = run("o3", adds, p -> load(p, 1024));
    assertThat(dataAccesses(with)).isEqualTo(3);
    assertThat(dataAccesses(without)).isEqualTo(2);
    // the line is there or on its way when the right path asks for it
    assertThat(with.cycles()).isLessThan(without.cycles() - 50);
  }

  @Test
  void anInOrderCoreSendsOnlyLoadsWhoseAddressWasKnownBefore() throws Exception {
    assertThat(dataAccesses(run("minor", p -> load(p, 1024), p -> {}))).isEqualTo(2);
    Consumer<TinyElf> computed =
        p -> {
          p.i(Op.ADDI, BASE, BASE, 8);
          load(p, 1024);
        };
    assertThat(dataAccesses(run("minor", computed, p -> {}))).isEqualTo(1);
  }

  @Test
  void aSystemMayDoWithout(@TempDir Path folder) throws Exception {
    String yaml =
        new String(
            Objects.requireNonNull(getClass().getResourceAsStream("/systems/o3.yaml"))
                .readAllBytes(),
            StandardCharsets.UTF_8);
    Path file =
        Files.writeString(
            folder.resolve("system.yaml"),
            yaml.replace("type: out-of-order", "type: out-of-order\n  wrong_path_loads: false"));
    assertThat(dataAccesses(run("o3", p -> load(p, 1024), p -> {}))).isEqualTo(2);
    assertThat(dataAccesses(run(file.toString(), p -> load(p, 1024), p -> {}))).isEqualTo(1);
  }

  @Test
  void nothingPassesWhatWaitsForAllBeforeIt() throws Exception {
    assertThat(
            dataAccesses(
                run(
                    "o3",
                    p -> {
                      p.word(Op.FENCE.match());
                      load(p, 1024);
                    },
                    p -> {})))
        .isEqualTo(1);
  }

  @Test
  void aBranchOfTheWrongPathLeadsFetchElsewhere() throws Exception {
    Consumer<TinyElf> wrong =
        p -> {
          p.s(Op.BEQ, BASE, BASE, 12); // predicted not taken, taken
          p.word(Op.FENCE.match());
          load(p, 1024);
          load(p, 1536);
        };
    TimingResult result = run("o3", wrong, p -> {});
    assertThat(dataAccesses(result)).isEqualTo(2);
    // only the branch of the right path counts as mispredicted
    assertThat(result.conditionalMispredicts()).isEqualTo(1);
    assertThat(result.targetMispredicts()).isZero();
    assertThat(result.mispredicts()).isEqualTo(1);
    assertThat(result.decodeRedirects()).isZero();
    assertThat(result.wrongPathMispredicts()).isEqualTo(1);
  }

  @Test
  void decodePutsAJumpOfTheWrongPathRight() throws Exception {
    // not in the target buffer, so fetch goes on behind it until decode knows better
    Consumer<TinyElf> wrong =
        p -> {
          p.word(Op.JAL.match() | 8 << 20); // jumps over the fence
          p.word(Op.FENCE.match());
          load(p, 1024);
        };
    TimingResult result = run("o3", wrong, p -> {});
    assertThat(result.wrongPathMispredicts()).isEqualTo(1);
    assertThat(result.decodeRedirects()).isZero();
    assertThat(dataAccesses(result)).as("the load behind the jump is sent").isEqualTo(2);
  }

  @Test
  void whatMayNotBeReadIsNotAsked() throws Exception {
    TimingResult result = run("o3", p -> p.i(Op.LD, 8, 0, 64), p -> {});
    assertThat(dataAccesses(result)).isEqualTo(1);
  }
}
