package io.spillway.reservoir.convert;

import java.util.random.RandomGenerator;

/// Ten words of two vowels each, made by a voice of harmonics and formants with its own pitch, pace
/// and breath, for demonstrations and tests where no recordings are at hand.
public final class HummedDigits {
  private static final int RATE = 8000;

  /// First and second formants of both vowels of each word, in Hz.
  private static final int[][] FORMANTS = {
    {300, 2300, 500, 900}, {350, 800, 750, 1200}, {300, 2200, 300, 850}, {400, 1900, 300, 2300},
    {500, 850, 600, 1300}, {750, 1200, 350, 2100}, {350, 2000, 550, 1800}, {550, 1800, 350, 1300},
    {500, 1900, 300, 2250}, {800, 1300, 450, 1900}
  };

  private HummedDigits() {}

  /// One word.
  public static Wav speak(int digit, RandomGenerator random) {
    double pitch = 120 * Math.exp(.2 * random.nextGaussian());
    double tract = Math.exp(.06 * random.nextGaussian());
    double seconds = .35 * Math.exp(.15 * random.nextGaussian());
    double turn = .5 + .05 * random.nextGaussian();
    int n = (int) (seconds * RATE);
    float[] out = new float[n];
    double phase = 0;
    int[] f = FORMANTS[digit];
    for (int i = 0; i < n; i++) {
      double t = i / (double) n;
      double blend = 1 / (1 + Math.exp(-(t - turn) * 30));
      double first = tract * (f[0] + blend * (f[2] - f[0]));
      double second = tract * (f[1] + blend * (f[3] - f[1]));
      double now = pitch * (1.1 - .2 * t);
      phase += 2 * Math.PI * now / RATE;
      double sum = 0;
      for (int h = 1; h * now < .45 * RATE; h++) {
        double at = h * now;
        double strength = bell(at, first, 90) + .6 * bell(at, second, 130) + .01;
        sum += strength / Math.sqrt(h) * Math.sin(h * phase);
      }
      double loud = Math.min(1, Math.min(t, 1 - t) * 12);
      out[i] = (float) (.2 * loud * (sum + .05 * random.nextGaussian()));
    }
    return new Wav(RATE, out);
  }

  private static double bell(double at, double centre, double width) {
    double z = (at - centre) / width;
    return 1 / (1 + z * z);
  }
}
