package io.spillway.simulator.machine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// Links, rights and times of files, and copies from descriptor to descriptor.
final class LinuxLinks {
  private static final int NO_FOLLOW = 0x100;
  private static final int EMPTY_PATH = 0x1000;
  private static final long NOW = 0x3fffffff;
  private static final long OMIT = 0x3ffffffe;

  private final Memory memory;
  private final LinuxFiles files;
  private final LinuxPaths paths;

  LinuxLinks(Memory memory, LinuxFiles files, LinuxPaths paths) {
    this.memory = memory;
    this.files = files;
    this.paths = paths;
  }

  /// A symbolic link; its target is a text, which [Sandbox] follows within the folder alone.
  long symbolic(String target, int at, String path) {
    Sandbox.Found found = files.find(at, path, false);
    if (target.isEmpty() || found.error() != 0) {
      return target.isEmpty() ? Errno.NO_ENTRY : found.error();
    }
    return LinuxFiles.attempt(() -> {
      Path unused = Files.createSymbolicLink(found.host(), Path.of(target));
      return 0;
    });
  }

  long hard(int fromAt, String from, int toAt, String to) {
    Sandbox.Found source = files.find(fromAt, from, false);
    Sandbox.Found target = files.find(toAt, to, false);
    if (source.error() != 0 || target.error() != 0) {
      return source.error() != 0 ? source.error() : target.error();
    }
    return LinuxFiles.attempt(() -> {
      Path unused = Files.createLink(target.host(), source.host());
      return 0;
    });
  }

  private Sandbox.Found of(int descriptor) {
    return switch (files.get(descriptor)) {
      case LinuxFiles.Open.OpenFile f -> files.find(LinuxFiles.AT_FOLDER, f.guest(), true);
      case LinuxFiles.Open.Folder f -> files.find(LinuxFiles.AT_FOLDER, f.guest(), true);
      case LinuxFiles.Open.In _, LinuxFiles.Open.Out _, LinuxFiles.Open.PipeEnd _ ->
          new Sandbox.Found(Path.of("/"), "/", Errno.INVALID);
      case null -> new Sandbox.Found(Path.of("/"), "/", Errno.BAD_DESCRIPTOR);
    };
  }

  long rights(int descriptor, int mode) {
    return rights(of(descriptor), mode);
  }

  long rightsAt(int at, String path, int mode) {
    return rights(files.find(at, path, true), mode);
  }

  private static long rights(Sandbox.Found found, int mode) {
    if (found.error() != 0) {
      return found.error();
    }
    return LinuxFiles.attempt(() -> {
      setRights(found.host(), mode);
      return 0;
    });
  }

  /// Gives a file the nine lower bits of `mode`.
  static void setRights(Path file, int mode) throws IOException {
    Set<PosixFilePermission> rights = EnumSet.noneOf(PosixFilePermission.class);
    for (PosixFilePermission p : PosixFilePermission.values()) {
      if ((mode >> 8 - p.ordinal() & 1) != 0) {
        rights.add(p);
      }
    }
    Path unused = Files.setPosixFilePermissions(file, rights);
  }

  /// Sets the time of last change; that of the last access is not kept.
  long times(int at, long path, String text, long times, int flags) {
    boolean own = path == 0 || text.isEmpty() && (flags & EMPTY_PATH) != 0;
    Sandbox.Found found = own ? of(at) : files.find(at, text, (flags & NO_FOLLOW) == 0);
    if (found.error() != 0) {
      return found.error();
    }
    long seconds = times == 0 ? 0 : memory.load64(times + 16);
    long nanos = times == 0 ? NOW : memory.load64(times + 24);
    if (nanos == OMIT) {
      return 0;
    }
    return LinuxFiles.attempt(() -> {
      if (!Files.exists(found.host(), LinkOption.NOFOLLOW_LINKS)) {
        return Errno.NO_ENTRY;
      }
      FileTime time =
          nanos == NOW
              ? FileTime.fromMillis(System.currentTimeMillis())
              : FileTime.from(seconds * 1_000_000_000L + nanos, TimeUnit.NANOSECONDS);
      Path unused = Files.setLastModifiedTime(found.host(), time);
      return 0;
    });
  }

  long truncate(String path, long size) {
    long descriptor = files.openAt(LinuxFiles.AT_FOLDER, path, LinuxFiles.WRITE_ONLY, 0);
    if (descriptor < 0) {
      return descriptor;
    }
    long result = files.truncate((int) descriptor, size);
    files.close((int) descriptor);
    return result;
  }

  /// `statfs`: a file system of plausible size.
  long fileSystem(long error, long address) {
    if (error != 0) {
      return error;
    }
    memory.write(address, new byte[120]);
    long[] words = {0xef53, 4096, 1 << 24, 1 << 23, 1 << 23, 1 << 22, 1 << 21, 0, 255, 4096};
    for (int i = 0; i < words.length; i++) {
      memory.store64(address + 8L * i, words[i]);
    }
    return 0;
  }

  long fileSystemAt(String path, long address) {
    return fileSystem(paths.accessAt(LinuxFiles.AT_FOLDER, path), address);
  }

  /// `sendfile`: copies from a file to another descriptor.
  long copy(Hart hart, int to, int from, long offsetAddress, long count) {
    if (!(files.get(from) instanceof LinuxFiles.Open.OpenFile source)) {
      return files.isOpen(from) ? Errno.INVALID : Errno.BAD_DESCRIPTOR;
    }
    if (!(files.get(to) instanceof LinuxFiles.Open.OpenFile target)) {
      return files.isOpen(to) ? Errno.INVALID : Errno.BAD_DESCRIPTOR;
    }
    return LinuxFiles.attempt(() -> {
      long start = offsetAddress == 0 ? source.channel().position() : memory.load64(offsetAddress);
      ByteBuffer buffer = ByteBuffer.allocate((int) Math.max(0, Math.min(count, 1 << 20)));
      files.shared().writeBack(source.guest());
      files.shared().writeBack(target.guest());
      int n = Math.max(0, source.channel().read(buffer, start));
      buffer.flip();
      while (buffer.hasRemaining()) {
        target.channel().write(buffer);
      }
      files.shared().reload(target.guest());
      if (offsetAddress == 0) {
        source.channel().position(start + n);
      } else {
        memory.store64(offsetAddress, start + n);
      }
      return n;
    });
  }
}
