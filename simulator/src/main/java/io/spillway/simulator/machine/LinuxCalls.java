package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Registers;
import java.io.IOException;
import java.io.OutputStream;

/// The Linux system calls of the program.
final class LinuxCalls implements AutoCloseable {
  static final int FIRST_THREAD = 1000;

  private final Machine machine;
  private final ProcessOptions options;

  LinuxCalls(Machine machine, ProcessOptions options) {
    this.machine = machine;
    this.options = options;
  }

  void call(Hart hart) {
    long[] x = hart.x;
    int number = (int) x[Registers.A7];
    switch (number) {
      case 64 -> x[10] = write((int) x[10], x[11], x[12]);
      case 93, 94 -> machine.finish((int) x[10] & 255);
      default ->
          throw new ProgramFault(
              31, "unknown call " + number + " at " + machine.where(hart.lastPc));
    }
  }

  private long write(int descriptor, long address, long count) {
    byte[] bytes = machine.memory().read(address, (int) count);
    OutputStream out = descriptor == 2 ? options.err() : options.out();
    try {
      out.write(bytes);
    } catch (IOException e) {
      return -5;
    }
    return count;
  }

  /// Delivers a signal to the program's handler; false if it has none.
  boolean signal(Hart hart, int number, long address) {
    return false;
  }

  void flush() {
    try {
      options.out().flush();
      options.err().flush();
    } catch (IOException e) {
      // nobody is left to be told
    }
  }

  @Override
  public void close() {
    flush();
  }
}
