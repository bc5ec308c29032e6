package io.spillway.reservoir.convert;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.Sensor;

/// A silicon cochlea: a cascade of asymmetric resonators with fast compression, hair cells, and one
/// spiking neuron a channel.
///
/// The sound is first brought to a fixed loudness; channel 0 has the highest frequency.
///
/// @param channels channels, 64 for N-TIDIGITS-like spikes
/// @param lowestHz frequency of the last channel
/// @param loudness root mean square that the sound is brought to
/// @param gain from hair-cell activity to the neuron
/// @param timeConstant of the neuron's membrane, in seconds
/// @param refractory shortest time between two spikes of a channel, in seconds
///
///   **Source:** the published CARFAC equations (Lyon 2011, 2017).
public record Cochlea(
    @Default("64") int channels,
    @Default("30") double lowestHz,
    @Default("0.08") double loudness,
    double gain,
    @Default("0.02") double timeConstant,
    @Default("0.002") double refractory) {
  /// Gives about 850 spikes for a spoken digit, as an N-TIDIGITS recording of one digit has
  /// (docs/results/reservoir.md).
  public static final Cochlea NTIDIGITS = new Cochlea(64, 100, .1, 300, .02, .002);

  private static final double Q_ERB = 9.2645;
  private static final double ERB_OFFSET = 165.3;
  private static final double COUPLING_HZ = 20;

  public Cochlea {
    if (channels < 2 || channels > 1024) {
      throw SpillwayException.badInput("%d channels, 2 to 1024 are possible", channels);
    }
    if (!(lowestHz > 0)
        || !(loudness > 0)
        || !(gain > 0)
        || !(timeConstant > 0)
        || !(refractory >= 0)) {
      throw SpillwayException.badInput("a cochlea of %s", "numbers that are not above 0");
    }
  }

  /// Frequencies of the channels, highest first, evenly spaced in critical bands.
  public double[] frequencies(int sampleRate) {
    double highest = .85 * sampleRate / 2;
    double span = Math.log((ERB_OFFSET + highest) / (ERB_OFFSET + lowestHz));
    double[] out = new double[channels];
    for (int k = 0; k < channels; k++) {
      out[k] = (ERB_OFFSET + highest) * Math.exp(-span * k / (channels - 1)) - ERB_OFFSET;
    }
    return out;
  }

  /// The spikes of a sound.
  ///
  /// **Errors:** a sound that is silent throughout.
  public EventRecording listen(Wav wav) {
    float[] sound = wav.samples();
    double square = 0;
    for (float s : sound) {
      square += s * s;
    }
    if (square == 0) {
      throw SpillwayException.badInput("the sound is silent throughout, no spikes come of it");
    }
    double level = loudness / Math.sqrt(square / sound.length);
    int fs = wav.sampleRate();
    Stage[] stages = new Stage[channels];
    double[] frequencies = frequencies(fs);
    for (int k = 0; k < channels; k++) {
      stages[k] = new Stage(frequencies[k], fs);
    }
    double dt = 1.0 / fs;
    double couple = Math.exp(-2 * Math.PI * COUPLING_HZ * dt);
    double leak = Math.exp(-dt / timeConstant);
    int rest = (int) Math.round(refractory * fs);
    EventRecording.Builder spikes = new EventRecording.Builder(new Sensor(channels, 1, 1));
    double[] membrane = new double[channels];
    int[] wait = new int[channels];
    for (int i = 0; i < sound.length; i++) {
      double x = sound[i] * level;
      for (int k = 0; k < channels; k++) {
        Stage s = stages[k];
        x = s.step(x);
        double hair = s.hair(x, couple);
        membrane[k] = membrane[k] * leak + gain * hair * dt;
        if (wait[k] > 0) {
          wait[k]--;
          membrane[k] = 0;
        } else if (membrane[k] > 1) {
          membrane[k] = 0;
          wait[k] = rest;
          spikes.add(Math.round(i * dt * 1e6), k, 0, 0);
        }
      }
    }
    if (spikes.size() == 0) {
      throw SpillwayException.badInput("the sound gives no spikes; raise gain from %s", gain);
    }
    return spikes.build();
  }

  /// One resonator of the cascade and its hair cell.
  private static final class Stage {
    private final double a0;
    private final double c0;
    private final double r1;
    private final double zr;
    private double z1;
    private double z2;
    private double last;
    private double slow;

    Stage(double f, int fs) {
      double theta = 2 * Math.PI * f / fs;
      a0 = Math.cos(theta);
      c0 = Math.sin(theta);
      double x = theta / Math.PI;
      double warped = Math.PI * (x - .5 * x * x * x);
      r1 = 1 - .35 * warped;
      double erb = (ERB_OFFSET + f) / Q_ERB;
      double zeta = .1 + .25 * (erb / f - .1);
      zr = warped * (.35 - zeta);
    }

    double step(double in) {
      double v = z2 - last;
      last = z2;
      double b = .1 * v + .04;
      double r = r1 + zr / (1 + b * b);
      double next = r * (a0 * z1 - c0 * z2) + in;
      z2 = r * (c0 * z1 + a0 * z2);
      z1 = next;
      double g = (1 - 2 * r * a0 + r * r) / (1 - 2 * r * a0 + c0 * r * c0 + r * r);
      return g * (in + c0 * z2);
    }

    /// Activity of the inner hair cell above its rest.
    double hair(double x, double couple) {
      slow = couple * slow + (1 - couple) * x;
      double z = Math.max(0, x - slow + .175);
      double activity = z * z * z / (z * z * z + z * z + .1);
      return Math.max(0, activity - REST);
    }

    private static final double REST = .175 * .175 * .175 / (.175 * .175 * .175 + .175 * .175 + .1);
  }

  /// Spikes of each channel.
  public static int[] perChannel(EventRecording recording) {
    int[] out = new int[recording.sensor().width()];
    for (int i = 0; i < recording.size(); i++) {
      out[recording.x(i)]++;
    }
    return out;
  }
}
