package io.spillway.simulator.machine;

/// Sign injection on the host's types, for generated code.
public final class FloatSigns {
  private FloatSigns() {}

  // ---- signs, the payload of NaNs kept

  public static double sgnjD(double a, double b) {
    return signD(a, Double.doubleToRawLongBits(b));
  }

  public static double sgnjnD(double a, double b) {
    return signD(a, ~Double.doubleToRawLongBits(b));
  }

  public static double sgnjxD(double a, double b) {
    return signD(a, Double.doubleToRawLongBits(a) ^ Double.doubleToRawLongBits(b));
  }

  private static double signD(double a, long sign) {
    return Double.longBitsToDouble(
        Double.doubleToRawLongBits(a) & Long.MAX_VALUE | sign & Long.MIN_VALUE);
  }

  public static float sgnjS(float a, float b) {
    return signS(a, Float.floatToRawIntBits(b));
  }

  public static float sgnjnS(float a, float b) {
    return signS(a, ~Float.floatToRawIntBits(b));
  }

  public static float sgnjxS(float a, float b) {
    return signS(a, Float.floatToRawIntBits(a) ^ Float.floatToRawIntBits(b));
  }

  private static float signS(float a, int sign) {
    return Float.intBitsToFloat(
        Float.floatToRawIntBits(a) & Integer.MAX_VALUE | sign & Integer.MIN_VALUE);
  }
}
