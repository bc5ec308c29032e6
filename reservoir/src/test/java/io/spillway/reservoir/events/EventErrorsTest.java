package io.spillway.reservoir.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each malformed file gives one line with the byte offset.
final class EventErrorsTest {
  @TempDir Path folder;

  @Test
  void namesTheByteWhereATruncatedEventEnds() {
    reading(EventFormat.NMNIST, 1, 2, 0x80, 0, 5, 3, 4).hasMessageContaining("x.bin:byte 7");
  }

  @Test
  void refusesAnAddressOutsideTheSensor() {
    reading(EventFormat.NMNIST, 1, 2, 0, 0, 1, 40, 4, 0, 0, 2)
        .hasMessageContaining("byte 5")
        .hasMessageContaining("(40, 4), outside the sensor of 34 x 34");
  }

  @Test
  void refusesTimesThatRunBackwards() {
    reading(EventFormat.NMNIST, 1, 2, 0, 0, 9, 1, 4, 0, 0, 2)
        .hasMessageContaining("byte 5")
        .hasMessageContaining("2 us after 9 us");
  }

  @Test
  void refusesAnEmptyRecording() {
    reading(EventFormat.NMNIST).hasMessageContaining("no events");
    reading(EventFormat.BS1).hasMessageContaining("no events");
  }

  @Test
  void addsTheWrapOfTheSensorsClock() {
    EventRecording r =
        EventFiles.read(
            EventFormat.NMNIST,
            Path.of("x.bin"),
            new ByteArrayInputStream(
                new byte[] {1, 2, 0, 0, 9, 0, (byte) 240, 0, 0, 0, 1, 4, 0, 0, 2}),
            Optional.empty());
    assertThat(r.size()).isEqualTo(2);
    assertThat(r.timeUs(1)).isEqualTo(8192 + 2);
  }

  @Test
  void refusesAnUnknownPolarity() {
    byte[] header = "% Width 304\n% Height 240\n".getBytes(StandardCharsets.US_ASCII);
    byte[] all = new byte[header.length + 10];
    System.arraycopy(header, 0, all, 0, header.length);
    all[header.length + 1] = 8;
    all[all.length - 1] = 0x30;
    readingBytes(EventFormat.NCARS, all)
        .hasMessageContaining("byte " + (header.length + 2))
        .hasMessageContaining("polarity 3");
  }

  @Test
  void refusesAnotherEventSize() {
    reading(EventFormat.NCARS, 0, 16).hasMessageContaining("16 bytes");
  }

  @Test
  void refusesAFileThatIsNoAedat4() {
    reading(EventFormat.AEDAT4, '#', '!', 'X', '\n').hasMessageContaining("#!AER-DAT4.0");
  }

  @Test
  void namesTheByteOfACorruptLz4Block() throws Exception {
    Path file = folder.resolve("a.aedat4");
    EventRecording.Builder events = new EventRecording.Builder(Sensor.NMNIST);
    for (int i = 0; i < 3000; i++) {
      events.add(i, i % 34, i % 33, i & 1);
    }
    EventFiles.write(file, EventFormat.AEDAT4, events.build());
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 30] ^= 0x55;
    Files.write(file, bytes);
    assertThatThrownBy(() -> EventFiles.read(file)).hasMessageContaining("a.aedat4:byte ");
  }

  @Test
  void namesATruncatedAedat4() throws Exception {
    Path file = folder.resolve("a.aedat4");
    EventRecording.Builder events = new EventRecording.Builder(Sensor.NMNIST);
    events.add(5, 1, 1, 1);
    EventFiles.write(file, EventFormat.AEDAT4, events.build());
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 3));
    assertThatThrownBy(() -> EventFiles.read(file))
        .hasMessageContaining("byte " + (bytes.length - 3))
        .hasMessageContaining("truncated");
  }

  @Test
  void refusesAnotherAedatVersionAndACorruptPacket() {
    readingBytes(EventFormat.AEDAT2, "#!AER-DAT1.0\r\n".getBytes(StandardCharsets.US_ASCII))
        .hasMessageContaining("version '1.0'");
    byte[] text = "#!AER-DAT3.1\r\n#!END-HEADER\r\n".getBytes(StandardCharsets.US_ASCII);
    byte[] all = java.util.Arrays.copyOf(text, text.length + 28);
    all[text.length] = 1;
    all[text.length + 7] = -1; // a negative event size
    readingBytes(EventFormat.AEDAT3, all)
        .hasMessageContaining("byte " + text.length)
        .hasMessageContaining("corrupt");
  }

  @Test
  void refusesAnUnknownNameAndAMissingFile() {
    assertThatThrownBy(() -> EventFiles.read(folder.resolve("x.mp4")))
        .hasMessageContaining("no such file");
    assertThatThrownBy(() -> EventFormat.named("aedat5")).hasMessageContaining("did you mean");
    assertThatThrownBy(() -> EventFiles.read(folder)).hasMessageContaining("is a folder");
  }

  @Test
  void refusesAnHdf5FileOfAnotherKind() throws Exception {
    Path file = folder.resolve("x.h5");
    Files.writeString(file, "this is no HDF5 file, yet long enough to look for a signature");
    assertThatThrownBy(() -> SpikeFile.open(file))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("x.h5");
  }

  private static AbstractThrowableAssert<?, ?> reading(EventFormat format, int... bytes) {
    byte[] all = new byte[bytes.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = (byte) bytes[i];
    }
    return readingBytes(format, all);
  }

  private static AbstractThrowableAssert<?, ?> readingBytes(EventFormat format, byte[] bytes) {
    return assertThatThrownBy(() ->
            EventFiles.read(
                format,
                Path.of("x" + format.suffix()),
                new ByteArrayInputStream(bytes),
                Optional.empty()))
        .isInstanceOfSatisfying(
            SpillwayException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT));
  }
}
