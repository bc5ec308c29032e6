package io.spillway.reservoir.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import io.jhdf.api.WritableGroup;
import io.spillway.platform.SpillwayException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// HDF5 in the layouts of N-TIDIGITS and Spiking Heidelberg Digits.
final class SpikeFileTest {
  @TempDir Path folder;

  @Test
  void readsTheTidigitsLayoutItWrites() {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    EventRecording one = EventRoundTripPropertyTest.random(random, Sensor.NTIDIGITS, 500, 3000);
    EventRecording two = EventRoundTripPropertyTest.random(random, Sensor.NTIDIGITS, 70, 3000);
    Path file = folder.resolve("n.hdf5");
    SpikeFile.writeTidigits(file, List.of("man-ae-3a", "man-bd-oz1"), i -> i == 0 ? one : two);
    try (SpikeFile read = SpikeFile.open(file)) {
      assertThat(read.size()).isEqualTo(2);
      assertThat(read.label(1)).isEqualTo("oz1");
      EventRoundTripPropertyTest.assertSame(read.read(0), one);
      EventRoundTripPropertyTest.assertSame(read.read(1), two);
    }
  }

  @Test
  void readsRowsOfTheHeidelbergLayout() {
    Path file = folder.resolve("shd.h5");
    write(
        file,
        new double[][] {{0.1, 0.25, 0.2}, {0.0, 0.5, 1.0}},
        new int[][] {{3, 699, 7}, {0, 1, 2}});
    try (SpikeFile read = SpikeFile.open(file)) {
      assertThat(read.sensor()).isEqualTo(Sensor.SHD);
      EventRecording first = read.read(0);
      assertThat(read.label(1)).isEqualTo("14");
      assertThat(first.x(1)).isEqualTo(7); // sorted by time
      assertThat(first.timeUs(2)).isEqualTo(250_000);
    }
  }

  /// Rows of very different length, one of them larger than a heap's least size.
  @Test
  void readsTheHeidelbergLayoutItWrites() {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    int[] sizes = {1, 3000, 64, 517};
    List<EventRecording> all = new ArrayList<>();
    for (int size : sizes) {
      all.add(EventRoundTripPropertyTest.random(random, Sensor.SHD, size, 3000));
    }
    Path file = folder.resolve("written.h5");
    SpikeFile.writeHeidelberg(file, new int[] {3, 19, 0, 65535}, all::get);
    try (SpikeFile read = SpikeFile.open(file)) {
      assertThat(read.size()).isEqualTo(4);
      assertThat(read.label(1)).isEqualTo("19");
      assertThat(read.label(3)).isEqualTo("65535");
      for (int i = 0; i < all.size(); i++) {
        EventRoundTripPropertyTest.assertSame(read.read(i), all.get(i));
      }
    }
  }

  /// Values of the published lookup3 at initial value 0.
  @Test
  void hashesAsPublished() {
    assertThat(Lookup3.of(new byte[0], 0, 0)).isEqualTo(0xDEADBEEF);
    byte[] text =
        "Four score and seven years ago".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    assertThat(Lookup3.of(text, 0, text.length)).isEqualTo(0x17770551);
  }

  /// The file was written by h5py with ragged rows of half-precision seconds, as the data set is.
  @Test
  void readsRaggedRowsOfHalfPrecision() throws Exception {
    Path file = Path.of(String.valueOf(SpikeFileTest.class.getResource("shd-layout.h5").getPath()));
    try (SpikeFile read = SpikeFile.open(file)) {
      EventRecording first = read.read(0);
      assertThat(first.size()).isEqualTo(3);
      assertThat(first.timeUs(0)).isEqualTo(125_000);
      assertThat(first.x(1)).isEqualTo(7);
      assertThat(first.x(2)).isEqualTo(699);
      assertThat(read.read(1).size()).isEqualTo(2);
    }
  }

  @Test
  void refusesChannelsOutsideTheSensorAndWrongTimes() {
    Path file = folder.resolve("shd.h5");
    write(file, new double[][] {{0.1}, {-1}}, new int[][] {{700}, {1}});
    try (SpikeFile read = SpikeFile.open(file)) {
      assertThatThrownBy(() -> read.read(0))
          .hasMessageContaining("channel 700 lies outside 0..699");
      assertThatThrownBy(() -> read.read(1)).hasMessageContaining("time -1.0 s");
    }
  }

  /// A length beyond what the file can hold is told before any memory is taken for it.
  @Test
  void refusesASizeThatTheFileCannotHold() throws Exception {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    EventRecording one = EventRoundTripPropertyTest.random(random, Sensor.NTIDIGITS, 517, 3000);
    Path file = folder.resolve("n.hdf5");
    SpikeFile.writeTidigits(file, List.of("man-ae-3a"), _ -> one);
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<String> messages = new ArrayList<>();
    for (int at = 0; at + 8 <= bytes.capacity(); at++) {
      if (bytes.getLong(at) == 517) {
        bytes.putLong(at, 1L << 27);
        Files.write(file, bytes.array());
        bytes.putLong(at, 517);
        try (SpikeFile read = SpikeFile.open(file)) {
          read.read(0);
        } catch (SpillwayException e) {
          messages.add(String.valueOf(e.getMessage()));
        }
      }
    }
    assertThat(messages)
        .isNotEmpty()
        .allSatisfy(message -> assertThat(message).startsWith(file.toString()));
  }

  /// The library keeps sizes of tables inside its own; each is made a gigabyte in turn.
  @Test
  void noDamagedSizeTakesMemoryThatTheFileDoesNotHave() throws Exception {
    byte[] sound;
    try (InputStream in = SpikeFileTest.class.getResourceAsStream("shd-layout.h5")) {
      sound = Objects.requireNonNull(in).readAllBytes();
    }
    ByteBuffer bytes = ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN);
    Path file = folder.resolve("damaged.h5");
    int refused = 0;
    for (int at = 0; at + 4 <= bytes.capacity(); at += 4) {
      int before = bytes.getInt(at);
      if (before <= 0 || before > 1 << 16) {
        continue;
      }
      bytes.putInt(at, 1 << 30);
      Files.write(file, sound);
      bytes.putInt(at, before);
      try (SpikeFile read = SpikeFile.open(file)) {
        for (int i = 0; i < read.size(); i++) {
          read.read(i);
        }
      } catch (SpillwayException e) {
        refused++;
        assertThat(e.getMessage())
            .doesNotContain("it claims more than the heap")
            .doesNotContain("\n");
      }
    }
    assertThat(refused).isPositive();
  }

  @Test
  void refusesAnotherLayout() {
    Path file = folder.resolve("other.h5");
    try (WritableHdfFile out = HdfFile.write(file)) {
      out.putDataset("data", new int[] {1, 2});
    }
    assertThatThrownBy(() -> SpikeFile.open(file)).hasMessageContaining("neither 'spikes'");
  }

  private static void write(Path file, double[][] times, int[][] units) {
    try (WritableHdfFile out = HdfFile.write(file)) {
      WritableGroup spikes = out.putGroup("spikes");
      spikes.putDataset("times", times);
      spikes.putDataset("units", units);
      out.putDataset("labels", new int[] {4, 14});
    }
  }
}
