package io.spillway.reservoir.liquid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.reservoir.crossbar.Converters;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.reservoir.crossbar.NoiseLaw;
import io.spillway.testkit.Cases;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// The liquid against its equations written out once more, which share nothing with it but the
/// weights: leak and reset, thresholds that rise, results converted macro by macro, counts by
/// segment, additions. The twins of [LiquidTwinPropertyTest] share their neurons.
final class LiquidReferenceTest {
  private static final Framing FRAMING = LiquidTwinPropertyTest.FRAMING;

  private static DeviceModel quiet(Converters converters, int tile) {
    return LiquidTwinPropertyTest.tiled(converters, tile).withRead(new NoiseLaw.None());
  }

  @Test
  void spikesCountsAndAdditionsAreThoseOfTheEquations() {
    Cases.run(
        16,
        random -> {
          Wiring wiring = random.nextBoolean() ? new Wiring.Dense() : new Wiring.Local(3, 3, .5);
          Adaptation adaptation =
              random.nextInt(3) == 0
                  ? new Adaptation.None()
                  : new Adaptation.Rising(1 + random.nextDouble(), .5 + .4 * random.nextDouble());
          check(random, wiring, adaptation, Converters.NONE, 512);
        });
  }

  @Test
  void resultsAreConvertedMacroByMacro() {
    Cases.run(
        8,
        random ->
            check(
                random,
                new Wiring.Dense(),
                new Adaptation.Rising(1, .8),
                // coarse and narrow, so that rounding and bound are met at once
                new Converters(0, false, 4, 2, 0),
                1 + random.nextInt(40)));
    Cases.run(
        2,
        random ->
            check(
                random,
                new Wiring.Dense(),
                new Adaptation.None(),
                new Converters(0, false, 0, 1.5, 0),
                9));
  }

  private static void check(
      RandomGenerator random,
      Wiring wiring,
      Adaptation adaptation,
      Converters converters,
      int tile) {
    int neurons = 20 + random.nextInt(80);
    int segments = 1 + random.nextInt(4);
    LiquidConfig config =
        LiquidTwinPropertyTest.config(
            neurons, wiring, adaptation, "quiet", true, segments, random.nextLong());
    Liquid liquid = new Liquid(config, FRAMING, quiet(converters, tile));
    SpikeFrames frames = LiquidTwinPropertyTest.frames(random, .05);
    Reference expected = new Reference(liquid, frames, converters, tile);
    List<Long> spikes = new ArrayList<>();
    List<Integer> last = new ArrayList<>();
    LiquidResponse response =
        liquid.run(
            frames,
            3,
            (step, neuron) -> {
              spikes.add((long) step << 32 | neuron);
              if (step == frames.steps() - 1) {
                last.add(neuron);
              }
            });
    assertThat(spikes).isNotEmpty().isEqualTo(expected.spikes);
    assertThat(response.counts()).isEqualTo(expected.counts);
    assertThat(response.spikes()).isEqualTo(spikes.size());
    assertThat(response.inputSpikes()).isEqualTo(frames.size());
    assertThat(response.additions()).isEqualTo(expected.additions);
    // the same from the counts alone, as the engines in batches have them
    int[] fired = last.stream().mapToInt(Integer::intValue).toArray();
    assertThat(liquid.additions(frames, response.counts(), fired)).isEqualTo(expected.additions);
    assertThat(liquid.dense().run(frames, 3).additions())
        .isEqualTo((long) frames.steps() * (FRAMING.inputs() + neurons) * neurons);
  }

  /// One recording by the equations.
  private static final class Reference {
    final List<Long> spikes = new ArrayList<>();
    final float[] counts;
    long additions;

    Reference(Liquid liquid, SpikeFrames frames, Converters converters, int tile) {
      LiquidConfig config = liquid.config();
      int n = config.neurons();
      float[][] in = liquid.dense().inputWeights();
      float[][] back = liquid.dense().recurrentWeights();
      counts = new float[config.segments() * n];
      float[] membrane = new float[n];
      float[] bar = new float[n];
      Arrays.fill(bar, (float) config.threshold());
      List<Integer> fired = new ArrayList<>();
      for (int t = 0; t < frames.steps(); t++) {
        List<Integer> rows = new ArrayList<>();
        for (int k = frames.start(t); k < frames.start(t + 1); k++) {
          rows.add(frames.input(k));
        }
        float[] current = new float[n];
        collect(current, rows, in, converters, tile);
        collect(current, fired, back, converters, tile);
        List<Integer> next = new ArrayList<>();
        for (int j = 0; j < n; j++) {
          float kept = fired.contains(j) ? 0 : membrane[j] * (float) config.leak();
          membrane[j] = kept + current[j];
          boolean fires = membrane[j] > bar[j];
          if (fires) {
            next.add(j);
            spikes.add((long) t << 32 | j);
            counts[t * config.segments() / frames.steps() * n + j]++;
          }
          if (config.adaptation() instanceof Adaptation.Rising(double jump, double decay)) {
            float threshold = (float) config.threshold();
            bar[j] = threshold + (float) decay * (bar[j] - threshold) + (fires ? (float) jump : 0);
          }
        }
        fired = next;
      }
    }

    private void collect(
        float[] current, List<Integer> rows, float[][] weights, Converters converters, int tile) {
      boolean converted = converters.outputBound() > 0;
      float[] part = converted ? new float[current.length] : current;
      for (int k = 0; k < rows.size(); k++) {
        float[] row = weights[rows.get(k)];
        for (int j = 0; j < row.length; j++) {
          part[j] += row[j];
        }
        additions += sixteens(row);
        boolean ends = k + 1 == rows.size() || rows.get(k + 1) / tile != rows.get(k) / tile;
        if (converted && ends) {
          for (int j = 0; j < row.length; j++) {
            current[j] += (float) output(part[j], converters);
            part[j] = 0;
          }
        }
      }
    }

    private static double output(double value, Converters converters) {
      double bound = converters.outputBound();
      double held = value < -bound ? -bound : value > bound ? bound : value;
      if (converters.adcBits() == 0) {
        return held;
      }
      double step = 2 * bound / (Math.pow(2, converters.adcBits()) - 2);
      return Math.rint(held / step) * step;
    }

    /// Weights of the blocks of sixteen that hold a connection.
    private static int sixteens(float[] row) {
      int sum = 0;
      for (int from = 0; from < row.length; from += 16) {
        boolean connected = false;
        for (int j = from; j < Math.min(from + 16, row.length); j++) {
          connected |= row[j] != 0;
        }
        sum += connected ? 16 : 0;
      }
      return sum;
    }
  }

  @Test
  void noiseOfConvertersAndOfReadingHasItsSpread() {
    // one step, two inputs: a neuron fires where its current and the noise pass the threshold
    Framing framing =
        new Framing(2, 1, Framing.Polarities.FIRST, 0, 0, 2, 1, 1, 1, new Framing.Span.Recording());
    SpikeFrames.Builder both = new SpikeFrames.Builder(1, 2);
    both.add(0, 0);
    both.add(0, 1);
    SpikeFrames frames = both.build();
    // two macros of one row: both add the converter's noise
    check(framing, frames, quiet(new Converters(0, false, 0, 0, .8), 1), .8 * .8 * 2);
    check(framing, frames, quiet(new Converters(0, false, 0, 0, .8), 2), .8 * .8);
    // reading alone, and both together
    check(framing, frames, LiquidTwinPropertyTest.tiled(Converters.NONE, 1), 0);
    check(framing, frames, LiquidTwinPropertyTest.tiled(new Converters(0, false, 0, 0, .5), 1), .5);
  }

  private static void check(
      Framing framing, SpikeFrames frames, DeviceModel device, double ofConverters) {
    int n = 40;
    LiquidConfig config =
        new LiquidConfig(
            n, .9, .5, 1, 1, new Wiring.Dense(), new Adaptation.None(), "by hand", true, 1, 11);
    Synapses synapses = new Synapses(config, framing, device);
    Liquid liquid = new Liquid(config, framing, synapses);
    int recordings = 3000;
    double[] fired = new double[n];
    for (int r = 0; r < recordings; r++) {
      liquid.run(frames, r, (step, neuron) -> fired[neuron]++);
    }
    for (int j = 0; j < n; j++) {
      double current = synapses.inputWeight(0, j) + synapses.inputWeight(1, j);
      double spread =
          Math.sqrt(ofConverters + synapses.inputVariance(0, j) + synapses.inputVariance(1, j));
      double chance = normal((current - config.threshold()) / spread);
      // five standard deviations of the share, and what the noise's law differs from a Gaussian's
      double tolerance = 5 * Math.sqrt(chance * (1 - chance) / recordings) + .004;
      assertThat(fired[j] / recordings).as("neuron %d", j).isCloseTo(chance, within(tolerance));
    }
  }

  /// The Gaussian's distribution by Simpson's rule.
  private static double normal(double z) {
    double to = Math.clamp(z, -8, 8);
    int steps = 2000;
    double h = (to + 8) / steps;
    double sum = 0;
    for (int i = 0; i <= steps; i++) {
      double x = -8 + i * h;
      sum += Math.exp(-x * x / 2) * (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2);
    }
    return sum * h / 3 / Math.sqrt(2 * Math.PI);
  }
}
