package io.spillway.reservoir.events;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import io.jhdf.api.Dataset;
import io.jhdf.api.Group;
import io.jhdf.api.Node;
import io.jhdf.api.WritableGroup;
import io.spillway.platform.AtomicFiles;
import io.spillway.platform.SpillwayException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/// An HDF5 file of many spike recordings, laid out as Spiking Heidelberg Digits (`spikes/times`,
/// `spikes/units`, `labels`) or as N-TIDIGITS (`train_labels`, `train_addresses/ID`,
/// `train_timestamps/ID`, and the same for `test`).
///
/// Recordings are read one at a time.
///
/// **Units:** times are seconds in the file, microseconds in what is read. **Errors:** files of
/// another layout, unequal lengths, channels outside the sensor; HDF5 has no plain byte order, so
/// the dataset and the recording are named instead of an offset.
public final class SpikeFile implements AutoCloseable {
  /// What deflate, the strongest filter of these files, can save at most.
  private static final long LARGEST_RATIO = 1032;

  private final Path name;
  private final HdfFile file;
  private final Arena arena;
  private final List<Entry> entries = new ArrayList<>();
  private final Sensor sensor;

  private record Entry(
      String id,
      String label,
      String part,
      Dataset times,
      Dataset units,
      int row,
      boolean ragged) {}

  private SpikeFile(Path name, HdfFile file, Arena arena) {
    this.name = name;
    this.file = file;
    this.arena = arena;
    Node spikes = file.getChildren().get("spikes");
    if (spikes instanceof Group group) {
      sensor = Sensor.SHD;
      Dataset times = dataset(group, "times");
      Dataset units = dataset(group, "units");
      long[] values = integers(dataset(file, "labels").getData());
      for (int i = 0; i < values.length; i++) {
        entries.add(
            new Entry(Integer.toString(i), Long.toString(values[i]), "", times, units, i, true));
      }
      return;
    }
    sensor = Sensor.NTIDIGITS;
    for (String each : List.of("train", "test")) {
      if (file.getChildren().containsKey(each + "_labels")) {
        addTidigits(each);
      }
    }
    if (entries.isEmpty()) {
      throw wrong("neither 'spikes' (SHD) nor 'train_labels' or 'test_labels' (N-TIDIGITS)");
    }
  }

  private void addTidigits(String part) {
    Group addresses = group(part + "_addresses");
    Group timestamps = group(part + "_timestamps");
    for (String id : strings(dataset(file, part + "_labels").getData())) {
      // ids end in the digits that were spoken, for example "man-ae-3o2"
      String label = id.substring(id.lastIndexOf('-') + 1);
      entries.add(
          new Entry(id, label, part, dataset(timestamps, id), dataset(addresses, id), 0, false));
    }
  }

  /// Opens a file.
  @SuppressWarnings("MustBeClosedChecker") // closed with the file, or here when it is refused
  public static SpikeFile open(Path path) {
    if (!Files.isRegularFile(path)) {
      throw SpillwayException.notFound("%s: no such file", path);
    }
    // through a mapping the library takes slices, which end where the file does; through a channel
    // it would take memory for whatever size a damaged file claims
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      if (channel.size() > Integer.MAX_VALUE) {
        throw SpillwayException.badFile(
            path, "", "%d bytes, more than the 2 GiB that are read of HDF5", channel.size());
      }
      ByteBuffer bytes =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asByteBuffer();
      SpikeFile file = new SpikeFile(path, HdfFile.fromByteBuffer(bytes), arena);
      opened = true;
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path + ": " + e.getMessage(), e);
    } catch (SpillwayException e) {
      throw e;
    } catch (RuntimeException e) {
      throw corrupt(path, e);
    } catch (OutOfMemoryError | StackOverflowError e) {
      throw tooLarge(path, e);
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  private static SpillwayException corrupt(Path path, RuntimeException e) {
    return SpillwayException.badFile(
        path, "", "no readable HDF5 file: %s", String.valueOf(e.getMessage()));
  }

  /// What the checks of sizes do not see: the library asks for memory in one piece, or calls itself
  /// along a chain that leads back; what was read until then is dropped.
  private static SpillwayException tooLarge(Path path, Error e) {
    return SpillwayException.badFile(
        path,
        "",
        "no readable HDF5 file of %d bytes: it claims more than the heap of %d MiB or the stack"
            + " holds (%s); a damaged file, else raise -Xmx",
        path.toFile().length(),
        Runtime.getRuntime().maxMemory() >> 20,
        String.valueOf(e.getMessage()));
  }

  public Sensor sensor() {
    return sensor;
  }

  public int size() {
    return entries.size();
  }

  /// The name of recording `i`: its row, or the speaker and digits of N-TIDIGITS.
  public String id(int i) {
    return entries.get(i).id();
  }

  /// The class as the file has it: a number in SHD, the digits spoken in N-TIDIGITS.
  public String label(int i) {
    return entries.get(i).label();
  }

  /// `train` or `test`, as an N-TIDIGITS file divides its recordings; empty in SHD, whose parts are
  /// files.
  public String part(int i) {
    return entries.get(i).part();
  }

  /// Reads one recording.
  public EventRecording read(int i) {
    Entry entry = entries.get(i);
    double[] times;
    long[] units;
    try {
      times = doubles(row(entry.times(), entry));
      units = integers(row(entry.units(), entry));
    } catch (RuntimeException e) { // the library has many kinds
      throw corrupt(name, e);
    } catch (OutOfMemoryError | StackOverflowError e) {
      throw tooLarge(name, e);
    }
    if (times.length != units.length) {
      throw wrong(
          "recording "
              + entry.id()
              + " has "
              + times.length
              + " times and "
              + units.length
              + " channels");
    }
    if (times.length == 0) {
      throw wrong("recording " + entry.id() + " has no spikes");
    }
    // half-precision times of SHD are coarse and may fall back by a step: sorted, not refused
    Integer[] order = new Integer[times.length];
    Arrays.setAll(order, k -> k);
    Arrays.sort(order, (a, b) -> Double.compare(times[a], times[b]));
    EventRecording.Builder events = new EventRecording.Builder(sensor);
    for (int k : order) {
      if (!Double.isFinite(times[k]) || times[k] < 0) {
        throw wrong("recording " + entry.id() + ", spike " + k + ": time " + times[k] + " s");
      }
      if (units[k] < 0 || units[k] >= sensor.width()) {
        throw wrong(
            "recording "
                + entry.id()
                + ", spike "
                + k
                + ": channel "
                + units[k]
                + " lies outside 0.."
                + (sensor.width() - 1));
      }
      events.add(Math.round(times[k] * 1e6), (int) units[k], 0, 0);
    }
    return events.build();
  }

  private static Object row(Dataset dataset, Entry entry) {
    if (!entry.ragged()) {
      return dataset.getData();
    }
    int[] shape = dataset.getDimensions();
    Object slice =
        shape.length == 1
            ? dataset.getData(new long[] {entry.row()}, new int[] {1})
            : dataset.getData(new long[] {entry.row(), 0}, new int[] {1, shape[1]});
    return slice instanceof Object[] array ? array[0] : slice;
  }

  private Group group(String child) {
    if (file.getChildren().get(child) instanceof Group group) {
      return group;
    }
    throw wrong("group '" + child + "' is missing");
  }

  /// A dataset whose claimed size the file can hold.
  private Dataset dataset(Group group, String child) {
    if (group.getChildren().get(child) instanceof Dataset dataset) {
      long length = name.toFile().length();
      if (dataset.getSizeInBytes() / LARGEST_RATIO > length || dataset.getSizeInBytes() < 0) {
        throw wrong(
            "dataset '%s' claims %d bytes, more than %d times the file's %d"
                .formatted(child, dataset.getSizeInBytes(), LARGEST_RATIO, length));
      }
      return dataset;
    }
    throw wrong("dataset '" + child + "' is missing in '" + group.getPath() + "'");
  }

  private SpillwayException wrong(String why) {
    return SpillwayException.badFile(name, "", "%s", why);
  }

  /// Writes recordings in the layout of Spiking Heidelberg Digits, ragged rows of seconds and
  /// channels.
  ///
  /// @param labels class of each recording, 0 to 65535
  public static void writeHeidelberg(Path path, int[] labels, IntFunction<EventRecording> each) {
    HeidelbergWriter.write(path, labels, each);
  }

  /// Writes recordings in the layout of N-TIDIGITS, which keeps each in datasets of its own.
  ///
  /// @param ids names that end in a dash and the digits spoken
  public static void writeTidigits(Path path, List<String> ids, IntFunction<EventRecording> each) {
    AtomicFiles.write(
        path,
        temporary -> {
          Files.deleteIfExists(temporary);
          try (WritableHdfFile out = HdfFile.write(temporary)) {
            out.putDataset("train_labels", ids.toArray(String[]::new));
            WritableGroup addresses = out.putGroup("train_addresses");
            WritableGroup timestamps = out.putGroup("train_timestamps");
            for (int i = 0; i < ids.size(); i++) {
              EventRecording recording = each.apply(i);
              int[] channels = new int[recording.size()];
              double[] seconds = new double[recording.size()];
              for (int k = 0; k < recording.size(); k++) {
                channels[k] = recording.x(k);
                seconds[k] = recording.timeUs(k) * 1e-6;
              }
              addresses.putDataset(ids.get(i), channels);
              timestamps.putDataset(ids.get(i), seconds);
            }
          }
        });
  }

  private static double[] doubles(Object data) {
    return switch (data) {
      case double[] d -> d;
      case float[] f -> {
        double[] out = new double[f.length];
        Arrays.setAll(out, k -> f[k]);
        yield out;
      }
      default -> throw new IllegalArgumentException("times are " + kind(data) + ", not numbers");
    };
  }

  private static long[] integers(Object data) {
    return switch (data) {
      case int[] v -> Arrays.stream(v).asLongStream().toArray();
      case long[] v -> v;
      case short[] v -> {
        long[] out = new long[v.length];
        Arrays.setAll(out, k -> v[k]);
        yield out;
      }
      case byte[] v -> {
        long[] out = new long[v.length];
        Arrays.setAll(out, k -> v[k]);
        yield out;
      }
      default ->
          throw new IllegalArgumentException("channels are " + kind(data) + ", not whole numbers");
    };
  }

  private static String kind(Object data) {
    return data.getClass().getSimpleName();
  }

  private static String[] strings(Object data) {
    if (data instanceof String[] text) {
      return text;
    }
    throw new IllegalArgumentException("labels are " + kind(data) + ", not text");
  }

  @Override
  public void close() {
    file.close();
    arena.close();
  }
}
