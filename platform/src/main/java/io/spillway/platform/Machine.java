package io.spillway.platform;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The computer that a figure was measured on.
///
/// @param cpu the processor's own name
/// @param cores logical processors that this process may use
/// @param memoryBytes physical memory
/// @param os operating system, version and architecture
/// @param java the runtime's version and vendor
public record Machine(String cpu, int cores, long memoryBytes, String os, String java) {
  /// Reads what the operating system tells.
  public static Machine current() {
    return new Machine(
        cpuField("model name").orElse(System.getProperty("os.arch")),
        Runtime.getRuntime().availableProcessors(),
        physicalMemory(),
        System.getProperty("os.name")
            + " "
            + System.getProperty("os.version")
            + " "
            + System.getProperty("os.arch"),
        Runtime.version() + " " + System.getProperty("java.vendor"));
  }

  /// A field of the first processor in `/proc/cpuinfo`, where there is one.
  public static Optional<String> cpuField(String key) {
    Path file = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(file)) {
      return Optional.empty();
    }
    try {
      List<String> lines = Files.readAllLines(file);
      return lines.stream()
          .filter(l -> l.startsWith(key))
          .map(l -> l.substring(l.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static long physicalMemory() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean bean
        ? bean.getTotalMemorySize()
        : Runtime.getRuntime().maxMemory();
  }

  /// One line for tables and pages.
  public String describe() {
    return cpu
        + ", "
        + cores
        + (cores == 1 ? " core, " : " cores, ")
        + new io.spillway.platform.units.Bytes(memoryBytes)
        + ", "
        + os
        + ", Java "
        + java;
  }
}
