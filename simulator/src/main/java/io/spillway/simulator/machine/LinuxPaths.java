package io.spillway.simulator.machine;

import io.spillway.simulator.machine.LinuxFiles.Open;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;

/// What the program asks about names and does with them: lists, status, folders, removal.
final class LinuxPaths {
  private static final int EMPTY_PATH = 0x1000;
  private static final int NO_FOLLOW = 0x100;
  private static final int REMOVE_FOLDER = 0x200;

  private final Memory memory;
  private final LinuxFiles files;

  LinuxPaths(Memory memory, LinuxFiles files) {
    this.memory = memory;
    this.files = files;
  }

  /// Lists entries of a folder: number, next offset, record size, kind, name.
  long entries(int descriptor, long address, long count) {
    if (!(files.get(descriptor) instanceof Open.Folder f)) {
      return files.isOpen(descriptor) ? Errno.NOT_DIRECTORY : Errno.BAD_DESCRIPTOR;
    }
    long at = address;
    while (f.listed()[0] < f.entries().size()) {
      String text = f.entries().get(f.listed()[0]);
      byte[] name = text.getBytes(StandardCharsets.UTF_8);
      int size = 19 + name.length + 1 + 7 & -8;
      if (at + size > address + count) {
        return at == address ? Errno.INVALID : at - address;
      }
      Sandbox.Found found = files.find(LinuxFiles.AT_FOLDER, f.guest() + "/" + text, false);
      int kind = Files.isSymbolicLink(found.host()) ? 10 : Files.isDirectory(found.host()) ? 4 : 8;
      memory.store64(at, f.listed()[0] + 1L);
      memory.store64(at + 8, f.listed()[0] + 1L);
      memory.store16(at + 16, size);
      memory.store8(at + 18, kind);
      memory.write(at + 19, name);
      memory.store8(at + 19 + name.length, 0);
      at += size;
      f.listed()[0]++;
    }
    return at - address;
  }

  long status(int descriptor, long address) {
    return switch (files.get(descriptor)) {
      case Open.In _, Open.Out _ -> writeStatus(address, descriptor + 1L, 0x2190, 1, 0, 0);
      case Open.OpenFile(FileChannel _, String guest, int _) ->
          statusOf(files.find(LinuxFiles.AT_FOLDER, guest, true), address);
      case Open.Folder(String guest, List<String> _, int[] _) ->
          statusOf(files.find(LinuxFiles.AT_FOLDER, guest, true), address);
      case Open.PipeEnd _ -> writeStatus(address, descriptor + 1L, 0x1180, 1, 0, 0);
      case null -> Errno.BAD_DESCRIPTOR;
    };
  }

  long statusAt(int at, String path, long address, int flags) {
    if (path.isEmpty() && (flags & EMPTY_PATH) != 0 && at != LinuxFiles.AT_FOLDER) {
      return status(at, address);
    }
    return statusOf(files.find(at, path, (flags & NO_FOLLOW) == 0), address);
  }

  private long statusOf(Sandbox.Found found, long address) {
    if (found.error() != 0) {
      return found.error();
    }
    return LinuxFiles.attempt(() -> {
      var a =
          Files.readAttributes(
              found.host(),
              java.nio.file.attribute.BasicFileAttributes.class,
              LinkOption.NOFOLLOW_LINKS);
      int kind = a.isDirectory() ? 0x4000 : a.isSymbolicLink() ? 0xa000 : 0x8000;
      Map<String, Object> unix = unix(found.host());
      int rights =
          unix.get("mode") instanceof Integer mode
              ? mode & 0777
              : a.isDirectory() || Files.isExecutable(found.host()) ? 0755 : 0644;
      int links = unix.get("nlink") instanceof Integer n ? n : 1;
      long number = found.guest().hashCode() & 0x7fffffffL;
      long seconds = a.lastModifiedTime().toMillis() / 1000;
      return writeStatus(address, number, kind | rights, links, a.size(), seconds);
    });
  }

  /// Rights and number of links, where the host's file system has them.
  private static Map<String, Object> unix(Path file) throws IOException {
    return file.getFileSystem().supportedFileAttributeViews().contains("unix")
        ? Files.readAttributes(file, "unix:mode,nlink", LinkOption.NOFOLLOW_LINKS)
        : Map.of();
  }

  private long writeStatus(
      long address, long number, int mode, int links, long size, long seconds) {
    memory.write(address, new byte[128]);
    memory.store64(address, 1);
    memory.store64(address + 8, number);
    memory.store32(address + 16, mode);
    memory.store32(address + 20, links);
    memory.store32(address + 24, 1000);
    memory.store32(address + 28, 1000);
    memory.store64(address + 48, size);
    memory.store32(address + 56, 4096);
    memory.store64(address + 64, size + 511 >>> 9);
    memory.store64(address + 72, seconds);
    memory.store64(address + 88, seconds);
    memory.store64(address + 104, seconds);
    return 0;
  }

  long accessAt(int at, String path) {
    Sandbox.Found found = files.find(at, path, true);
    return found.error() != 0 ? found.error() : Files.exists(found.host()) ? 0 : Errno.NO_ENTRY;
  }

  long readLink(int at, String path, long address, long count, String program) {
    // the kernel answers with a whole path, and the C library insists
    String target = Path.of("/").resolve(program).normalize().toString();
    if (!path.equals("/proc/self/exe")) {
      Sandbox.Found found = files.find(at, path, false);
      if (found.error() != 0) {
        return found.error();
      }
      if (!Files.isSymbolicLink(found.host())) {
        return Files.exists(found.host()) ? Errno.INVALID : Errno.NO_ENTRY;
      }
      try {
        target = Files.readSymbolicLink(found.host()).toString();
      } catch (IOException e) {
        return Errno.IO;
      }
    }
    byte[] bytes = target.getBytes(StandardCharsets.UTF_8);
    int n = (int) Math.min(bytes.length, Math.max(0, count));
    memory.write(address, bytes, 0, n);
    return n;
  }

  long makeFolder(int at, String path) {
    Sandbox.Found found = files.find(at, path, false);
    return found.error() != 0
        ? found.error()
        : LinuxFiles.attempt(() -> Files.createDirectory(found.host()) == null ? Errno.IO : 0);
  }

  long remove(int at, String path, int flags) {
    Sandbox.Found found = files.find(at, path, false);
    if (found.error() != 0) {
      return found.error();
    }
    boolean isFolder = Files.isDirectory(found.host(), LinkOption.NOFOLLOW_LINKS);
    if (isFolder != ((flags & REMOVE_FOLDER) != 0)) {
      return isFolder ? Errno.IS_DIRECTORY : Errno.NOT_DIRECTORY;
    }
    return found.guest().equals("/")
        ? Errno.NOT_PERMITTED
        : LinuxFiles.attempt(() -> {
          Files.delete(found.host());
          return 0;
        });
  }

  long rename(int fromAt, String from, int toAt, String to) {
    Sandbox.Found source = files.find(fromAt, from, false);
    Sandbox.Found target = files.find(toAt, to, false);
    if (source.error() != 0 || target.error() != 0) {
      return source.error() != 0 ? source.error() : target.error();
    }
    return LinuxFiles.attempt(() ->
        Files.move(source.host(), target.host(), StandardCopyOption.REPLACE_EXISTING) == null
            ? Errno.IO
            : 0);
  }
}
