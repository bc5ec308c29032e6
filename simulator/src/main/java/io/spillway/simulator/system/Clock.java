package io.spillway.simulator.system;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Hertz;

/// The clock of a component: a fixed rate, or the word `fast` for the rate that a run chooses with
/// `--clock`.
///
/// @param hertz the fixed rate, 0 for `fast`
public record Clock(double hertz) {
  public static final Clock FAST = new Clock(0);

  /// Slowest and fastest clock that a time stamp in femtoseconds still resolves to 1 %.
  private static final double SLOWEST = 1e6;

  private static final double FASTEST = 1e13;

  public Clock {
    if (hertz != 0 && !(hertz >= SLOWEST && hertz <= FASTEST)) {
      throw SpillwayException.badInput(
          "a clock of %s Hz, it must lie between 1 MHz and 10 THz", hertz);
    }
  }

  /// Reads `fast` or a rate such as `4 GHz`.
  public static Clock parse(String text) {
    if (text.strip().equals("fast")) {
      return FAST;
    }
    double hertz = Hertz.parse(text).hertz();
    if (hertz == 0) {
      throw SpillwayException.badInput("a clock of 0 Hz, write a rate such as 4 GHz, or fast");
    }
    return new Clock(hertz);
  }

  /// The length of a cycle in femtoseconds when `fast` means `fastHertz`.
  public long period(double fastHertz) {
    return Math.max(1, Math.round(1e15 / (hertz == 0 ? fastHertz : hertz)));
  }

  public double rate(double fastHertz) {
    return hertz == 0 ? fastHertz : hertz;
  }

  @Override
  public String toString() {
    return hertz == 0 ? "fast" : new Hertz(hertz).toString();
  }
}
