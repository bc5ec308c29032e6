package io.spillway.reservoir.liquid;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.reservoir.crossbar.Converters;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.reservoir.crossbar.DevicePresets;
import io.spillway.testkit.Cases;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// The sparse liquid and its dense scalar twin give the same spikes, bit for bit.
final class LiquidTwinPropertyTest {
  static final Framing FRAMING =
      new Framing(
          12, 10, Framing.Polarities.BOTH, 0, 0, 12, 10, 1, 20, new Framing.Span.Recording());

  @Test
  void sameSpikesWithNoiseDenseAndLocal() {
    Cases.run(
        24,
        random -> {
          Wiring wiring = random.nextBoolean() ? new Wiring.Dense() : new Wiring.Local(3, 3, .5);
          Adaptation adaptation =
              random.nextBoolean() ? new Adaptation.None() : new Adaptation.Rising(1, .8);
          LiquidConfig config =
              config(
                  20 + random.nextInt(80),
                  wiring,
                  adaptation,
                  "TaOx40nmBimodal",
                  random.nextBoolean(),
                  3,
                  random.nextLong());
          Liquid liquid = new Liquid(config, FRAMING);
          assertSame(liquid, frames(random, .05), random.nextInt(1000));
        });
  }

  @Test
  void sameSpikesThroughConvertersAndMacros() {
    Cases.run(
        12,
        random -> {
          DeviceModel tiled = tiled(new Converters(1, false, 6, 20, .2), 50);
          LiquidConfig config =
              config(
                  70,
                  new Wiring.Dense(),
                  new Adaptation.None(),
                  "tiled",
                  true,
                  1,
                  random.nextLong());
          assertSame(new Liquid(config, FRAMING, tiled), frames(random, .05), 7);
        });
  }

  @Test
  void noiseChangesWithTheRecordingOnly() {
    Cases.one(
        3,
        random -> {
          Liquid liquid =
              new Liquid(
                  config(100, new Wiring.Dense(), new Adaptation.None(), "TaOx40nm", true, 1, 5),
                  FRAMING);
          SpikeFrames frames = frames(random, .1);
          assertThat(spikes(liquid, frames, 1)).isEqualTo(spikes(liquid, frames, 1));
          assertThat(spikes(liquid, frames, 1)).isNotEqualTo(spikes(liquid, frames, 2));
        });
  }

  /// A small liquid with the published leak and threshold.
  static LiquidConfig config(
      int neurons,
      Wiring wiring,
      Adaptation adaptation,
      String device,
      boolean noise,
      int segments,
      long seed) {
    return new LiquidConfig(
        neurons, .9, 5, .2, .1, wiring, adaptation, device, noise, segments, seed);
  }

  /// A device that is read in macros of `tile` rows through converters.
  static DeviceModel tiled(Converters converters, int tile) {
    DeviceModel base = DevicePresets.named("TaOx40nm");
    return new DeviceModel(
        "tiled",
        base.fabricated(),
        0,
        40,
        base.programming(),
        base.read(),
        base.drift(),
        0,
        0,
        0,
        converters,
        tile,
        0);
  }

  private static void assertSame(Liquid liquid, SpikeFrames frames, long recording) {
    List<Long> sparse = spikes(liquid, frames, recording);
    assertThat(sparse).isNotEmpty();
    assertThat(sparse).isEqualTo(spikes(liquid.dense(), frames, recording));
    assertThat(liquid.run(frames, recording).counts())
        .isEqualTo(liquid.dense().run(frames, recording).counts());
  }

  private static List<Long> spikes(Simulator simulator, SpikeFrames frames, long recording) {
    List<Long> out = new ArrayList<>();
    simulator.run(frames, recording, (step, neuron) -> out.add((long) step << 32 | neuron));
    return out;
  }

  static SpikeFrames frames(RandomGenerator random, double density) {
    SpikeFrames.Builder frames = new SpikeFrames.Builder(FRAMING.steps(), FRAMING.inputs());
    for (int t = 0; t < FRAMING.steps(); t++) {
      for (int i = 0; i < FRAMING.inputs(); i++) {
        if (t % 5 != 4 && random.nextDouble() < density) {
          frames.add(t, i);
        }
      }
    }
    return frames.build();
  }
}
