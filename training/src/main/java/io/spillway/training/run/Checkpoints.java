package io.spillway.training.run;

import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.tensor.DType;
import io.spillway.tensor.safetensors.SafetensorsFile;
import io.spillway.tensor.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// Checkpoints of a run: folders `checkpoint-STEP` with the model as Hugging Face knows it, one
/// optimizer shard a rank, and `state.json` with the checksum of every file. A folder gets its name
/// only when it is complete and on disk; older ones are removed after that.
public final class Checkpoints {
  private static final Pattern NAME = Pattern.compile("checkpoint-(\\d{1,18})");
  private static final String STATE = "state.json";
  private static final Pattern OURS =
      Pattern.compile(
          "(optimizer-\\d{5}-of-\\d{5}|model)\\.safetensors|config\\.json|tokenizer.*\\.json"
              + "|special_tokens_map\\.json|generation_config\\.json|chat_template\\.jinja");

  private final Path folder;
  private final int keep;

  /// @param keep how many checkpoints stay
  public Checkpoints(Path folder, int keep) {
    if (keep < 1) {
      throw SpillwayException.badInput("%d checkpoints to keep, at least 1", keep);
    }
    this.folder = folder;
    this.keep = keep;
  }

  public Path folder() {
    return folder;
  }

  /// The newest complete checkpoint.
  public Optional<Path> latest() {
    List<Path> all = all();
    return all.isEmpty() ? Optional.empty() : Optional.of(all.getLast());
  }

  /// Complete checkpoints from the oldest to the newest.
  public List<Path> all() {
    return named().stream().filter(Checkpoints::hasState).toList();
  }

  /// Folders that have the name of a checkpoint and files of another program.
  public List<Path> foreign() {
    return named().stream().filter(p -> !hasState(p) && !isOurs(p)).toList();
  }

  private static boolean hasState(Path checkpoint) {
    return Files.isRegularFile(checkpoint.resolve(STATE));
  }

  /// What a removal that was killed leaves is a folder with fewer files of ours.
  private static boolean isOurs(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.allMatch(f -> OURS.matcher(String.valueOf(f.getFileName())).matches());
    } catch (IOException e) {
      throw failed("read", folder, e);
    }
  }

  private List<Path> named() {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> list = Files.list(folder)) {
      return list.filter(p -> step(p) >= 0 && Files.isDirectory(p))
          .sorted(Comparator.comparingLong(Checkpoints::step))
          .toList();
    } catch (IOException e) {
      throw failed("read", folder, e);
    }
  }

  private static long step(Path path) {
    Matcher m = NAME.matcher(String.valueOf(path.getFileName()));
    return m.matches() ? Long.parseLong(m.group(1)) : -1;
  }

  /// Makes the folder in which the checkpoint of `step` grows, after removing what broken writes
  /// left. One rank calls it.
  ///
  /// **Errors:** [io.spillway.platform.ErrorCode#DOES_NOT_FIT] when the disk has less room than
  /// `bytes`; older checkpoints are untouched then.
  public Path begin(long step, long bytes) {
    try {
      Files.createDirectories(folder);
      try (Stream<Path> list = Files.list(folder)) {
        for (Path p :
            list.filter(p -> String.valueOf(p.getFileName()).endsWith(".part")).toList()) {
          remove(p);
        }
      }
      long free = Files.getFileStore(folder).getUsableSpace();
      if (free < bytes + (bytes >> 6)) {
        throw SpillwayException.doesNotFit(
            "a checkpoint of %s does not fit on the disk of %s, which has %s free; the last"
                + " checkpoint is untouched",
            new Bytes(bytes), folder, new Bytes(free));
      }
      Path part = part(step);
      Files.createDirectory(part);
      return part;
    } catch (FileAlreadyExistsException e) {
      throw SpillwayException.badInput(
          "%s is written by another process; give each run an output folder of its own", folder);
    } catch (IOException e) {
      throw failed("write", folder, e);
    }
  }

  /// The folder in which the checkpoint of `step` grows.
  public Path part(long step) {
    return folder.resolve("checkpoint-" + step + ".part");
  }

  /// Writes the shard of one rank into a growing checkpoint.
  public static void writeShard(Path part, int rank, int ranks, Shard shard) {
    Map<String, SafetensorsWriter.Source> tensors = new LinkedHashMap<>();
    List<Long> shape = List.of(shard.to() - shard.from());
    tensors.put("master", new SafetensorsWriter.Source(DType.F32, shape, shard.master()));
    tensors.put("momentum", new SafetensorsWriter.Source(DType.F32, shape, shard.momentum()));
    tensors.put("variance", new SafetensorsWriter.Source(DType.F32, shape, shard.variance()));
    SafetensorsWriter.write(
        part.resolve(shardName(rank, ranks)),
        tensors,
        Map.of("from", Long.toString(shard.from()), "to", Long.toString(shard.to())));
  }

  private static String shardName(int rank, int ranks) {
    return String.format("optimizer-%05d-of-%05d.safetensors", rank + 1, ranks);
  }

  /// Completes a growing checkpoint: sums up its files, writes `state.json`, gives it its name and
  /// removes the oldest beyond those to keep. One rank calls it when every shard is there.
  public Path finish(Path part, TrainState state, int ranks) {
    try {
      List<TrainState.FileSum> sums = new ArrayList<>();
      try (Stream<Path> files = Files.list(part)) {
        for (Path file : files.sorted().toList()) {
          sums.add(
              new TrainState.FileSum(
                  String.valueOf(file.getFileName()), Files.size(file), checksum(file)));
        }
      }
      io.spillway.platform.AtomicFiles.writeString(
          part.resolve(STATE), Json.write(state.with(ranks, sums)));
      Path complete = folder.resolve("checkpoint-" + state.step());
      if (Files.exists(complete)) {
        // the same step was saved before this run resumed from an older one
        remove(complete);
      }
      Files.move(part, complete, StandardCopyOption.ATOMIC_MOVE);
      List<Path> all = all();
      for (int i = 0; i < all.size() - keep; i++) {
        remove(all.get(i));
      }
      return complete;
    } catch (IOException e) {
      throw failed("write", part, e);
    }
  }

  private static void remove(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      Files.deleteIfExists(path);
      return;
    }
    // without its state a folder is no checkpoint any more, so that goes first
    Files.deleteIfExists(path.resolve(STATE));
    try (Stream<Path> files = Files.list(path)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(path);
  }

  /// Removes a checkpoint that could not be completed.
  public void discard(Path part) {
    try {
      remove(part);
    } catch (IOException e) {
      throw failed("remove", part, e);
    }
  }

  /// Reads and checks `state.json` and the checksums of a checkpoint.
  ///
  /// **Errors:** foreign folders, missing files, checksums that differ: the file is named.
  public static TrainState read(Path checkpoint) {
    Path file = checkpoint.resolve(STATE);
    if (!Files.isRegularFile(file)) {
      throw SpillwayException.badInput(
          "%s is no checkpoint of Spillway: it has no %s", checkpoint, STATE);
    }
    TrainState state = Json.read(file, TrainState.class);
    if (state.format() != TrainState.FORMAT || state.files().isEmpty()) {
      throw SpillwayException.badFile(
          file,
          "",
          "no state of a Spillway checkpoint that this version reads: format %d with %d files, it"
              + " reads format %d",
          state.format(),
          state.files().size(),
          TrainState.FORMAT);
    }
    for (TrainState.FileSum sum : state.files()) {
      Path one = checkpoint.resolve(sum.name());
      try {
        if (!Files.isRegularFile(one) || Files.size(one) != sum.bytes()) {
          throw SpillwayException.badFile(
              one,
              "",
              "the checkpoint is damaged: %d bytes were written, %s",
              sum.bytes(),
              Files.isRegularFile(one) ? Files.size(one) + " are there" : "the file is missing");
        }
        if (!checksum(one).equals(sum.crc32c())) {
          throw SpillwayException.badFile(
              one, "", "the checkpoint is damaged: the checksum differs from that in %s", STATE);
        }
      } catch (IOException e) {
        throw failed("read", one, e);
      }
    }
    return state;
  }

  /// Fills `into` with the optimizer state of its range from the shards of a checkpoint, however
  /// many there are.
  public static void readShards(Path checkpoint, TrainState state, Shard into) {
    long filled = 0;
    for (int rank = 0; rank < state.ranks(); rank++) {
      Path file = checkpoint.resolve(shardName(rank, state.ranks()));
      try (SafetensorsFile shard = SafetensorsFile.open(file)) {
        long from = Long.parseLong(shard.metadata().getOrDefault("from", "-1"));
        long to = Long.parseLong(shard.metadata().getOrDefault("to", "-1"));
        long begin = Math.max(from, into.from());
        long end = Math.min(to, into.to());
        if (from < 0 || begin >= end) {
          continue;
        }
        copy(shard.segment("master"), from, into.master(), into.from(), begin, end);
        copy(shard.segment("momentum"), from, into.momentum(), into.from(), begin, end);
        copy(shard.segment("variance"), from, into.variance(), into.from(), begin, end);
        filled += end - begin;
      }
    }
    if (filled != into.to() - into.from()) {
      throw SpillwayException.badFile(
          checkpoint,
          "",
          "its optimizer shards cover %d of %d parameters; it belongs to another model",
          filled,
          into.to() - into.from());
    }
  }

  private static void copy(
      MemorySegment source,
      long sourceFrom,
      MemorySegment into,
      long intoFrom,
      long from,
      long to) {
    MemorySegment.copy(
        source, 4 * (from - sourceFrom), into, 4 * (from - intoFrom), 4 * (to - from));
  }

  static String checksum(Path file) throws IOException {
    CRC32C sum = new CRC32C();
    byte[] piece = new byte[1 << 20];
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
        sum.update(piece, 0, n);
      }
    }
    return String.format("%08x", sum.getValue());
  }

  private static RuntimeException failed(String verb, Path path, IOException e) {
    if (e instanceof NoSuchFileException) {
      return SpillwayException.notFound("%s: no such file", path);
    }
    return new UncheckedIOException("cannot " + verb + " " + path + ": " + e.getMessage(), e);
  }
}
