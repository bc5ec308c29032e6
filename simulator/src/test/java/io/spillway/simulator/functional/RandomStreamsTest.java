package io.spillway.simulator.functional;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.simulator.Programs;
import io.spillway.simulator.TinyElf;
import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Immediate;
import io.spillway.simulator.isa.Op;
import io.spillway.simulator.isa.OpClass;
import io.spillway.simulator.machine.Engine;
import io.spillway.simulator.machine.Hart;
import io.spillway.simulator.machine.Interpreter;
import io.spillway.simulator.machine.Machine;
import io.spillway.simulator.machine.Scheduler;
import io.spillway.testkit.Cases;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

/// Random instruction streams in a loop: both engines and, where it is installed, qemu-riscv64 end
/// with the same registers, flags and memory.
final class RandomStreamsTest {
  private static final int BASE = 3;
  private static final int COUNTER_OFFSET = 1040;
  private static final int PRINTED = 1584;
  private static final int ROUNDS = 6;

  // what cannot stand in a random stream: it would leave it, or depends on the host
  private static final List<Op> STREAM =
      Arrays.stream(Op.values())
          .filter(o ->
              o.opClass() != OpClass.SYSTEM
                  && !o.opClass().isControl()
                  && o.opClass() != OpClass.ATOMIC
                  && o != Op.AUIPC
                  // qemu before 8.0 counts beyond 32 bits here
                  && o != Op.CTZW
                  && o != Op.FENCE_I)
          .toList();

  private static final List<Op> BRANCHES =
      Arrays.stream(Op.values()).filter(o -> o.opClass() == OpClass.BRANCH).toList();

  private static final List<Op> ATOMICS =
      Arrays.stream(Op.values()).filter(o -> o.opClass() == OpClass.ATOMIC).toList();

  private static final long[] SPECIAL = {
    0,
    1,
    -1,
    Long.MIN_VALUE,
    Long.MAX_VALUE,
    0x8000_0000L,
    0xffff_ffff_8000_0000L,
    0x7fff_ffffL,
    0x3ff0_0000_0000_0000L,
    0xbff8_0000_0000_0000L,
    0x7ff0_0000_0000_0000L,
    0xfff0_0000_0000_0000L,
    0x7ff8_0000_0000_0000L,
    0x7ff0_0000_0000_0001L,
    0x0010_0000_0000_0000L,
    0x000f_ffff_ffff_ffffL,
    0x7fef_ffff_ffff_ffffL,
    0xffff_ffff_3f80_0000L,
    0xffff_ffff_7f80_0000L,
    0xffff_ffff_7f80_0001L,
    0xffff_ffff_0080_0000L,
    0xffff_ffff_007f_ffffL,
    0xffff_ffff_8000_0000L,
    0xffff_ffff_4b7f_ffffL
  };

  private static int register(RandomGenerator random) {
    int r = random.nextInt(32);
    return r == BASE ? 0 : r;
  }

  private static long value(RandomGenerator random) {
    return switch (random.nextInt(4)) {
      case 0 -> SPECIAL[random.nextInt(SPECIAL.length)];
      case 1 -> 0xffff_ffff_0000_0000L | random.nextInt() & 0xffffffffL;
      case 2 -> Double.doubleToRawLongBits(random.nextInt(2000) / 8.0 - 100);
      default -> random.nextLong();
    };
  }

  private static int immediate(Op op, RandomGenerator random) {
    return op.immediate() == Immediate.U
        ? random.nextInt() & 0xfffff000
        : op.opClass().isMemory() ? random.nextInt(1000) : random.nextInt(4096) - 2048;
  }

  private static void stream(TinyElf elf, RandomGenerator random, int count, boolean modes) {
    for (int i = 0; i < count; i++) {
      int kind = random.nextInt(20);
      if (kind == 0) {
        Op branch = BRANCHES.get(random.nextInt(BRANCHES.size()));
        elf.s(branch, register(random), register(random), 8);
        elf.r(Op.XOR, register(random), register(random), register(random));
      } else if (kind == 1 && modes) {
        elf.i(Op.CSRRWI, register(random), random.nextInt(5), 2);
      } else if (kind == 2) {
        Op atomic = ATOMICS.get(random.nextInt(ATOMICS.size()));
        boolean loads = atomic == Op.LR_W || atomic == Op.LR_D;
        elf.word(
            Decoder.encode(atomic, register(random), BASE, loads ? 0 : register(random), 0, 0, 0));
      } else {
        Op op = STREAM.get(random.nextInt(STREAM.size()));
        boolean memory = op.opClass().isMemory();
        int mode = modes ? random.nextInt(6) : 7;
        elf.word(
            Decoder.encode(
                op,
                register(random),
                memory ? BASE : register(random),
                register(random),
                random.nextInt(32),
                immediate(op, random),
                mode == 5 ? 7 : mode));
      }
    }
  }

  /// The data page's address depends on the size of the code, so the stream is made twice.
  private static byte[] program(RandomGenerator random, boolean modes) {
    long seed = random.nextLong();
    TinyElf sized = build(seed, modes, TinyElf.DATA);
    return build(seed, modes, sized.dataAddress()).build();
  }

  private static TinyElf build(long seed, boolean modes, long dataAddress) {
    RandomGenerator own = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    TinyElf elf = new TinyElf();
    elf.value(BASE, dataAddress);
    // the data page: 0 to 1023 for the stream, then the loop counter, then first values
    for (int r = 1; r < 32; r++) {
      elf.data().putLong(2048 + 8 * r, value(own));
      elf.data().putLong(2304 + 8 * r, value(own));
    }
    elf.data().putLong(COUNTER_OFFSET, ROUNDS);
    elf.value(4, dataAddress + 2048);
    for (int r = 0; r < 32; r++) {
      elf.i(Op.FLD, r, 4, 256 + 8 * r);
    }
    for (int r = 31; r > 0; r--) {
      if (r != BASE && r != 4) {
        elf.i(Op.LD, r, 4, 8 * r);
      }
    }
    int start = elf.size();
    stream(elf, own, 120, modes);
    elf.i(Op.LD, 31, BASE, COUNTER_OFFSET).i(Op.ADDI, 31, 31, -1);
    elf.s(Op.SD, BASE, 31, COUNTER_OFFSET);
    elf.s(Op.BNE, 31, 0, start - elf.size());
    // registers behind the stream's data, all printed
    for (int r = 1; r < 32; r++) {
      if (r != BASE) {
        elf.s(Op.SD, BASE, r, 1048 + 8 * r);
      }
    }
    for (int r = 0; r < 32; r++) {
      elf.s(Op.FSD, BASE, r, 1312 + 8 * r);
    }
    elf.i(Op.CSRRS, 5, 0, 3).s(Op.SD, BASE, 5, 1576);
    return elf.writeAndExit(dataAddress, PRINTED, 0);
  }

  private static byte[] run(byte[] elf, boolean fast) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (Machine machine = Programs.machine(elf, out, "x")) {
      Engine engine = fast ? new FunctionalEngine(machine, 2) : new Interpreter(machine);
      new Scheduler(machine, engine).run();
      if (fast) {
        assertThat(((FunctionalEngine) engine).regions()).isPositive();
      }
      return out.toByteArray();
    }
  }

  /// Compares word by word and names what differs.
  private static void assertSame(byte[] actual, byte[] expected) {
    assertThat(actual).hasSize(PRINTED).hasSameSizeAs(expected);
    for (int at = 0; at < PRINTED; at += 8) {
      String name =
          at > 1048 && at < 1304
              ? "x" + (at - 1048) / 8
              : at >= 1312 && at < 1568 ? "f" + (at - 1312) / 8 : "memory";
      assertThat(Long.toHexString(ByteBuffer.wrap(actual).order(LITTLE_ENDIAN).getLong(at)))
          .as("%s at %d", name, at)
          .isEqualTo(Long.toHexString(ByteBuffer.wrap(expected).order(LITTLE_ENDIAN).getLong(at)));
    }
  }

  @Test
  void bothEnginesEndInTheSameState() {
    Cases.run(
        150,
        random -> {
          byte[] elf = program(random, random.nextBoolean());
          assertSame(run(elf, true), run(elf, false));
        });
  }

  @Test
  void qemuEndsInTheSameState() {
    Programs.requireQemu();
    Cases.run(
        120,
        random -> {
          byte[] elf = program(random, random.nextBoolean());
          assertSame(run(elf, false), Programs.qemu(elf).output());
        });
  }

  @Test
  void changingEnginesAtAnyInstructionKeepsTheState() {
    Cases.run(
        20,
        random -> {
          byte[] elf = program(random, true);
          ByteArrayOutputStream out = new ByteArrayOutputStream();
          try (Machine machine = Programs.machine(elf, out, "x")) {
            Engine fast = new FunctionalEngine(machine, 2);
            Engine slow = new Interpreter(machine);
            Hart hart = machine.hart();
            for (int i = 0; !machine.isFinished(); i++) {
              (i % 2 == 0 ? fast : slow).run(hart, 1 + random.nextInt(100));
            }
          }
          assertSame(out.toByteArray(), run(elf, false));
        });
  }
}
