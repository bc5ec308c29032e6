package io.spillway.simulator.machine;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Descriptors of the program and the files behind them. Only what lies in the [Sandbox] can be
/// reached; without one every path is missing.
final class LinuxFiles {
  static final int AT_FOLDER = -100;
  private static final int MOST_DESCRIPTORS = 1024;
  private static final int MOST_BYTES = 1 << 24;

  static final int WRITE_ONLY = 1;
  static final int READ_WRITE = 2;
  static final int CREATE = 0x40;
  static final int EXCLUSIVE = 0x80;
  static final int TRUNCATE = 0x200;
  static final int APPEND = 0x400;
  static final int FOLDER = 0x10000;

  /// What a descriptor stands for.
  sealed interface Open {
    /// Standard input.
    record In(InputStream stream) implements Open {}

    /// Standard output or error.
    record Out(OutputStream stream) implements Open {}

    /// A file; its position is that of the channel.
    record OpenFile(FileChannel channel, String guest, int flags) implements Open {}

    /// A folder and how many of its entries were listed.
    record Folder(String guest, List<String> entries, int[] listed) implements Open {}

    /// One end of a pipe.
    record PipeEnd(LinuxPipes.Pipe pipe, boolean writes, int flags) implements Open {}
  }

  private final Memory memory;
  private final @Nullable Sandbox sandbox;
  private final SharedMappings shared;
  private final TreeMap<Integer, Open> open = new TreeMap<>();
  private String folder = "/";

  LinuxFiles(Memory memory, ProcessOptions options) {
    this.memory = memory;
    this.shared = new SharedMappings(memory);
    this.sandbox = options.root().map(Sandbox::new).orElse(null);
    open.put(0, new Open.In(options.in()));
    open.put(1, new Open.Out(options.out()));
    open.put(2, new Open.Out(options.err()));
  }

  /// Turns the host's failures into error numbers.
  interface Action {
    long run() throws IOException;
  }

  static long attempt(Action action) {
    try {
      return action.run();
    } catch (NoSuchFileException e) {
      return Errno.NO_ENTRY;
    } catch (FileAlreadyExistsException e) {
      return Errno.EXISTS;
    } catch (DirectoryNotEmptyException e) {
      return Errno.NOT_EMPTY;
    } catch (java.nio.channels.NonReadableChannelException
        | java.nio.channels.NonWritableChannelException e) {
      return Errno.BAD_DESCRIPTOR;
    } catch (java.nio.file.FileSystemException e) {
      return Errno.ACCESS;
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      return Errno.IO;
    }
  }

  Sandbox.Found find(int at, String path, boolean follow) {
    if (sandbox == null) {
      return new Sandbox.Found(Path.of("/"), "/", Errno.NO_ENTRY);
    }
    if (path.isEmpty()) {
      return new Sandbox.Found(sandbox.root(), "/", Errno.NO_ENTRY);
    }
    String from = folder;
    if (at != AT_FOLDER && !path.startsWith("/")) {
      if (!(open.get(at) instanceof Open.Folder f)) {
        return new Sandbox.Found(sandbox.root(), "/", Errno.BAD_DESCRIPTOR);
      }
      from = f.guest();
    }
    return sandbox.resolve(from, path, follow);
  }

  long install(Open what) {
    for (int i = 0; i < MOST_DESCRIPTORS; i++) {
      if (!open.containsKey(i)) {
        open.put(i, what);
        return i;
      }
    }
    return Errno.TOO_MANY_FILES;
  }

  @Nullable Open get(int descriptor) {
    return open.get(descriptor);
  }

  SharedMappings shared() {
    return shared;
  }

  Collection<Open> all() {
    return open.values();
  }

  long openAt(int at, String path, int flags, int mode) {
    Sandbox.Found found = find(at, path, (flags & 0x20000) == 0);
    return found.error() != 0 ? found.error() : attempt(() -> open(found, flags, mode));
  }

  private long open(Sandbox.Found found, int flags, int mode) throws IOException {
    if (Files.isSymbolicLink(found.host())) {
      return Errno.LOOP;
    }
    if (Files.isDirectory(found.host(), LinkOption.NOFOLLOW_LINKS)) {
      return (flags & 3) != 0 ? Errno.IS_DIRECTORY : install(openFolder(found));
    }
    if ((flags & FOLDER) != 0) {
      return Files.exists(found.host()) ? Errno.NOT_DIRECTORY : Errno.NO_ENTRY;
    }
    boolean isNew = (flags & CREATE) != 0 && !Files.exists(found.host());
    FileChannel channel = channel(found.host(), flags);
    if (isNew && Files.getFileStore(found.host()).supportsFileAttributeView("posix")) {
      LinuxLinks.setRights(found.host(), mode & ~022);
    }
    return install(new Open.OpenFile(channel, found.guest(), flags));
  }

  private static Open.Folder openFolder(Sandbox.Found found) throws IOException {
    try (Stream<Path> entries = Files.list(found.host())) {
      List<String> names = new ArrayList<>(List.of(".", ".."));
      entries.map(p -> p.getFileName().toString()).sorted().forEach(names::add);
      return new Open.Folder(found.guest(), names, new int[1]);
    }
  }

  private static FileChannel channel(Path host, int flags) throws IOException {
    Set<OpenOption> options = new HashSet<>();
    options.add(LinkOption.NOFOLLOW_LINKS);
    int mode = flags & 3;
    if (mode != WRITE_ONLY) {
      options.add(StandardOpenOption.READ);
    }
    if (mode != 0) {
      options.add(StandardOpenOption.WRITE);
      if ((flags & CREATE) != 0) {
        boolean mustBeNew = (flags & EXCLUSIVE) != 0;
        options.add(mustBeNew ? StandardOpenOption.CREATE_NEW : StandardOpenOption.CREATE);
      }
      if ((flags & TRUNCATE) != 0) {
        options.add(StandardOpenOption.TRUNCATE_EXISTING);
      }
    }
    return FileChannel.open(host, options);
  }

  long close(int descriptor) {
    Open closed = open.remove(descriptor);
    if (closed == null) {
      return Errno.BAD_DESCRIPTOR;
    }
    return closed instanceof Open.OpenFile file ? attempt(() -> release(file)) : 0;
  }

  /// Closes a file that neither a descriptor nor a mapping needs any more.
  private long release(Open.OpenFile file) throws IOException {
    if (!open.containsValue(file) && !shared.uses(file)) {
      file.channel().close();
    }
    return 0;
  }

  /// Ends the shared mappings of a range.
  long endMappings(long address, long bytes) {
    return attempt(() -> {
      for (Open.OpenFile file : shared.drop(address, bytes)) {
        release(file);
      }
      return 0;
    });
  }

  long duplicate(int descriptor, int target) {
    Open what = open.get(descriptor);
    if (what == null || target >= MOST_DESCRIPTORS) {
      return Errno.BAD_DESCRIPTOR;
    }
    if (target < 0) {
      return install(what);
    }
    if (open.containsKey(target)) {
      close(target);
    }
    open.put(target, what);
    return target;
  }

  /// Reads; `position` below 0 means from where the file stands.
  long read(int descriptor, long address, long count, long position) {
    int want = (int) Math.min(count, MOST_BYTES);
    if (count < 0) {
      return Errno.INVALID;
    }
    return attempt(() ->
        switch (open.get(descriptor)) {
          case Open.In(InputStream stream) -> {
            byte[] bytes = new byte[want];
            int n = want == 0 ? 0 : Math.max(0, stream.read(bytes));
            memory.write(address, bytes, 0, n);
            yield n;
          }
          case Open.OpenFile file -> {
            shared.writeBack(file.guest());
            ByteBuffer buffer = ByteBuffer.allocate(want);
            int n = 0;
            while (buffer.hasRemaining() && n >= 0) {
              n =
                  position < 0
                      ? file.channel().read(buffer)
                      : file.channel().read(buffer, position + buffer.position());
            }
            memory.write(address, buffer.array(), 0, buffer.position());
            yield buffer.position();
          }
          case Open.Folder _ -> Errno.IS_DIRECTORY;
          case Open.Out _, Open.PipeEnd _ -> Errno.BAD_DESCRIPTOR;
          case null -> Errno.BAD_DESCRIPTOR;
        });
  }

  long write(int descriptor, long address, long count, long position) {
    if (count < 0) {
      return Errno.INVALID;
    }
    int have = (int) Math.min(count, MOST_BYTES);
    return attempt(() ->
        switch (open.get(descriptor)) {
          case Open.Out(OutputStream stream) -> {
            stream.write(memory.read(address, have));
            yield have;
          }
          case Open.OpenFile file -> {
            ByteBuffer buffer = ByteBuffer.wrap(memory.read(address, have));
            shared.writeBack(file.guest());
            if (position < 0 && (file.flags() & APPEND) != 0) {
              file.channel().position(file.channel().size());
            }
            while (buffer.hasRemaining()) {
              if (position < 0) {
                file.channel().write(buffer);
              } else {
                file.channel().write(buffer, position + buffer.position());
              }
            }
            shared.reload(file.guest());
            yield have;
          }
          case Open.In _, Open.Folder _, Open.PipeEnd _ -> Errno.BAD_DESCRIPTOR;
          case null -> Errno.BAD_DESCRIPTOR;
        });
  }

  /// Reads into or writes from `count` parts of address and size each.
  long vector(int descriptor, long parts, long count, boolean writes, long position) {
    long sum = 0;
    for (long i = 0; i < Math.min(count, 1024); i++) {
      long address = memory.load64(parts + 16 * i);
      long bytes = memory.load64(parts + 16 * i + 8);
      if (bytes == 0) {
        continue;
      }
      long done =
          writes
              ? write(descriptor, address, bytes, position < 0 ? -1 : position + sum)
              : read(descriptor, address, bytes, position < 0 ? -1 : position + sum);
      if (done < 0) {
        return sum > 0 ? sum : done;
      }
      sum += done;
      if (done < bytes) {
        break;
      }
    }
    return sum;
  }

  long seek(int descriptor, long offset, int whence) {
    return switch (open.get(descriptor)) {
      case Open.OpenFile file ->
          attempt(() -> {
            long from =
                switch (whence) {
                  case 0 -> 0;
                  case 1 -> file.channel().position();
                  case 2 -> file.channel().size();
                  default -> Long.MIN_VALUE;
                };
            if (from + offset < 0) {
              return Errno.INVALID;
            }
            file.channel().position(from + offset);
            return from + offset;
          });
      case Open.Folder f -> {
        f.listed()[0] = (int) offset;
        yield offset;
      }
      case Open.In _, Open.Out _, Open.PipeEnd _ -> Errno.ILLEGAL_SEEK;
      case null -> Errno.BAD_DESCRIPTOR;
    };
  }

  long truncate(int descriptor, long size) {
    if (!(open.get(descriptor) instanceof Open.OpenFile file)) {
      return Errno.INVALID;
    }
    return attempt(() -> {
      shared.writeBack(file.guest());
      if (size > file.channel().size()) {
        file.channel().write(ByteBuffer.wrap(new byte[1]), size - 1);
      } else {
        file.channel().truncate(size);
      }
      shared.reload(file.guest());
      return 0;
    });
  }

  long currentFolder(long address, long size) {
    byte[] bytes = (folder + "\0").getBytes(StandardCharsets.UTF_8);
    if (bytes.length > size) {
      return Errno.RANGE;
    }
    memory.write(address, bytes);
    return bytes.length;
  }

  long changeFolder(int descriptor) {
    if (!(open.get(descriptor) instanceof Open.Folder f)) {
      return open.containsKey(descriptor) ? Errno.NOT_DIRECTORY : Errno.BAD_DESCRIPTOR;
    }
    return changeFolder(f.guest());
  }

  long changeFolder(String path) {
    Sandbox.Found found = find(AT_FOLDER, path, true);
    if (found.error() != 0) {
      return found.error();
    }
    if (!Files.isDirectory(found.host())) {
      return Files.exists(found.host()) ? Errno.NOT_DIRECTORY : Errno.NO_ENTRY;
    }
    folder = found.guest();
    return 0;
  }

  long control(int descriptor, int command, long argument) {
    Open what = open.get(descriptor);
    if (what == null) {
      return Errno.BAD_DESCRIPTOR;
    }
    return switch (command) {
      case 0, 1030 -> install(what);
      case 1, 2, 4 -> 0;
      case 3 ->
          switch (what) {
            case Open.OpenFile file -> file.flags() & ~(CREATE | EXCLUSIVE | TRUNCATE);
            case Open.PipeEnd end -> end.flags() | (end.writes() ? WRITE_ONLY : 0);
            case Open.Folder _ -> FOLDER;
            case Open.In _, Open.Out _ -> READ_WRITE;
          };
      default -> Errno.INVALID;
    };
  }

  boolean isOpen(int descriptor) {
    return open.containsKey(descriptor);
  }

  /// The content of an open file for a private mapping; null if there is none.
  byte @Nullable [] content(int descriptor, long offset, long count) {
    if (!(open.get(descriptor) instanceof Open.OpenFile file)) {
      return null;
    }
    try {
      ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(count, 1 << 30));
      int n = 0;
      while (buffer.hasRemaining() && n >= 0) {
        n = file.channel().read(buffer, offset + buffer.position());
      }
      return java.util.Arrays.copyOf(buffer.array(), buffer.position());
    } catch (IOException | RuntimeException e) {
      return null;
    }
  }

  /// Brings what the program has written to where others see it.
  void flush() {
    attempt(() -> {
      shared.writeBack(0, Memory.LIMIT);
      return 0;
    });
    for (Open what : open.values()) {
      if (what instanceof Open.Out(OutputStream stream)) {
        attempt(() -> {
          stream.flush();
          return 0;
        });
      }
    }
  }

  void close() {
    flush();
    endMappings(0, Memory.LIMIT);
    for (int descriptor : List.copyOf(open.keySet())) {
      if (descriptor > 2) {
        close(descriptor);
      }
    }
  }

  // ---- checkpoints

  /// An open file as a checkpoint keeps it.
  ///
  /// @param kind 0 to 2 a standard stream, 3 a file, 4 a folder
  record Kept(int descriptor, int kind, String guest, int flags, long position) {}

  String folder() {
    return folder;
  }

  List<Kept> keep() throws IOException {
    if (!shared.isEmpty()) {
      throw SpillwayException.badInput(
          "the program has a file mapped shared, which no checkpoint keeps; choose another point");
    }
    List<Kept> kept = new ArrayList<>();
    for (var entry : open.entrySet()) {
      int d = entry.getKey();
      switch (entry.getValue()) {
        case Open.In _ -> kept.add(new Kept(d, 0, "", 0, 0));
        case Open.Out out -> kept.add(new Kept(d, out == open.get(2) && d != 1 ? 2 : 1, "", 0, 0));
        case Open.OpenFile f ->
            kept.add(new Kept(d, 3, f.guest(), f.flags(), f.channel().position()));
        case Open.Folder f -> kept.add(new Kept(d, 4, f.guest(), 0, f.listed()[0]));
        case Open.PipeEnd _ ->
            throw SpillwayException.badInput(
                "the program has a pipe open (descriptor %d), which no checkpoint keeps; choose"
                    + " another point",
                d);
      }
    }
    return kept;
  }

  void restore(String currentFolder, List<Kept> kept, ProcessOptions options) throws IOException {
    open.clear();
    folder = currentFolder;
    for (Kept k : kept) {
      switch (k.kind()) {
        case 0 -> open.put(k.descriptor(), new Open.In(options.in()));
        case 1 -> open.put(k.descriptor(), new Open.Out(options.out()));
        case 2 -> open.put(k.descriptor(), new Open.Out(options.err()));
        default -> reopen(k);
      }
    }
  }

  private void reopen(Kept k) throws IOException {
    Sandbox.Found found = find(AT_FOLDER, k.guest(), true);
    if (found.error() != 0 || !Files.exists(found.host())) {
      throw new NoSuchFileException(k.guest());
    }
    if (k.kind() == 4) {
      Open.Folder f = openFolder(found);
      f.listed()[0] = (int) k.position();
      open.put(k.descriptor(), f);
    } else {
      FileChannel channel = channel(found.host(), k.flags() & ~(EXCLUSIVE | TRUNCATE | CREATE));
      channel.position(k.position());
      open.put(k.descriptor(), new Open.OpenFile(channel, k.guest(), k.flags()));
    }
  }
}
