package io.spillway.reservoir.convert;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.Sensor;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// The ear of the Heidelberg digits: waves on a basilar membrane, hair cells with three pools of
/// transmitter, and bushy cells that each listen to forty hair cells of one place.
///
/// **Units:** centimetres, grams and seconds for the membrane, as published. **Source:** Cramer et
/// al. 2020; Sieroka, Dosch and Rupp 2006 for the membrane, Meddis 1986 and 1988 for the hair cell.
/// The wave number is integrated numerically along the membrane.
///
/// @param channels places along the membrane
/// @param convergence hair cells of one bushy cell
public record Lauscher(int channels, int convergence) {
  /// As published: 700 channels of 40 hair cells.
  public static final Lauscher SHD = new Lauscher(700, 40);

  private static final double LOUDNESS = .3;
  private static final int LOWEST_RATE = 32_000;
  private static final int LONGEST = 1 << 19;

  // membrane
  private static final double STIFFNESS_SHIFT = 3500;
  private static final double ALPHA = 3;
  private static final double DENSITY = 1;
  private static final double LENGTH = 3.5;
  private static final double STIFFNESS = 1e8;
  private static final double DAMPING = .15;
  private static final double HEIGHT = .1;
  private static final double MASS = .05;

  public Lauscher {
    if (channels < 2 || channels > 4096 || convergence < 1 || convergence > 1000) {
      throw SpillwayException.badInput(
          "%d channels of %d hair cells; 2 to 4096 of 1 to 1000 are possible",
          channels, convergence);
    }
  }

  /// The spikes of a sound; channel 0 lies at the base and hears the highest tones.
  public EventRecording listen(Wav wav, RandomGenerator random) {
    float[] sound = normalised(wav);
    int factor = (LOWEST_RATE + wav.sampleRate() - 1) / wav.sampleRate();
    int n = Integer.highestOneBit(Math.max(2, sound.length - 1)) * 2;
    if ((long) n * factor > LONGEST) {
      throw SpillwayException.doesNotFit(
          "a sound of %d samples, at most %d are converted in one piece; cut it",
          sound.length, LONGEST / factor);
    }
    double[] re = new double[n];
    double[] im = new double[n];
    for (int i = 0; i < sound.length; i++) {
      re[i] = sound[i];
    }
    Fourier.transform(re, im, false);
    int wide = Integer.highestOneBit(n * factor - 1) * 2;
    int rate = (int) ((long) wav.sampleRate() * wide / n);
    int length = (int) ((long) sound.length * wide / n);
    Complex[][] transfer = transfer(n, wav.sampleRate());
    long[] seeds = random.longs(channels).toArray();
    int[][] spikes = new int[channels][];
    IntStream.range(0, channels)
        .parallel()
        .forEach(c -> {
          double[] velocity = velocity(transfer, c, re, im, wide);
          double[] probability = hairCell(velocity, length, rate);
          spikes[c] =
              bushyCell(
                  probability, rate, new io.spillway.platform.Seeds(seeds[c]).stream("hair-cells"));
        });
    return merged(spikes, rate);
  }

  private static float[] normalised(Wav wav) {
    double square = 0;
    for (float s : wav.samples()) {
      square += s * s;
    }
    if (square == 0) {
      throw SpillwayException.badInput("the sound is silent throughout, no spikes come of it");
    }
    double factor = LOUDNESS / Math.sqrt(square / wav.samples().length);
    int edge = Math.min(wav.samples().length / 2, wav.sampleRate() / 100);
    float[] out = wav.samples().clone();
    for (int i = 0; i < out.length; i++) {
      int near = Math.min(i, out.length - 1 - i);
      double window = near < edge ? .5 - .5 * Math.cos(Math.PI * near / edge) : 1;
      out[i] *= (float) (factor * window);
    }
    return out;
  }

  private static Complex xi(double omega, double c) {
    double stiffness = STIFFNESS * Math.exp(-ALPHA * c) - STIFFNESS_SHIFT;
    double damping = DAMPING * Math.sqrt(STIFFNESS * MASS) * Math.exp(-ALPHA * c / 2);
    return new Complex(stiffness - MASS * omega * omega, -omega * damping);
  }

  private static Complex waveNumber(double omega, double c) {
    return new Complex(DENSITY / HEIGHT, 0).over(xi(omega, c)).sqrt().times(omega);
  }

  /// Velocity of each place for a tone of each frequency of the spectrum, `[n / 2][channels]`.
  private Complex[][] transfer(int n, int sampleRate) {
    Complex[][] out = new Complex[n / 2][];
    IntStream.range(1, n / 2)
        .parallel()
        .forEach(k -> out[k] = response(2 * Math.PI * k * sampleRate / n));
    out[0] = new Complex[channels];
    Arrays.fill(out[0], new Complex(0, 0));
    return out;
  }

  private Complex[] response(double omega) {
    Complex[] out = new Complex[channels];
    double dc = LENGTH / (channels - 1);
    Complex before = waveNumber(omega, 0);
    Complex phase = before.times(2 / ALPHA);
    Complex base = phase.over(before).sqrt().times(phase.hankel());
    Complex drive = drive(omega).over(base);
    for (int c = 0; c < channels; c++) {
      Complex here = waveNumber(omega, c * dc);
      if (c > 0) {
        Complex middle = waveNumber(omega, (c - .5) * dc);
        phase = phase.plus(before.plus(middle.times(4)).plus(here).times(dc / 6)); // Simpson
      }
      Complex pressure = phase.over(here).sqrt().times(phase.hankel());
      // fields are written e^(-iωt), the spectrum e^(+iωt)
      out[c] =
          new Complex(2 * omega, 0)
              .over(xi(omega, c * dc))
              .times(pressure)
              .times(drive)
              .conjugate();
      before = here;
    }
    return out;
  }

  /// What the middle ear makes of the sound at the base.
  private static Complex drive(double omega) {
    double x = 2 * omega / ALPHA * Math.sqrt(2 / (HEIGHT * STIFFNESS));
    double h = 1e-4 * x;
    Complex zero = new Complex(x, 0).hankel();
    // the function of order 1 is minus the derivative of order 0
    Complex one =
        new Complex(x - h, 0).hankel().minus(new Complex(x + h, 0).hankel()).times(.5 / h);
    return new Complex(0, Math.sqrt(2 * STIFFNESS / HEIGHT))
        .times(zero.conjugate())
        .over(one.conjugate());
  }

  private static double[] velocity(
      Complex[][] transfer, int c, double[] re, double[] im, int wide) {
    double[] outRe = new double[wide];
    double[] outIm = new double[wide];
    int n = re.length;
    for (int k = 1; k < n / 2; k++) {
      Complex v = transfer[k][c];
      outRe[k] = (v.re() * re[k] - v.im() * im[k]) * 2 / n;
      outIm[k] = (v.re() * im[k] + v.im() * re[k]) * 2 / n;
    }
    Fourier.transform(outRe, outIm, true);
    return outRe;
  }

  /// Chance of a transmitter release in each sample.
  private static double[] hairCell(double[] velocity, int length, int rate) {
    double dt = 1.0 / rate;
    double replenish = 5.05;
    double release = 2000;
    double loss = 2500;
    double reuptake = 6580;
    double reprocess = 66.3;
    double a = 5;
    double b = 300;
    double firing = 50_000;
    double rest = release * a / (a + b);
    double cleft = replenish * rest / (loss * rest + replenish * (loss + reuptake));
    double free = cleft * (loss + reuptake) / rest;
    double store = cleft * reuptake / reprocess;
    double[] out = new double[length];
    for (int i = 0; i < length; i++) {
      double s = velocity[i] + a;
      double permeability = s > 0 ? release * s / (s + b) : 0;
      double made = free < 1 ? replenish * (1 - free) * dt : 0;
      double ejected = permeability * dt * free;
      double gone = (loss + reuptake) * dt * cleft;
      double back = reuptake * dt * cleft;
      double again = reprocess * dt * store;
      free = Math.max(0, free + made - ejected + again);
      cleft = Math.max(0, cleft + ejected - gone);
      store = Math.max(0, store + back - again);
      out[i] = cleft * firing * dt;
    }
    return out;
  }

  /// Samples at which a bushy cell fires.
  private int[] bushyCell(double[] probability, int rate, RandomGenerator random) {
    double dt = 1.0 / rate;
    double weight = 13_000.0 / convergence * dt;
    double leak = Math.exp(-dt / 1e-3);
    double synapse = Math.exp(-dt / 5e-4);
    int rest = (int) Math.round(1e-3 * rate);
    int[] last = new int[convergence];
    Arrays.fill(last, -rest);
    int[] out = new int[64];
    int size = 0;
    double membrane = 0;
    double current = 0;
    int silentUntil = 0;
    for (int i = 0; i < probability.length; i++) {
      int released = 0;
      for (int k = 0; k < convergence; k++) {
        if (i - last[k] >= rest && random.nextDouble() < probability[i]) {
          last[k] = i;
          released++;
        }
      }
      current = current * synapse + released;
      membrane *= leak;
      if (i >= silentUntil) {
        membrane += current * weight;
        if (membrane >= 1) {
          membrane = 0;
          silentUntil = i + rest;
          if (size == out.length) {
            out = Arrays.copyOf(out, 2 * size);
          }
          out[size++] = i;
        }
      }
    }
    return Arrays.copyOf(out, size);
  }

  private EventRecording merged(int[][] spikes, int rate) {
    int total = Arrays.stream(spikes).mapToInt(s -> s.length).sum();
    if (total == 0) {
      throw SpillwayException.badInput("the sound gives no spikes; it is too short or too even");
    }
    long[] keys = new long[total];
    int at = 0;
    for (int c = 0; c < channels; c++) {
      for (int i : spikes[c]) {
        keys[at++] = (long) i << 16 | c;
      }
    }
    Arrays.sort(keys);
    EventRecording.Builder events = new EventRecording.Builder(new Sensor(channels, 1, 1));
    for (long key : keys) {
      events.add(Math.round((key >> 16) * 1e6 / rate), (int) (key & 0xFFFF), 0, 0);
    }
    return events.build();
  }
}
