package io.spillway.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Gives each of several processes a fixed share of a core (Linux control groups), so that many
/// ranks on few cores behave like devices of one speed each instead of disturbing one another. The
/// groups weigh more than whatever else runs, so that a busy machine still gives each its share.
///
/// Needs root; [#whyNot] says what is missing. Closing removes the groups.
public final class CpuShares implements AutoCloseable {
  private static final Path V1 = Path.of("/sys/fs/cgroup/cpu");
  private static final Path V2 = Path.of("/sys/fs/cgroup");
  private static final long PERIOD_MICROS = 2_500;

  /// The most that the kernel takes.
  private static final String WEIGHT_V1 = "262144";

  private static final String WEIGHT_V2 = "10000";

  private final List<Path> groups = new ArrayList<>();

  private CpuShares() {}

  /// Why shares cannot be set here; empty if they can.
  public static Optional<String> whyNot() {
    return root().isPresent() ? Optional.empty() : Optional.of("no writable cpu control group");
  }

  private static Optional<Path> root() {
    for (Path root : List.of(V1, V2)) {
      boolean controls =
          Files.exists(root.resolve("cpu.cfs_quota_us"))
              || Files.exists(root.resolve("cgroup.subtree_control")) && root.equals(V2);
      if (controls && Files.isWritable(root)) {
        return Optional.of(root);
      }
    }
    return Optional.empty();
  }

  /// One group for each share.
  ///
  /// @param cores shares of one core, for example 0.4
  public static CpuShares build(String name, List<Double> cores) {
    Path root = root().orElseThrow(() -> new IllegalStateException("no cpu control group"));
    CpuShares made = new CpuShares();
    try {
      if (root.equals(V2)) {
        Files.writeString(root.resolve("cgroup.subtree_control"), "+cpu");
      }
      for (int i = 0; i < cores.size(); i++) {
        Path group =
            root.resolve(
                String.format(Locale.ROOT, "%s-%d-%d", name, ProcessHandle.current().pid(), i));
        Files.createDirectory(group);
        made.groups.add(group);
        long quota = Math.round(cores.get(i) * PERIOD_MICROS);
        if (root.equals(V1)) {
          Files.writeString(group.resolve("cpu.shares"), WEIGHT_V1);
          Files.writeString(group.resolve("cpu.cfs_period_us"), Long.toString(PERIOD_MICROS));
          Files.writeString(group.resolve("cpu.cfs_quota_us"), Long.toString(quota));
        } else {
          Files.writeString(group.resolve("cpu.weight"), WEIGHT_V2);
          Files.writeString(group.resolve("cpu.max"), quota + " " + PERIOD_MICROS);
        }
      }
      return made;
    } catch (IOException e) {
      made.close();
      throw new UncheckedIOException("cannot set cpu shares: " + e.getMessage(), e);
    }
  }

  /// The words that start a program in group `i`.
  public List<String> enter(int i) {
    return List.of(
        "sh", "-c", "echo $$ > " + groups.get(i).resolve("cgroup.procs") + " && exec \"$@\"", "sh");
  }

  @Override
  public void close() {
    for (Path group : groups) {
      try {
        Files.deleteIfExists(group);
      } catch (IOException e) {
        // a process may still be ending in it; an empty group costs nothing
      }
    }
  }
}
