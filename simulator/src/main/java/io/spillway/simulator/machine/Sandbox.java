package io.spillway.simulator.machine;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/// The folder that a program sees as `/`. Every symbolic link is followed here, within the folder,
/// and never by the host, so that no path leads out of it.
final class Sandbox {
  private static final int MOST_LINKS = 40;

  private final Path root;

  /// What a path leads to.
  ///
  /// @param host the file on the host, itself no link unless links were not to be followed
  /// @param guest its name as the program sees it
  /// @param error 0, or the error number that ends the search
  record Found(Path host, String guest, long error) {}

  Sandbox(Path root) {
    if (!Files.isDirectory(root)) {
      throw SpillwayException.notFound("--root %s is not a folder", root);
    }
    try {
      this.root = root.toRealPath();
    } catch (IOException e) {
      throw SpillwayException.notFound("--root %s cannot be read: %s", root, e);
    }
  }

  Path root() {
    return root;
  }

  /// Resolves a program's path.
  ///
  /// @param folder the folder, as the program sees it, from which relative paths count
  /// @param followLast whether a link at the end is followed
  Found resolve(String folder, String path, boolean followLast) {
    Deque<String> rest = new ArrayDeque<>(parts(path));
    List<String> done = path.startsWith("/") ? new ArrayList<>() : new ArrayList<>(parts(folder));
    int links = 0;
    try {
      while (!rest.isEmpty()) {
        String name = rest.removeFirst();
        if (name.equals("..")) {
          if (!done.isEmpty()) {
            done.removeLast();
          }
          continue;
        }
        done.add(name);
        Path here = host(done);
        if (Files.isSymbolicLink(here) && (followLast || !rest.isEmpty())) {
          if (++links > MOST_LINKS) {
            return new Found(here, guest(done), Errno.LOOP);
          }
          String target = Files.readSymbolicLink(here).toString();
          done.removeLast();
          if (target.startsWith("/")) {
            done.clear();
          }
          List<String> more = parts(target);
          for (int i = more.size() - 1; i >= 0; i--) {
            rest.addFirst(more.get(i));
          }
        } else if (!rest.isEmpty() && !Files.isDirectory(here, LinkOption.NOFOLLOW_LINKS)) {
          boolean there = Files.exists(here, LinkOption.NOFOLLOW_LINKS);
          return new Found(here, guest(done), there ? Errno.NOT_DIRECTORY : Errno.NO_ENTRY);
        }
      }
      return new Found(host(done), guest(done), 0);
    } catch (IOException e) {
      return new Found(root, "/", Errno.IO);
    } catch (InvalidPathException e) {
      return new Found(root, "/", Errno.NO_ENTRY);
    }
  }

  private static List<String> parts(String path) {
    return Arrays.stream(path.split("/")).filter(p -> !p.isEmpty() && !p.equals(".")).toList();
  }

  private Path host(List<String> parts) {
    Path path = root;
    for (String part : parts) {
      path = path.resolve(part);
    }
    return path;
  }

  private static String guest(List<String> parts) {
    return "/" + String.join("/", parts);
  }
}
