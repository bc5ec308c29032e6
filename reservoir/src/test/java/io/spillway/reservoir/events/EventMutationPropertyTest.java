package io.spillway.reservoir.events;

import io.spillway.testkit.Cases;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Sound files with bytes flipped, cut and repeated never escape the readers' own errors.
final class EventMutationPropertyTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(EventFormat.class)
  void survivesDamage(EventFormat format) throws Exception {
    Path file = folder.resolve("a" + format.suffix());
    Cases.one(
        1,
        random ->
            EventFiles.write(
                file,
                format,
                EventRoundTripPropertyTest.random(
                    random,
                    format == EventFormat.BS1 ? Sensor.NTIDIGITS : Sensor.NMNIST,
                    300,
                    50)));
    byte[] sound = Files.readAllBytes(file);
    Cases.run(
        300,
        random -> {
          byte[] damaged = sound.clone();
          int flips = 1 + random.nextInt(8);
          for (int i = 0; i < flips; i++) {
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
          }
          int keep = random.nextInt(4) == 0 ? random.nextInt(damaged.length) : damaged.length;
          EventReadersFuzzTest.check(format, java.util.Arrays.copyOf(damaged, keep));
        });
  }
}
