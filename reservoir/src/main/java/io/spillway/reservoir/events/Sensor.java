package io.spillway.reservoir.events;

import io.spillway.platform.SpillwayException;

/// The address space of a recording: pixels of an event camera, or channels of a cochlea with a
/// height of 1.
///
/// @param width pixels in a row, or channels
/// @param height rows of pixels, 1 for sound
/// @param polarities 2 for brighter and darker, 1 where spikes have no sign
public record Sensor(int width, int height, int polarities) {
  /// N-MNIST's cropped ATIS sensor.
  public static final Sensor NMNIST = new Sensor(34, 34, 2);

  /// Spiking Heidelberg Digits: 700 channels.
  public static final Sensor SHD = new Sensor(700, 1, 1);

  /// N-TIDIGITS: 64 channels.
  public static final Sensor NTIDIGITS = new Sensor(64, 1, 1);

  public Sensor {
    if (width < 1 || height < 1 || width > 1 << 16 || height > 1 << 16) {
      throw SpillwayException.badInput(
          "a sensor of %d x %d is not possible, 1 to 65536 each way", width, height);
    }
    if (polarities != 1 && polarities != 2) {
      throw SpillwayException.badInput("%d polarities, 1 or 2 are possible", polarities);
    }
  }

  /// Addresses in all.
  public int size() {
    return Math.multiplyExact(Math.multiplyExact(width, height), polarities);
  }

  /// The flat address: polarity, then row, then column.
  public int address(int x, int y, int polarity) {
    return (polarity * height + y) * width + x;
  }
}
