package io.spillway.simulator.machine;

import io.spillway.simulator.isa.Registers;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The Linux system calls of the program, dispatched by number.
///
/// **Source:** the kernel's generic call table (include/uapi/asm-generic/unistd.h), which RISC-V
/// uses.
final class LinuxCalls implements AutoCloseable {
  static final int FIRST_THREAD = 1000;

  /// What the program's calendar shows at its start: the same in every run, so that runs repeat.
  static final long EPOCH_NANOS = 1_767_225_600L * 1_000_000_000L;

  private static final int LONGEST_PATH = 4096;

  private final Machine machine;
  private final Memory memory;
  private final ProcessOptions options;
  private final LinuxFiles files;
  private final LinuxPaths paths;
  private final LinuxMemory mappings;
  private final LinuxThreads threads;
  private final LinuxSignals signals;
  private final LinuxPipes pipes;
  private final LinuxLinks links;
  private long random;

  LinuxCalls(Machine machine, ProcessOptions options) {
    this.machine = machine;
    this.memory = machine.memory();
    this.options = options;
    this.files = new LinuxFiles(memory, options);
    this.paths = new LinuxPaths(memory, files);
    this.mappings = new LinuxMemory(machine, files, machine.image().end());
    this.threads = new LinuxThreads(machine);
    this.signals = new LinuxSignals(machine);
    this.pipes = new LinuxPipes(memory, files, threads);
    this.links = new LinuxLinks(memory, files, paths);
    this.random = options.seed();
  }

  LinuxFiles files() {
    return files;
  }

  LinuxMemory mappings() {
    return mappings;
  }

  LinuxThreads threads() {
    return threads;
  }

  LinuxSignals signals() {
    return signals;
  }

  ProcessOptions options() {
    return options;
  }

  void save(DataOutputStream out) throws IOException {
    Checkpoint.longs(out, random, threads.lastId());
    Checkpoint.longs(out, mappings.keep());
    Checkpoint.longs(out, signals.keep());
    Checkpoint.text(out, files.folder());
    List<LinuxFiles.Kept> kept = files.keep();
    out.writeInt(kept.size());
    for (LinuxFiles.Kept k : kept) {
      Checkpoint.longs(out, k.descriptor(), k.kind(), k.flags(), k.position());
      Checkpoint.text(out, k.guest());
    }
  }

  void restore(DataInputStream in) throws IOException {
    long[] own = Checkpoint.longs(in);
    random = own[0];
    threads.restore((int) own[1]);
    mappings.restore(Checkpoint.longs(in));
    signals.restore(Checkpoint.longs(in));
    String folder = Checkpoint.text(in);
    List<LinuxFiles.Kept> kept = new ArrayList<>();
    for (int i = in.readInt(); i > 0; i--) {
      long[] k = Checkpoint.longs(in);
      kept.add(new LinuxFiles.Kept((int) k[0], (int) k[1], Checkpoint.text(in), (int) k[2], k[3]));
    }
    files.restore(folder, kept, options);
  }

  /// Performs the call that the hart's registers describe.
  void call(Hart hart) {
    int number = (int) hart.x[Registers.A7];
    if (number == 139) {
      signals.leave(hart);
      return;
    }
    long result;
    machine.setCalling(hart);
    try {
      result = dispatch(hart, number);
    } catch (MemoryFault e) {
      result = Errno.FAULT;
    }
    hart.x[Registers.A0] = result;
    if (!hart.restarts) {
      hart.pollsUntilNanos = 0;
    }
    machine.setCalling(null);
    signals.deliverPending(hart);
  }

  private String path(long address) {
    return memory.text(address, LONGEST_PATH);
  }

  private long dispatch(Hart hart, int number) {
    long a = hart.x[10];
    long b = hart.x[11];
    long c = hart.x[12];
    long d = hart.x[13];
    int file = (int) a;
    return switch (number) {
      case 17 -> files.currentFolder(a, b);
      case 23 -> files.duplicate(file, -1);
      case 24 -> files.duplicate(file, (int) b);
      case 25 -> files.control(file, (int) b, c);
      case 29 -> files.isOpen(file) ? Errno.NOT_TERMINAL : Errno.BAD_DESCRIPTOR;
      case 34 -> paths.makeFolder(file, path(b));
      case 35 -> paths.remove(file, path(b), (int) c);
      case 36 -> links.symbolic(path(a), (int) b, path(c));
      case 37 -> links.hard(file, path(b), (int) c, path(d));
      case 38, 276 -> paths.rename(file, path(b), (int) c, path(d));
      case 43 -> links.fileSystemAt(path(a), b);
      case 44 -> links.fileSystem(files.isOpen(file) ? 0 : Errno.BAD_DESCRIPTOR, b);
      case 45 -> links.truncate(path(a), b);
      case 46 -> files.truncate(file, b);
      case 48, 439 -> paths.accessAt(file, path(b));
      case 49 -> files.changeFolder(path(a));
      case 50 -> files.changeFolder(file);
      case 52 -> links.rights(file, (int) b);
      case 53 -> links.rightsAt(file, path(b), (int) c);
      case 54 -> paths.accessAt(file, path(b)); // owners are not kept
      case 55, 32 -> files.isOpen(file) ? 0 : Errno.BAD_DESCRIPTOR;
      case 47 -> files.isOpen(file) ? Errno.NOT_SUPPORTED : Errno.BAD_DESCRIPTOR;
      case 56 -> files.openAt(file, path(b), (int) c, (int) d);
      case 57 -> close(file);
      case 59 -> pipes.create(a, (int) b);
      case 61 -> paths.entries(file, b, c);
      case 62 -> files.seek(file, b, (int) c);
      case 63 -> read(hart, file, b, c);
      case 64 -> write(hart, file, b, c);
      case 65 -> vector(hart, file, b, c, false);
      case 66 -> vector(hart, file, b, c, true);
      case 69 -> files.vector(file, b, c, false, Math.max(0, d));
      case 70 -> files.vector(file, b, c, true, Math.max(0, d));
      case 71 -> links.copy(hart, file, (int) b, c, d);
      case 72 -> pipes.select(hart, file, b, c, d, hart.x[14] == 0 ? -1 : duration(hart.x[14]));
      case 73 -> pipes.poll(hart, a, b, c == 0 ? -1 : duration(c));
      case 67 -> files.read(file, b, c, Math.max(0, d));
      case 68 -> files.write(file, b, c, Math.max(0, d));
      case 78 -> paths.readLink(file, path(b), c, d, programName());
      case 79 -> paths.statusAt(file, path(b), c, (int) d);
      case 80 -> paths.status(file, b);
      case 82, 83 -> files.isOpen(file) ? 0 : Errno.BAD_DESCRIPTOR;
      case 88 -> links.times(file, b, b == 0 ? "" : path(b), c, (int) d);
      case 213, 223 -> files.isOpen(file) ? 0 : Errno.BAD_DESCRIPTOR;
      case 214 -> mappings.breakTo(a);
      case 215 -> mappings.unmap(a, b);
      case 216 -> mappings.remap(a, b, c, (int) d);
      case 222 -> mappings.map(a, b, c, (int) d, (int) hart.x[14], hart.x[15]);
      case 226 -> mappings.protect(a, b, c);
      case 227 -> mappings.synchronize(a, b);
      case 228, 229, 230, 231 -> 0;
      case 233 -> mappings.advise(a, b, (int) c);
      default -> process(hart, number, a, b, c, d);
    };
  }

  private long process(Hart hart, int number, long a, long b, long c, long d) {
    return switch (number) {
      case 93 -> {
        threads.exit(hart, (int) a);
        yield a;
      }
      case 94 -> {
        machine.finish((int) a & 255);
        yield a;
      }
      case 96 -> {
        hart.clearOnExit = a;
        yield hart.id();
      }
      case 98 -> threads.futex(hart, a, (int) b, (int) c, d, hart.x[14], (int) hart.x[15]);
      case 99 -> {
        hart.robustList = a;
        yield 0;
      }
      case 101 -> threads.sleep(hart, duration(a));
      case 115 -> threads.sleep(hart, (b & 1) != 0 ? duration(c) - clock((int) a) : duration(c));
      case 124 -> 0;
      case 129 ->
          a <= 0 || a == FIRST_THREAD
              ? signals.sendToProcess(hart, (int) b)
              : signals.send((int) a, (int) b);
      case 130 -> signals.send((int) a, (int) b);
      case 131 -> signals.send((int) b, (int) c);
      case 132 -> signals.alternateStack(hart, a, b);
      case 102 -> signals.timer((int) a, 0, b, false);
      case 103 -> signals.timer((int) a, b, c, true);
      case 133 -> signals.suspend(hart, a);
      case 134 -> signals.action((int) a, b, c);
      case 135 -> signals.mask(hart, (int) a, b, c);
      case 136 -> signals.pending(hart, a);
      case 137 -> signals.await(hart, a, b, c == 0 ? -1 : duration(c));
      case 172 -> FIRST_THREAD;
      case 173 -> 1;
      case 174, 175, 176, 177 -> 1000;
      case 178 -> hart.id();
      case 220 -> threads.start(hart, a, b, c, d, hart.x[14]);
      case 259 -> {
        machine.codeChanged();
        yield 0;
      }
      // known, and answered as a kernel without them would
      case 100, 258, 291, 293, 435 -> Errno.NOT_IMPLEMENTED;
      default -> system(hart, number, a, b, c, d);
    };
  }

  private long system(Hart hart, int number, long a, long b, long c, long d) {
    return switch (number) {
      case 113 -> time(b, clock((int) a));
      case 114 -> time(b, 1);
      case 112, 170, 171 -> Errno.NOT_PERMITTED;
      case 118, 119, 120, 122 -> 0;
      case 121 -> {
        memory.store32(b, 0);
        yield 0;
      }
      case 125, 126 -> a == 1 || a == 2 ? number == 125 ? 99 : 1 : a < 0 ? Errno.INVALID : 0;
      case 144, 145, 146, 147, 149, 154 -> 0;
      case 148, 150 -> {
        for (long at : new long[] {a, b, c}) {
          memory.store32(at, 1000);
        }
        yield 0;
      }
      case 155, 156, 157 -> FIRST_THREAD;
      case 158 -> 0;
      case 123 -> {
        if (b < 8) {
          yield Errno.INVALID;
        }
        memory.store64(c, -1L >>> 64 - Math.max(1, Math.min(64, options.cpus())));
        yield 8;
      }
      case 140 -> 0;
      case 141 -> 20;
      case 153 -> {
        long ticks = machine.nanos() / 10_000_000;
        if (a != 0) {
          memory.write(a, new byte[32]);
          memory.store64(a, ticks);
        }
        yield ticks;
      }
      case 160 -> systemName(a);
      case 163, 261 -> limits(number == 261 ? (int) b : (int) a, number == 261 ? d : b);
      case 165 -> {
        memory.write(b, new byte[144]);
        memory.store64(b, machine.nanos() / 1_000_000_000);
        memory.store64(b + 8, machine.nanos() / 1000 % 1_000_000);
        memory.store64(b + 32, memory.peakBytes() >>> 10);
        yield 0;
      }
      case 166 -> 022;
      case 167 -> 0;
      case 168 -> {
        if (a != 0) {
          memory.store32(a, (hart.id() - FIRST_THREAD) % Math.max(1, options.cpus()));
        }
        yield 0;
      }
      case 169 -> {
        long now = clock(0);
        memory.store64(a, now / 1_000_000_000);
        memory.store64(a + 8, now / 1000 % 1_000_000);
        yield 0;
      }
      case 179 -> {
        memory.write(a, new byte[112]);
        memory.store64(a, machine.nanos() / 1_000_000_000);
        memory.store64(a + 32, 16L << 30);
        memory.store64(a + 40, 12L << 30);
        memory.store32(a + 104, 1);
        yield 0;
      }
      case 260, 95 -> Errno.NO_CHILD;
      case 278 -> randomBytes(a, b);
      case 283 -> a == 0 ? 0 : Errno.INVALID;
      default ->
          throw new ProgramFault(
              31,
              "unknown call "
                  + number
                  + nameOf(number)
                  + String.format(" (0x%08x)", hart.instruction.word())
                  + " at "
                  + machine.where(hart.lastPc));
    };
  }

  /// The names of calls that programs ask for and that are not offered.
  private static String nameOf(int number) {
    return switch (number) {
      case 19 -> ", eventfd2";
      case 20 -> ", epoll_create1";
      case 26 -> ", inotify_init1";
      case 85 -> ", timerfd_create";
      case 107 -> ", timer_create";
      case 117 -> ", ptrace";
      case 194, 195, 196 -> ", shared memory";
      case 198, 199 -> ", socket";
      case 221, 281 -> ", execve";
      case 279 -> ", memfd_create";
      case 425 -> ", io_uring_setup";
      default -> "";
    };
  }

  private long read(Hart hart, int file, long address, long count) {
    return files.get(file) instanceof LinuxFiles.Open.PipeEnd end
        ? pipes.read(hart, end, address, count)
        : files.read(file, address, count, -1);
  }

  private long write(Hart hart, int file, long address, long count) {
    return files.get(file) instanceof LinuxFiles.Open.PipeEnd end
        ? pipes.write(hart, end, address, count)
        : files.write(file, address, count, -1);
  }

  /// On a pipe the first part that is not empty, as a call may transfer less than was asked.
  private long vector(Hart hart, int file, long parts, long count, boolean writes) {
    if (!(files.get(file) instanceof LinuxFiles.Open.PipeEnd)) {
      return files.vector(file, parts, count, writes, -1);
    }
    for (long at = parts; at < parts + 16 * Math.min(count, 1024); at += 16) {
      long address = memory.load64(at);
      long bytes = memory.load64(at + 8);
      if (bytes != 0) {
        return writes ? write(hart, file, address, bytes) : read(hart, file, address, bytes);
      }
    }
    return 0;
  }

  private long close(int file) {
    LinuxFiles.Open closed = files.get(file);
    long result = files.close(file);
    if (closed instanceof LinuxFiles.Open.PipeEnd end) {
      pipes.closed(end.pipe());
    }
    return result;
  }

  private String programName() {
    return options.arguments().isEmpty() ? "/program" : options.arguments().get(0);
  }

  private long clock(int which) {
    return machine.nanos() + (which == 0 || which == 5 ? EPOCH_NANOS : 0);
  }

  private long time(long address, long nanos) {
    if (address != 0) {
      memory.store64(address, nanos / 1_000_000_000);
      memory.store64(address + 8, nanos % 1_000_000_000);
    }
    return 0;
  }

  private long duration(long address) {
    return memory.load64(address) * 1_000_000_000L + memory.load64(address + 8);
  }

  private long systemName(long address) {
    String[] fields = {"Linux", "spillway", "6.1.0", "#1", "riscv64", "(none)"};
    memory.write(address, new byte[65 * fields.length]);
    for (int i = 0; i < fields.length; i++) {
      memory.write(address + 65L * i, fields[i].getBytes(StandardCharsets.US_ASCII));
    }
    return 0;
  }

  private long limits(int resource, long old) {
    if (old != 0) {
      long limit =
          switch (resource) {
            case 3 -> options.stackBytes();
            case 7 -> 1024;
            default -> -1;
          };
      memory.store64(old, limit);
      memory.store64(old + 8, limit);
    }
    return 0;
  }

  /// Bytes that repeat with the seed.
  ///
  /// **Source:** Steele, Lea, Flood, Fast splittable pseudorandom number generators (2014), the
  /// mixing function of their figure 14.
  private long randomBytes(long address, long count) {
    byte[] bytes = new byte[(int) Math.max(0, Math.min(count, 1 << 20))];
    for (int i = 0; i < bytes.length; i++) {
      random += 0x9e3779b97f4a7c15L;
      long z = (random ^ random >>> 30) * 0xbf58476d1ce4e5b9L;
      z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
      bytes[i] = (byte) (z ^ z >>> 31);
    }
    memory.write(address, bytes);
    return bytes.length;
  }

  /// Runs the handler of a fault; false if the program has none.
  boolean signal(Hart hart, int number, long address) {
    return signals.fault(hart, number, address);
  }

  void flush() {
    files.flush();
  }

  @Override
  public void close() {
    files.close();
  }
}
