package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Labelled recordings that are read one at a time: a folder with `labels.csv` (lines of
/// `file,label`), a folder with one sub-folder a class, or an HDF5 file.
public final class RecordingSet {
  private final Path source;
  private final List<String> names;
  private final List<String> labels;
  private final IntFunction<EventRecording> reader;
  private final IntFunction<Optional<String>> origin;

  private RecordingSet(
      Path source,
      List<String> names,
      List<String> labels,
      IntFunction<EventRecording> reader,
      IntFunction<Optional<String>> origin) {
    if (names.size() != labels.size() || names.isEmpty()) {
      throw SpillwayException.badInput(
          "%s: %d recordings with %d labels", source, names.size(), labels.size());
    }
    this.source = source;
    this.names = List.copyOf(names);
    this.labels = List.copyOf(labels);
    this.reader = reader;
    this.origin = origin;
  }

  /// Recordings that are made when they are asked for, for example from images.
  ///
  /// @param source where they come from, for messages
  /// @param reader gives recording `i`; called from several threads
  public static RecordingSet of(
      Path source, List<String> names, List<String> labels, IntFunction<EventRecording> reader) {
    return new RecordingSet(source, names, labels, reader, _ -> Optional.empty());
  }

  /// The same of a set that knows what it is made of.
  ///
  /// @param origin what determines the events of recording `i` to the last, for example digests;
  ///   called from several threads
  public static RecordingSet of(
      Path source,
      List<String> names,
      List<String> labels,
      IntFunction<EventRecording> reader,
      IntFunction<String> origin) {
    return new RecordingSet(source, names, labels, reader, i -> Optional.of(origin.apply(i)));
  }

  /// The recordings named, in that order.
  public RecordingSet select(int[] which) {
    return new RecordingSet(
        source,
        java.util.Arrays.stream(which).mapToObj(names::get).toList(),
        java.util.Arrays.stream(which).mapToObj(labels::get).toList(),
        i -> reader.apply(which[i]),
        i -> origin.apply(which[i]));
  }

  /// Opens a set.
  ///
  /// **Errors:** a missing folder, one without recordings, lines of `labels.csv` that name no file.
  public static RecordingSet open(Path source) {
    return open(source, Part.ALL, false);
  }

  /// Whether a name is that of an HDF5 file.
  public static boolean isHdf5(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    return name.endsWith(".h5") || name.endsWith(".hdf5");
  }

  /// Opens a set, or one part of it.
  ///
  /// @param part of an N-TIDIGITS file
  /// @param single only utterances of one digit of an N-TIDIGITS file
  public static RecordingSet open(Path source, Part part, boolean single) {
    if (part != Part.ALL && !(Files.isRegularFile(source) && isHdf5(source))) {
      throw SpillwayException.badInput(
          "%s has no parts; those of an N-TIDIGITS file are train and test", source);
    }
    if (Files.isRegularFile(source)) {
      if (isHdf5(source)) {
        return hdf5(source, part, single);
      }
      throw SpillwayException.badInput(
          "%s is one file; a folder of recordings or an HDF5 file is needed", source);
    }
    if (!Files.isDirectory(source)) {
      throw SpillwayException.notFound(
          "%s: no such folder; './spillway reservoir draw %s' makes one of drawn digits",
          source, source);
    }
    Path csv = source.resolve("labels.csv");
    return Files.exists(csv) ? labelled(source, csv) : byFolder(source);
  }

  private static RecordingSet hdf5(Path source, Part part, boolean single) {
    SpikeFile file = SpikeFile.open(source);
    List<String> names = new ArrayList<>();
    List<String> labels = new ArrayList<>();
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < file.size(); i++) {
      boolean digits = file.part(i).isEmpty(); // one class a recording, whatever its number
      if (part.has(file.part(i)) && (!single || digits || file.label(i).length() == 1)) {
        names.add(file.id(i));
        labels.add(file.label(i));
        places.add(i);
      }
    }
    if (names.isEmpty()) {
      throw SpillwayException.badInput(
          "%s holds no recordings%s%s",
          source,
          part == Part.ALL ? "" : " of the part '" + part.name().toLowerCase(Locale.ROOT) + "'",
          single ? " of a single digit" : "");
    }
    Supplier<String> digest = Digests.once(source);
    return of(
        source,
        names,
        labels,
        i -> {
          synchronized (file) {
            return file.read(places.get(i));
          }
        },
        i -> digest.get() + " " + places.get(i));
  }

  /// Which recordings of an N-TIDIGITS file, which holds both its parts.
  public enum Part {
    ALL,
    TRAIN,
    TEST;

    private boolean has(String name) {
      return this == ALL || name.equalsIgnoreCase(name());
    }
  }

  private static RecordingSet labelled(Path folder, Path csv) {
    List<String> names = new ArrayList<>();
    List<String> labels = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    List<String> lines = lines(csv);
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || (i == 0 && line.startsWith("file,"))) {
        continue;
      }
      String[] fields = line.split(",", -1);
      if (fields.length != 2 || fields[0].isBlank() || fields[1].isBlank()) {
        throw SpillwayException.badFile(
            csv, ":" + (i + 1), "'%s' is no line of 'file,label'", line);
      }
      if (!Files.isRegularFile(folder.resolve(fields[0].strip()))) {
        throw SpillwayException.badFile(csv, ":" + (i + 1), "no file '%s' beside it", fields[0]);
      }
      if (!seen.add(fields[0].strip())) {
        throw SpillwayException.badFile(csv, ":" + (i + 1), "'%s' is named twice", fields[0]);
      }
      names.add(fields[0].strip());
      labels.add(fields[1].strip());
    }
    return files(folder, names, labels);
  }

  private static List<String> lines(Path csv) {
    try {
      return Files.readAllLines(csv);
    } catch (MalformedInputException e) {
      throw SpillwayException.badFile(csv, "", "not UTF-8 text");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + csv + ": " + e.getMessage(), e);
    }
  }

  private static RecordingSet byFolder(Path folder) {
    List<String> names = new ArrayList<>();
    List<String> labels = new ArrayList<>();
    for (Path child : children(folder)) {
      if (!Files.isDirectory(child)) {
        continue;
      }
      for (Path file : children(child)) {
        if (Files.isRegularFile(file)) {
          names.add(child.getFileName() + "/" + file.getFileName());
          labels.add(String.valueOf(child.getFileName()));
        }
      }
    }
    return files(folder, names, labels);
  }

  private static List<Path> children(Path folder) {
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(p -> !String.valueOf(p.getFileName()).startsWith(".")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + folder + ": " + e.getMessage(), e);
    }
  }

  private static RecordingSet files(Path folder, List<String> names, List<String> labels) {
    if (names.isEmpty()) {
      throw SpillwayException.badInput(
          "%s holds no recordings: give it a labels.csv or one sub-folder a class", folder);
    }
    return of(
        folder,
        names,
        labels,
        i -> EventFiles.read(folder.resolve(names.get(i)), Optional.empty()),
        i -> names.get(i) + " " + Digests.of(folder.resolve(names.get(i))));
  }

  public Path source() {
    return source;
  }

  public int size() {
    return names.size();
  }

  public String name(int i) {
    return names.get(i);
  }

  public String label(int i) {
    return labels.get(i);
  }

  /// The classes in order: numbers by value, words by letter.
  public List<String> classes() {
    return labels.stream()
        .distinct()
        .sorted((a, b) ->
            a.matches("[0-9]{1,9}") && b.matches("[0-9]{1,9}")
                ? Integer.compare(Integer.parseInt(a), Integer.parseInt(b))
                : a.compareTo(b))
        .toList();
  }

  /// The label of every recording as its place in `classes`.
  ///
  /// **Errors:** a label that `classes` lacks.
  public int[] indices(List<String> classes) {
    int[] out = new int[size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = classes.indexOf(labels.get(i));
      if (out[i] < 0) {
        throw SpillwayException.badInput(
            "%s: recording '%s' has the label '%s', the model knows %s",
            source, names.get(i), labels.get(i), classes);
      }
    }
    return out;
  }

  /// What determines the events of recording `i` to the last, where the set tells: equal origins
  /// are equal recordings. Files are read for it; may be called from several threads.
  public Optional<String> origin(int i) {
    return origin.apply(i);
  }

  /// Reads recording `i`; may be called from several threads.
  public EventRecording read(int i) {
    return reader.apply(i);
  }

  /// Writes every recording of sound into one HDF5 file.
  ///
  /// Labels of SHD are numbers: those of the set, or the places of its classes where it has words.
  ///
  /// @param heidelberg the layout of Spiking Heidelberg Digits, else that of N-TIDIGITS
  /// @param written called after each recording
  public void write(Path file, boolean heidelberg, Consumer<EventRecording> written) {
    IntFunction<EventRecording> each =
        i -> {
          EventRecording recording = read(i);
          int most = (heidelberg ? Sensor.SHD : Sensor.NTIDIGITS).width();
          if (recording.sensor().height() != 1 || recording.sensor().width() > most) {
            throw SpillwayException.badInput(
                "%s: '%s' is of %d x %d, the layout holds 1 to %d channels of sound",
                source, name(i), recording.sensor().width(), recording.sensor().height(), most);
          }
          written.accept(recording);
          return recording;
        };
    if (heidelberg) {
      boolean numbers = labels.stream().allMatch(l -> l.matches("[0-9]{1,4}"));
      SpikeFile.writeHeidelberg(
          file,
          numbers ? labels.stream().mapToInt(Integer::parseInt).toArray() : indices(classes()),
          each);
      return;
    }
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < size(); i++) {
      String name = name(i).replaceFirst("\\.[a-zA-Z0-9]+$", "").replaceAll("[/.]", "_");
      String end = "-" + label(i);
      ids.add(name.endsWith(end) ? name : name + end);
    }
    SpikeFile.writeTidigits(file, ids, each);
  }
}
