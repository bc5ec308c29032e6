package io.spillway.reservoir.events;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.testkit.Cases;
import java.nio.file.Path;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Whatever is written is read back, in every format.
final class EventRoundTripPropertyTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(EventFormat.class)
  void readsWhatItWrote(EventFormat format) {
    Cases.run(
        20,
        random -> {
          Sensor sensor = format == EventFormat.BS1 ? Sensor.NTIDIGITS : Sensor.NMNIST;
          EventRecording written = random(random, sensor, 1 + random.nextInt(20_000), 300);
          Path file = folder.resolve("r" + format.suffix());
          EventFiles.write(file, format, written);
          assertSame(EventFiles.read(file, Optional.of(sensor)), written);
        });
  }

  @Test
  void keepsTimesBeyondThirtyTwoBitsInAedat4() {
    EventRecording.Builder events = new EventRecording.Builder(Sensor.NMNIST);
    long epoch = 1_605_507_430_438_338L;
    events.add(epoch, 1, 2, 1).add(epoch + (1L << 33), 3, 4, 0);
    Path file = folder.resolve("late.aedat4");
    EventFiles.write(file, EventFormat.AEDAT4, events.build());
    EventRecording read = EventFiles.read(file);
    assertThat(read.timeUs(1) - read.timeUs(0)).isEqualTo(1L << 33);
    assertThat(read.sensor()).isEqualTo(Sensor.NMNIST);
  }

  @Test
  void keepsTimesBeyondThirtyOneBitsInAedat3() {
    EventRecording.Builder events = new EventRecording.Builder(Sensor.NMNIST);
    events.add((1L << 31) - 1, 1, 2, 1).add((1L << 31) + 5, 3, 4, 0);
    Path file = folder.resolve("late.aedat");
    EventFiles.write(file, EventFormat.AEDAT3, events.build());
    EventRecording read = EventFiles.read(file);
    assertThat(read.timeUs(1)).isEqualTo((1L << 31) + 5);
  }

  static EventRecording random(RandomGenerator random, Sensor sensor, int count, int largestStep) {
    EventRecording.Builder events = new EventRecording.Builder(sensor);
    long time = 0;
    for (int i = 0; i < count; i++) {
      time += random.nextInt(largestStep);
      events.add(
          time,
          random.nextInt(sensor.width()),
          random.nextInt(sensor.height()),
          random.nextInt(sensor.polarities()));
    }
    return events.build();
  }

  static void assertSame(EventRecording actual, EventRecording expected) {
    assertThat(actual.size()).isEqualTo(expected.size());
    assertThat(actual.sensor()).isEqualTo(expected.sensor());
    for (int i = 0; i < expected.size(); i++) {
      if (actual.timeUs(i) != expected.timeUs(i) || actual.address(i) != expected.address(i)) {
        throw new AssertionError("event " + i + " differs");
      }
    }
  }
}
