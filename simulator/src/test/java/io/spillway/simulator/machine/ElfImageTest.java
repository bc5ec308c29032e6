package io.spillway.simulator.machine;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import io.spillway.simulator.TinyElf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// What is no static RISC-V program is refused with one line that says why.
final class ElfImageTest {
  private static final int FIRST_SEGMENT = 64;

  private static void refused(String reason, Consumer<ByteBuffer> damage) {
    byte[] elf = new TinyElf().writeAndExit(TinyElf.DATA, 0, 0).build();
    damage.accept(ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN));
    assertThatThrownBy(() -> ElfImage.parse(Path.of("p"), elf))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining(reason)
        .message()
        .doesNotContain("\n");
  }

  @Test
  void everyDamageHasItsReason() {
    refused("not an ELF file", b -> b.put(1, (byte) 'X'));
    refused("64-bit little-endian", b -> b.put(4, (byte) 1));
    refused("machine 62 is not RISC-V", b -> b.putShort(18, (short) 62));
    refused("type 1 is no program", b -> b.putShort(16, (short) 1));
    refused("0 program headers", b -> b.putShort(56, (short) 0));
    refused("program headers at", b -> b.putLong(32, 1L << 40));
    refused("dynamic", b -> b.putInt(FIRST_SEGMENT, 3));
    refused("truncated", b -> b.putLong(FIRST_SEGMENT + 8, 1L << 50));
    refused("cannot hold", b -> b.putLong(FIRST_SEGMENT + 40, 1));
    refused("impossible", b -> b.putLong(FIRST_SEGMENT + 16, -4096));
    refused("impossible", b -> b.putLong(FIRST_SEGMENT + 16, 0));
    refused("impossible", b -> b.putLong(FIRST_SEGMENT + 40, 1L << 60));
    refused("lies in no executable segment", b -> b.putLong(24, 0x7777000));
    refused("overlap", b -> b.putLong(FIRST_SEGMENT + 56 + 16, TinyElf.CODE));
  }

  @Test
  void everyTruncationIsRefusedOrSound() {
    byte[] elf = new TinyElf().writeAndExit(TinyElf.DATA, 0, 0).build();
    for (int n = 0; n < elf.length; n += 7) {
      byte[] part = Arrays.copyOf(elf, n);
      assertThatThrownBy(() -> ElfImage.parse(Path.of("p"), part))
          .isInstanceOf(SpillwayException.class);
    }
  }
}
