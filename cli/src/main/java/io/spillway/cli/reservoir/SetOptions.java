package io.spillway.cli.reservoir;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.events.RecordingSet;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Options that name labelled recordings.
final class SetOptions {
  @Option(
      names = "--events",
      paramLabel = "PATH",
      description =
          "Recordings: a folder with labels.csv (file,label), a folder with one sub-folder a class,"
              + " or an HDF5 file (SHD, N-TIDIGITS).")
  private @Nullable Path events;

  @Mixin private ImageOptions images = new ImageOptions();

  @Option(
      names = "--sounds",
      paramLabel = "FOLDER",
      description = "WAV files LABEL_SPEAKER_TAKE.wav, heard through the cochlea of 64 channels.")
  private @Nullable Path sounds;

  @Option(
      names = "--skip",
      paramLabel = "N",
      defaultValue = "0",
      description = "Recordings to leave out at the start; default ${DEFAULT-VALUE}.")
  private int skip;

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "Recordings to take at most; default all.")
  private @Nullable Integer limit;

  @Option(
      names = "--part",
      paramLabel = "NAME",
      defaultValue = "all",
      description = "Part of an N-TIDIGITS file: train, test or all; default ${DEFAULT-VALUE}.")
  private RecordingSet.Part part = RecordingSet.Part.ALL;

  @Option(
      names = "--single-digits",
      description = "Of an N-TIDIGITS file take only utterances of one digit.")
  private boolean single;

  RecordingSet open(long seed) {
    return slice(whole(seed), skip, limit);
  }

  /// Recordings `skip` to `skip + limit`, to the end without a limit.
  static RecordingSet slice(RecordingSet set, int skip, @Nullable Integer limit) {
    int last = limit == null ? set.size() : (int) Math.min(set.size(), (long) skip + limit);
    if (skip < 0 || skip >= last) {
      throw SpillwayException.badInput(
          "--skip %d --limit %s leaves none of the %d recordings",
          skip, limit == null ? "all" : limit.toString(), set.size());
    }
    return skip == 0 && last == set.size()
        ? set
        : set.select(IntStream.range(skip, last).toArray());
  }

  private RecordingSet whole(long seed) {
    int given = (events == null ? 0 : 1) + (images.given() ? 1 : 0) + (sounds == null ? 0 : 1);
    if (given != 1) {
      throw SpillwayException.badInput(
          "give one of --events, --images and --sounds, %d were given", given);
    }
    if (events == null && (part != RecordingSet.Part.ALL || single)) {
      throw SpillwayException.badInput("--part and --single-digits choose among --events");
    }
    if (events != null) {
      return RecordingSet.open(events, part, single);
    }
    if (sounds != null) {
      return ConvertedSets.sounds(sounds, Cochlea.NTIDIGITS);
    }
    return Objects.requireNonNull(images.open(seed));
  }
}
