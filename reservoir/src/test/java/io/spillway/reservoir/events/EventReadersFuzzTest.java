package io.spillway.reservoir.events;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.SpillwayException;
import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.util.Optional;

/// Any bytes at all give events in order inside the sensor, or one [SpillwayException].
final class EventReadersFuzzTest {
  @FuzzTest
  void nmnist(byte[] data) {
    check(EventFormat.NMNIST, data);
  }

  @FuzzTest
  void aedat(byte[] data) {
    check(EventFormat.AEDAT2, data);
  }

  @FuzzTest
  void aedat4(byte[] data) {
    check(EventFormat.AEDAT4, data);
  }

  @FuzzTest
  void ncars(byte[] data) {
    check(EventFormat.NCARS, data);
  }

  @FuzzTest
  void bs1(byte[] data) {
    check(EventFormat.BS1, data);
  }

  static void check(EventFormat format, byte[] data) {
    long[] last = {Long.MIN_VALUE};
    try {
      EventFiles.stream(
          format,
          Path.of("fuzz" + format.suffix()),
          new ByteArrayInputStream(data),
          Optional.empty(),
          (t, x, y, p, offset) -> {
            if (t < last[0] || p < 0 || p > 1 || x < 0 || y < 0) {
              throw new IllegalStateException("an event slipped through");
            }
            last[0] = t;
            return true;
          });
    } catch (SpillwayException expected) {
      if (!String.valueOf(expected.getMessage()).contains("fuzz")) {
        throw new IllegalStateException("the message names no file: " + expected.getMessage());
      }
    }
  }
}
