package io.spillway.simulator.machine;

/// The operations of [DoubleOps] and [SingleOps] for generated code that has made sure of a settled
/// [FloatStatus] when it was entered: rounding is to nearest even and inexact is accrued, and both
/// stay so until an instruction that the interpreter executes. An ordinary result of the host is
/// then the right one and changes no flag; anything else is left to these.
public final class SettledFloats {
  private SettledFloats() {}

  private static boolean ordinary(double r) {
    return Math.abs(r) > Double.MIN_NORMAL && Math.abs(r) <= Double.MAX_VALUE;
  }

  private static boolean ordinary(float r) {
    return Math.abs(r) > Float.MIN_NORMAL && Math.abs(r) <= Float.MAX_VALUE;
  }

  public static double addD(FloatStatus s, double a, double b) {
    double r = a + b;
    return Math.abs(r) <= Double.MAX_VALUE ? r : DoubleOps.addD(s, a, b, SoftFloat.NEAREST_EVEN);
  }

  public static double subD(FloatStatus s, double a, double b) {
    double r = a - b;
    return Math.abs(r) <= Double.MAX_VALUE ? r : DoubleOps.subD(s, a, b, SoftFloat.NEAREST_EVEN);
  }

  public static double mulD(FloatStatus s, double a, double b) {
    double r = a * b;
    return ordinary(r) ? r : DoubleOps.mulD(s, a, b, SoftFloat.NEAREST_EVEN);
  }

  public static double divD(FloatStatus s, double a, double b) {
    double r = a / b;
    return ordinary(r) ? r : DoubleOps.divD(s, a, b, SoftFloat.NEAREST_EVEN);
  }

  public static double sqrtD(FloatStatus s, double a) {
    return a > 0 && a <= Double.MAX_VALUE
        ? Math.sqrt(a)
        : DoubleOps.sqrtD(s, a, SoftFloat.NEAREST_EVEN);
  }

  public static double fmaD(FloatStatus s, double a, double b, double c) {
    double r = Math.fma(a, b, c);
    return ordinary(r) ? r : DoubleOps.fmaD(s, a, b, c, SoftFloat.NEAREST_EVEN);
  }

  public static float addS(FloatStatus s, float a, float b) {
    float r = a + b;
    return Math.abs(r) <= Float.MAX_VALUE ? r : SingleOps.addS(s, a, b, SoftFloat.NEAREST_EVEN);
  }

  public static float subS(FloatStatus s, float a, float b) {
    float r = a - b;
    return Math.abs(r) <= Float.MAX_VALUE ? r : SingleOps.subS(s, a, b, SoftFloat.NEAREST_EVEN);
  }

  public static float mulS(FloatStatus s, float a, float b) {
    float r = a * b;
    return ordinary(r) ? r : SingleOps.mulS(s, a, b, SoftFloat.NEAREST_EVEN);
  }

  public static float divS(FloatStatus s, float a, float b) {
    float r = a / b;
    return ordinary(r) ? r : SingleOps.divS(s, a, b, SoftFloat.NEAREST_EVEN);
  }

  public static float sqrtS(FloatStatus s, float a) {
    return a > 0 && a <= Float.MAX_VALUE
        ? (float) Math.sqrt(a)
        : SingleOps.sqrtS(s, a, SoftFloat.NEAREST_EVEN);
  }

  public static float fmaS(FloatStatus s, float a, float b, float c) {
    float r = Math.fma(a, b, c);
    return ordinary(r) ? r : SingleOps.fmaS(s, a, b, c, SoftFloat.NEAREST_EVEN);
  }
}
