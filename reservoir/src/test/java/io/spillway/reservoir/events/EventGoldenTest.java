package io.spillway.reservoir.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.testkit.TestData;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// Real recordings. Their figures come from the data's own description or from counting bytes.
final class EventGoldenTest {
  @Test
  void readsTheNmnistSample() {
    EventRecording r = EventFiles.read(TestData.require("events/tonic-sample-nmnist.bin"));
    // 21,625 bytes of five
    assertThat(r.size()).isEqualTo(4325);
    assertThat(r.durationUs()).isBetween(290_000L, 320_000L);
  }

  @Test
  void readsTheNtidigitsSample() {
    EventRecording r = EventFiles.read(TestData.require("speech/ntidigits-sample.bs1"));
    // first spike: bytes 00 3f 80 00 00; the description says 898 spikes in 1.08 s
    assertThat(r.size()).isEqualTo(898);
    assertThat(r.x(0)).isEqualTo(63);
    assertThat(r.timeUs(0)).isZero();
    assertThat(r.durationUs() * 1e-6).isCloseTo(1.08, within(0.01));
  }

  @Test
  void readsTheNcarsSample() {
    EventRecording r = EventFiles.read(TestData.require("events/sample_ncars.dat"));
    // 16,165 bytes: 93 of header and event size, then eight an event
    assertThat(r.size()).isEqualTo((16_165 - 93) / 8);
    assertThat(r.x(0)).isEqualTo(25);
    assertThat(r.y(0)).isEqualTo(8);
    assertThat(r.timeUs(1)).isEqualTo(0x23);
  }

  @Test
  void readsTheAedat4Sample() {
    AtomicInteger count = new AtomicInteger();
    Sensor sensor =
        EventFiles.stream(
            TestData.require("events/sample.aedat4"),
            Optional.empty(),
            (t, x, y, p, offset) -> {
              count.incrementAndGet();
              return true;
            });
    assertThat(sensor).isEqualTo(new Sensor(320, 240, 2));
    assertThat(count.get()).isGreaterThan(100_000);
  }

  /// Three words as jAER writes them of a DAVIS240: an event at (200, 170) of polarity 1, a sample
  /// of a frame, which is passed over, and an event at (3, 7) of polarity 0.
  @Test
  void readsAddressesOfADavisInAedat2() {
    ByteBuffer bytes = ByteBuffer.allocate(200);
    bytes.put("#!AER-DAT2.0\r\n# AEChip: DAVIS240C\r\n".getBytes(StandardCharsets.US_ASCII));
    bytes.putInt(170 << 22 | 200 << 12 | 1 << 11).putInt(10);
    bytes.putInt(0x80000000 | 5 << 22 | 5 << 12).putInt(11);
    bytes.putInt(7 << 22 | 3 << 12).putInt(25);
    byte[] file = Arrays.copyOf(bytes.array(), bytes.position());
    EventRecording r =
        EventFiles.read(
            EventFormat.AEDAT2,
            Path.of("d.aedat"),
            new ByteArrayInputStream(file),
            Optional.empty());
    assertThat(r.sensor()).isEqualTo(new Sensor(240, 180, 2));
    assertThat(r.size()).isEqualTo(2);
    assertThat(r.x(0)).isEqualTo(200);
    assertThat(r.y(0)).isEqualTo(170);
    assertThat(r.polarity(0)).isEqualTo(1);
    assertThat(r.timeUs(1)).isEqualTo(25);
    assertThat(r.address(1)).isEqualTo(7 * 240 + 3);
  }

  @Test
  void hashesAsXxHashDoes() {
    // the empty input and "Nobody inspects the spammish repetition", seed 0: published test vectors
    assertThat(XxHash32.of(new byte[0], 0, 0)).isEqualTo(0x02CC5D05);
    byte[] text = "Nobody inspects the spammish repetition".getBytes(StandardCharsets.US_ASCII);
    assertThat(XxHash32.of(text, 0, text.length)).isEqualTo(0xE2293B2F);
  }
}
