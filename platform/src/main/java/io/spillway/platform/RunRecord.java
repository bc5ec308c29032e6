package io.spillway.platform;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a run leaves behind so that another person can trust and repeat it: a folder
/// `runs/<time>-<command>/` whose `run.json` holds version, arguments, machine, seed and results.
///
/// @param command the command, for example `plan`
/// @param arguments its arguments as typed
/// @param version Spillway's version
/// @param startedAt UTC
/// @param seconds wall-clock time of the work
/// @param seed the seed of every random choice
/// @param machine what it ran on
/// @param results the figures that the command answered with
public record RunRecord(
    String command,
    List<String> arguments,
    String version,
    String startedAt,
    double seconds,
    long seed,
    Machine machine,
    Map<String, Object> results) {
  private static final DateTimeFormatter FOLDER_TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

  public RunRecord {
    arguments = List.copyOf(arguments);
    results = java.util.Collections.unmodifiableMap(new TreeMap<>(results));
  }

  /// Makes a fresh folder for a run of `command` below `runs`; a number is added to its name when
  /// another run began in the same second.
  public static Path newFolder(Path runs, String command, Instant startedAt) {
    String name = FOLDER_TIME.format(startedAt) + "-" + command.replace(' ', '-');
    try {
      Files.createDirectories(runs);
      for (int i = 1; ; i++) {
        Path folder = runs.resolve(i == 1 ? name : name + "-" + i);
        try {
          return Files.createDirectory(folder);
        } catch (java.nio.file.FileAlreadyExistsException e) {
          continue;
        }
      }
    } catch (java.io.IOException e) {
      throw new SpillwayException(
          ErrorCode.NOT_AVAILABLE,
          "cannot make a run folder in " + runs + ": " + e.getMessage(),
          e);
    }
  }

  /// Writes `run.json` into `folder`.
  public Path writeTo(Path folder) {
    Path file = folder.resolve("run.json");
    AtomicFiles.writeString(file, Json.write(this) + "\n");
    return file;
  }
}
