package io.spillway.reservoir.protocol;

import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.crossbar.DevicePresets;
import io.spillway.reservoir.events.Digests;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Liquid;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where encodings of long runs are kept while they last: finished blocks in a folder beside the
/// output, whose name ends with a digest of all that determines their bits. The same command finds
/// them after Ctrl-C or SIGKILL; another one does not and says why. [#remove] ends it, after the
/// result is written.
///
/// A set that does not tell what it is made of ([RecordingSet#origin]) is not kept. One run at a
/// time uses a folder; a second of the same settings keeps nothing.
public final class KeptEncodings implements AutoCloseable {
  private static final int FORMAT = 1;
  private static final int SHOWN = 16;

  private final @Nullable Path beside;
  private final String software;
  private final Consumer<String> tell;
  private final List<BlockFolder> open = new ArrayList<>();

  private KeptEncodings(@Nullable Path beside, String software, Consumer<String> tell) {
    this.beside = beside;
    this.software = software;
    this.tell = tell;
  }

  /// Keeps nothing.
  public static KeptEncodings none() {
    return new KeptEncodings(null, "", _ -> {});
  }

  /// Keeps blocks in `OUTPUT.encoding-DIGEST`.
  ///
  /// @param software the program's version: another may encode otherwise
  /// @param tell gets one line each about what was found and what was not used
  public static KeptEncodings beside(Path output, String software, Consumer<String> tell) {
    return new KeptEncodings(output.toAbsolutePath(), software, tell);
  }

  /// The blocks of one encoding; those finished earlier are in them.
  ///
  /// @param width counts of a recording
  /// @param block recordings of a block
  EncodedBlocks blocks(Liquid liquid, Engine engine, RecordingSet set, int width, int block) {
    EncodedBlocks fresh = new EncodedBlocks(set.size(), width, block);
    if (beside == null) {
      return fresh;
    }
    Optional<Map<String, String>> settings = settings(liquid, engine, set, width, block);
    if (settings.isEmpty()) {
      return fresh;
    }
    String about = Json.write(settings.get());
    Path folder = beside.resolveSibling(prefix(beside) + shown(about));
    tellOfOthers(beside, folder, settings.get());
    Optional<BlockFolder> mine = BlockFolder.open(folder, about, tell);
    if (mine.isPresent()) {
      open.add(mine.get());
      fresh.keepIn(mine.get());
      if (fresh.known() > 0) {
        tell.accept(
            String.format(
                "%d of %d recordings are encoded already in %s",
                fresh.known(), set.size(), folder.getFileName()));
      }
    }
    return fresh;
  }

  private static String prefix(Path output) {
    return output.getFileName() + ".encoding-";
  }

  /// All that determines the bits of an encoding, by name.
  private Optional<Map<String, String>> settings(
      Liquid liquid, Engine engine, RecordingSet set, int width, int block) {
    List<String> origins = new ArrayList<>();
    String[] each = new String[set.size()];
    Encoder.parallel(each.length, i -> each[i] = set.origin(i).orElse(""));
    for (String origin : each) {
      if (origin.isEmpty()) {
        return Optional.empty();
      }
      origins.add(origin);
    }
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("version", FORMAT + " of " + software);
    settings.put("liquid", liquid.config().toString());
    settings.put("memory", DevicePresets.fingerprint(liquid.config().device()));
    settings.put("framing", liquid.framing().toString());
    settings.put("engine", engine.toString());
    settings.put("blocks", width + " counts, " + block + " recordings");
    settings.put("recordings", set.size() + ", " + shown(String.join("\n", origins)));
    return Optional.of(settings);
  }

  private static String shown(String text) {
    return Digests.of(text).substring(0, SHOWN);
  }

  /// Says of unfinished encodings of the same output why they are not used.
  private void tellOfOthers(Path output, Path mine, Map<String, String> settings) {
    Path parent = output.getParent();
    if (parent == null || !Files.isDirectory(parent)) {
      return;
    }
    try (Stream<Path> all = Files.list(parent)) {
      for (Path other : all.sorted().toList()) {
        if (String.valueOf(other.getFileName()).startsWith(prefix(output))
            && !other.equals(mine)
            && !BlockFolder.inUse(other)) {
          tell.accept(
              String.format(
                  "%s is not used: %s; remove the folder if that run shall not go on",
                  other, difference(other, settings)));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + parent + ": " + e.getMessage(), e);
    }
  }

  private static String difference(Path other, Map<String, String> settings) {
    Path file = other.resolve(BlockFolder.SETTINGS);
    Map<String, String> theirs = new LinkedHashMap<>();
    try {
      if (Files.isRegularFile(file)) {
        Map<?, ?> read = Json.parse(Files.readString(file), Map.class, file.toString());
        read.forEach((key, value) -> theirs.put(String.valueOf(key), String.valueOf(value)));
      }
    } catch (IOException | SpillwayException e) {
      return "its settings cannot be read";
    }
    for (Map.Entry<String, String> own : settings.entrySet()) {
      String there = theirs.getOrDefault(own.getKey(), "");
      if (!there.equals(own.getValue())) {
        return String.format("%s: %s", own.getKey(), parts(there, own.getValue()));
      }
    }
    return "its name is not that of its settings";
  }

  /// The parts of two lists in which they differ; whole texts where they have no parts in common.
  private static String parts(String there, String here) {
    String[] theirs = there.split(", ", -1);
    String[] ours = here.split(", ", -1);
    boolean aligned = theirs.length == ours.length;
    int[] differ =
        IntStream.range(0, ours.length)
            .filter(i -> !aligned || !theirs[i].equals(ours[i]))
            .toArray();
    return aligned
        ? String.format("%s there, %s here", join(theirs, differ), join(ours, differ))
        : String.format("'%s' there, '%s' here", there, here);
  }

  private static String join(String[] parts, int[] which) {
    return IntStream.of(which)
        .mapToObj(i -> parts[i].substring(parts[i].lastIndexOf('[') + 1))
        .collect(Collectors.joining(", "));
  }

  /// Removes the blocks: the result is written.
  public void remove() {
    open.forEach(BlockFolder::remove);
  }

  /// Lets go of the folders; what was not removed waits for the next run.
  @Override
  public void close() {
    open.forEach(BlockFolder::close);
    open.clear();
  }
}
