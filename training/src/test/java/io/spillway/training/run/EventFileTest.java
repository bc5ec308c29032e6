package io.spillway.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EventFileTest {
  @TempDir Path folder;

  @Test
  void recordsAreFramedAsTensorBoardReadsThem() throws Exception {
    try (EventFile events = new EventFile(folder)) {
      events.write(300, Map.of("loss", 1.5));
    }
    byte[] bytes;
    try (Stream<Path> files = Files.list(folder)) {
      bytes = Files.readAllBytes(files.findFirst().orElseThrow());
    }
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    String all = "";
    int records = 0;
    while (in.hasRemaining()) {
      byte[] length = new byte[8];
      in.get(length);
      assertThat(in.getInt()).isEqualTo(EventFile.masked(length));
      byte[] data =
          new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      in.get(data);
      assertThat(in.getInt()).isEqualTo(EventFile.masked(data));
      all += new String(data, StandardCharsets.ISO_8859_1);
      records++;
      if (records == 2) {
        // wall time (9 bytes), then field 2 with the varint of 300 (0xAC 0x02)
        assertThat(data[9]).isEqualTo((byte) 0x10);
        assertThat(data[10]).isEqualTo((byte) 0xAC);
        assertThat(data[11]).isEqualTo((byte) 0x02);
        ByteBuffer end = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(end.getFloat(data.length - 4)).isEqualTo(1.5f);
      }
    }
    assertThat(records).isEqualTo(2);
    assertThat(all).contains("brain.Event:2").contains("loss");
  }

  /// The CRC-32C of "123456789" is 0xE3069283 (Castagnoli's check value); masked by rotation and
  /// addition.
  @Test
  void theMaskIsThatOfTheFormat() {
    int crc = 0xE3069283;
    int expected = Integer.rotateRight(crc, 15) + 0xa282ead8;
    assertThat(EventFile.masked("123456789".getBytes(StandardCharsets.US_ASCII)))
        .isEqualTo(expected);
  }
}
