package io.spillway.simulator;

import io.spillway.simulator.isa.Decoder;
import io.spillway.simulator.isa.Op;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// Writes small static programs without a compiler: code at [#CODE], a page of data at [#DATA].
public final class TinyElf {
  public static final long CODE = 0x10000;
  public static final long DATA = 0x40000;
  public static final int DATA_BYTES = 4096;

  private final List<Integer> words = new ArrayList<>();
  private final byte[] data = new byte[DATA_BYTES];

  public ByteBuffer data() {
    return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
  }

  /// How many bytes of code there are.
  public int size() {
    return words.size() * 4;
  }

  public TinyElf word(int word) {
    words.add(word);
    return this;
  }

  public TinyElf r(Op op, int rd, int rs1, int rs2) {
    return word(Decoder.encode(op, rd, rs1, rs2, 0, 0, 7));
  }

  public TinyElf i(Op op, int rd, int rs1, long imm) {
    return word(Decoder.encode(op, rd, rs1, 0, 0, imm, 7));
  }

  public TinyElf s(Op op, int rs1, int rs2, long imm) {
    return word(Decoder.encode(op, 0, rs1, rs2, 0, imm, 7));
  }

  /// `write(1, address, count); exit(status)`.
  public TinyElf writeAndExit(long address, int count, int status) {
    call(64, 1, address, count);
    return call(93, status, 0, 0);
  }

  public TinyElf call(int number, long a0, long a1, long a2) {
    return value(10, a0).value(11, a1).value(12, a2).value(17, number).word(Op.ECALL.match());
  }

  /// `register = value` for values of 31 bits.
  public TinyElf value(int register, long value) {
    long low = value << 52 >> 52;
    return i(Op.LUI, register, 0, value - low).i(Op.ADDI, register, register, low);
  }

  public byte[] build() {
    int code = words.size() * 4 + 15 & -16;
    int codeAt = 64 + 2 * 56;
    int dataAt = codeAt + code;
    ByteBuffer out = ByteBuffer.allocate(dataAt + data.length).order(ByteOrder.LITTLE_ENDIAN);
    out.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
    out.putShort((short) 2).putShort((short) 243).putInt(1);
    out.putLong(CODE + codeAt).putLong(64).putLong(0).putInt(5);
    out.putShort((short) 64).putShort((short) 56).putShort((short) 2);
    out.position(64);
    header(out, 5, 0, CODE, codeAt + code);
    // the file offset and the address agree modulo the page size, as Linux wants it
    long dataAddress = DATA;
    int skew = dataAt & 4095;
    header(out, 6, dataAt - skew, dataAddress, skew + data.length);
    words.forEach(out::putInt);
    out.position(dataAt);
    out.put(data);
    return out.array();
  }

  /// Where the data page begins in memory.
  public long dataAddress() {
    return DATA + (64 + 2 * 56 + (words.size() * 4 + 15 & -16) & 4095);
  }

  private static void header(ByteBuffer out, int flags, long offset, long address, long bytes) {
    out.putInt(1).putInt(flags).putLong(offset).putLong(address).putLong(address);
    out.putLong(bytes).putLong(bytes).putLong(4096);
  }
}
