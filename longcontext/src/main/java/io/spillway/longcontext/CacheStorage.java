package io.spillway.longcontext;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// How keys and values are stored.
public enum CacheStorage {
  /// In the type that the model computes in.
  MODEL(0),
  F32(32),
  BF16(16),
  /// Asymmetric integers of 8, 4 or 2 bits: keys share a scale per channel over [#GROUP] entries,
  /// values over [#CHANNELS] channels of an entry.
  ///
  /// **Source:** Liu et al., KIVI (arXiv 2402.02750).
  Q8(8),
  Q4(4),
  Q2(2);

  /// Entries that share a key's scale.
  public static final int GROUP = 64;

  /// Channels that share a value's scale.
  public static final int CHANNELS = 32;

  private final int bits;

  CacheStorage(int bits) {
    this.bits = bits;
  }

  /// Bits of a stored number, 0 for the model's type.
  public int bits() {
    return bits;
  }

  public boolean isQuantised() {
    return this == Q8 || this == Q4 || this == Q2;
  }

  /// Bytes of one stored key or value number, scales included.
  ///
  /// @param modelBytes bytes of a number in the model's type
  public double bytesPerNumber(int modelBytes) {
    return switch (this) {
      case MODEL -> modelBytes;
      case F32, BF16 -> bits / 8.0;
      // two 16-bit numbers for each group; keys and values counted alike
      case Q8, Q4, Q2 -> bits / 8.0 + 2 * (2.0 / GROUP + 2.0 / CHANNELS) / 2;
    };
  }

  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// The storage of that name.
  ///
  /// **Errors:** an unknown name, with the known ones.
  public static CacheStorage named(String label) {
    List<String> labels = Arrays.stream(values()).map(CacheStorage::label).toList();
    int at = labels.indexOf(label.toLowerCase(Locale.ROOT));
    if (at < 0) {
      throw SpillwayException.badInput(
          "unknown cache storage '%s', %s", label, Nearest.hint(label, labels));
    }
    return values()[at];
  }
}
