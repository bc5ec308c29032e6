package io.spillway.simulator.machine;

import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Lays out the first stack as Linux does: strings on top, then the auxiliary vector, the
/// environment, the arguments and their count, to which the stack pointer points.
final class ProcessStack {
  /// The end of the stack.
  static final long TOP = Memory.LIMIT - (1 << 20);

  private static final int PROGRAM_HEADERS = 3;
  private static final int PROGRAM_HEADER_SIZE = 4;
  private static final int PROGRAM_HEADER_COUNT = 5;
  private static final int PAGE_SIZE = 6;
  private static final int LOADER_BASE = 7;
  private static final int FLAGS = 8;
  private static final int ENTRY = 9;
  private static final int USER = 11;
  private static final int HARDWARE = 16;
  private static final int CLOCK_TICKS = 17;
  private static final int SECURE = 23;
  private static final int RANDOM = 25;
  private static final int PROGRAM_NAME = 31;

  private final Memory memory;
  private long at = TOP;

  private ProcessStack(Memory memory) {
    this.memory = memory;
  }

  /// Maps and fills the stack; returns the stack pointer.
  static long build(Memory memory, ElfImage image, ProcessOptions options) {
    memory.map(TOP - options.stackBytes(), options.stackBytes(), Memory.READ | Memory.WRITE);
    return new ProcessStack(memory).fill(image, options);
  }

  private long push(byte[] bytes) {
    at -= bytes.length;
    if (at < TOP - (1 << 20)) {
      throw SpillwayException.badInput("arguments and environment take more than 1 MiB");
    }
    memory.write(at, bytes);
    return at;
  }

  private long push(String text) {
    return push((text + "\0").getBytes(StandardCharsets.UTF_8));
  }

  private long fill(ElfImage image, ProcessOptions options) {
    byte[] random = new byte[16];
    new Seeds(options.seed()).stream("auxv").nextBytes(random);
    long randomAt = push(random);
    long nameAt = push(options.arguments().isEmpty() ? "" : options.arguments().get(0));
    List<Long> words = new ArrayList<>();
    words.add((long) options.arguments().size());
    options.arguments().forEach(a -> words.add(push(a)));
    words.add(0L);
    options.environment().forEach(e -> words.add(push(e)));
    words.add(0L);
    long[][] auxiliary = {
      {PROGRAM_HEADERS, image.headers()},
      {PROGRAM_HEADER_SIZE, 56},
      {PROGRAM_HEADER_COUNT, image.headerCount()},
      {PAGE_SIZE, Memory.PAGE_BYTES},
      {LOADER_BASE, 0},
      {FLAGS, 0},
      {ENTRY, image.entry()},
      {USER, 1000},
      {USER + 1, 1000},
      {USER + 2, 1000},
      {USER + 3, 1000},
      {HARDWARE, extensions("imafdc")},
      {CLOCK_TICKS, 100},
      {SECURE, 0},
      {RANDOM, randomAt},
      {PROGRAM_NAME, nameAt},
      {0, 0}
    };
    for (long[] pair : auxiliary) {
      words.add(pair[0]);
      words.add(pair[1]);
    }
    at = at - words.size() * 8L & -16;
    for (int i = 0; i < words.size(); i++) {
      memory.store64(at + i * 8L, words.get(i));
    }
    return at;
  }

  private static long extensions(String letters) {
    return letters.chars().mapToLong(c -> 1L << c - 'a').reduce(0, (a, b) -> a | b);
  }
}
