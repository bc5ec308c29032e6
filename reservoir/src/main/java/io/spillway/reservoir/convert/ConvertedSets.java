package io.spillway.reservoir.convert;

import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.events.Digests;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.RecordingSet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Sets of recordings that are converted from images or sound as they are read.
public final class ConvertedSets {
  private static final Pattern SPOKEN = Pattern.compile("([0-9a-z]+)_([a-z]+)_([0-9]+)\\.wav");

  private ConvertedSets() {}

  /// Images in IDX format, shown to the sensor by saccades.
  ///
  /// @param varied whether sensor and aim differ from recording to recording
  public static RecordingSet images(
      Path images, Path labels, PixelModel model, boolean varied, Seeds seeds) {
    Idx.Images read = Idx.images(images);
    int[] digits = Idx.labels(labels);
    if (digits.length != read.count()) {
      throw SpillwayException.badInput(
          "%s has %d images, %s has %d labels", images, read.count(), labels, digits.length);
    }
    Supplier<String> digest = Digests.once(images);
    String settings = model + " " + (varied ? "varied" : "same") + " " + seeds;
    return RecordingSet.of(
        images,
        IntStream.range(0, read.count()).mapToObj(i -> String.format("%05d", i + 1)).toList(),
        IntStream.of(digits).mapToObj(Integer::toString).toList(),
        i ->
            varied
                ? Saccades.recordVaried(read.image(i), model, seeds.stream("saccades", i))
                : Saccades.record(read.image(i), model, seeds.stream("saccades", i)),
        i -> String.join(" ", digest.get(), String.valueOf(i), settings));
  }

  /// What turns sound number `number` of a set into spikes.
  @FunctionalInterface
  public interface Ear {
    EventRecording listen(Wav wav, int number);
  }

  /// A folder of WAV files named `LABEL_SPEAKER_TAKE.wav`, heard through the cochlea.
  public static RecordingSet sounds(Path folder, Cochlea cochlea) {
    return sounds(folder, (wav, _) -> cochlea.listen(wav), Optional.of(cochlea.toString()));
  }

  /// The same through any ear.
  public static RecordingSet sounds(Path folder, Ear ear) {
    return sounds(folder, ear, Optional.empty());
  }

  private static RecordingSet sounds(Path folder, Ear ear, Optional<String> known) {
    List<String> names = new ArrayList<>();
    List<String> labels = new ArrayList<>();
    if (!Files.isDirectory(folder)) {
      throw SpillwayException.notFound("%s: no such folder", folder);
    }
    try (Stream<Path> all = Files.list(folder)) {
      for (Path file : all.sorted().toList()) {
        Matcher name = SPOKEN.matcher(String.valueOf(file.getFileName()));
        if (name.matches()) {
          names.add(String.valueOf(file.getFileName()));
          labels.add(name.group(1));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + folder + ": " + e.getMessage(), e);
    }
    if (names.isEmpty()) {
      throw SpillwayException.badInput(
          "%s holds no sounds named LABEL_SPEAKER_TAKE.wav, for example 7_jackson_12.wav", folder);
    }
    IntFunction<EventRecording> reader = i -> ear.listen(Wav.read(folder.resolve(names.get(i))), i);
    return known.isEmpty()
        ? RecordingSet.of(folder, names, labels, reader)
        : RecordingSet.of(
            folder,
            names,
            labels,
            reader,
            i -> names.get(i) + " " + Digests.of(folder.resolve(names.get(i))) + " " + known.get());
  }

  /// Whether a folder holds sounds by their names.
  public static boolean holdsSounds(Path folder) {
    try (Stream<Path> all = Files.list(folder)) {
      return all.anyMatch(f -> SPOKEN.matcher(String.valueOf(f.getFileName())).matches());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + folder + ": " + e.getMessage(), e);
    }
  }

  /// The speaker in a sound's name.
  public static String speaker(String name) {
    Matcher match = SPOKEN.matcher(name);
    return match.matches() ? match.group(2) : "";
  }
}
