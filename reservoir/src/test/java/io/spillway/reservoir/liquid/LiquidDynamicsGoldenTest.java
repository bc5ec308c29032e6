package io.spillway.reservoir.liquid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.reservoir.crossbar.ConductanceMap;
import io.spillway.reservoir.crossbar.Converters;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.reservoir.crossbar.Drift;
import io.spillway.reservoir.crossbar.Fabricated;
import io.spillway.reservoir.crossbar.NoiseLaw;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The neuron's equation, worked by hand on one neuron, and the noise it meets.
final class LiquidDynamicsGoldenTest {
  @TempDir Path folder;

  @Test
  void leaksFiresAndResets() throws Exception {
    // one input, one neuron; the weight is read back from the array, so the hand calculation needs
    // no luck: m = w, .5 w + w, ... until it passes the threshold, then it starts at w again
    Path csv = folder.resolve("map.csv");
    Files.writeString(csv, "10,30\n");
    DeviceModel model =
        new DeviceModel(
            "by hand",
            new Fabricated.Measured(ConductanceMap.read(csv)),
            0,
            40,
            new NoiseLaw.None(),
            new NoiseLaw.None(),
            new Drift.None(),
            0,
            0,
            0,
            Converters.NONE,
            512,
            0);
    Framing framing =
        new Framing(1, 1, Framing.Polarities.FIRST, 0, 0, 1, 1, 1, 6, new Framing.Span.Recording());
    LiquidConfig config = null;
    Liquid liquid = null;
    for (long seed = 0; ; seed++) {
      config =
          new LiquidConfig(
              1,
              .5,
              1.6,
              1 / 6.61329 * Math.sqrt(2) * 10 / 20,
              0,
              new Wiring.Dense(),
              new Adaptation.None(),
              "by hand",
              true,
              1,
              seed);
      liquid = new Liquid(config, framing, model);
      if (liquid.inputCrossbar().weight(0, 0) == 20f) {
        break;
      }
    }
    // weightSigma is 10 sqrt(2) µS, so the weight of 20 µS is worth exactly 1
    SpikeFrames.Builder frames = new SpikeFrames.Builder(6, 1);
    for (int t = 0; t < 6; t++) {
      frames.add(t, 0);
    }
    List<Integer> steps = new ArrayList<>();
    liquid.run(frames.build(), 0, (step, neuron) -> steps.add(step));
    // 1, 1.5, 1.75 fires; 1, 1.5, 1.75 fires
    assertThat(steps).containsExactly(2, 5);
  }

  @Test
  void noiseByCounterIsGaussian() {
    int n = 400_000;
    double sum = 0;
    double square = 0;
    double fourth = 0;
    int beyondTwo = 0;
    for (int i = 0; i < n; i++) {
      double g = ReadNoise.gaussian(99, i);
      sum += g;
      square += g * g;
      fourth += g * g * g * g;
      beyondTwo += Math.abs(g) > 2 ? 1 : 0;
    }
    assertThat(sum / n).isCloseTo(0, within(.01));
    assertThat(square / n).isCloseTo(1, within(.01));
    assertThat(fourth / n).isCloseTo(3, within(.1));
    assertThat(beyondTwo / (double) n).isCloseTo(.0455, within(.003));
  }

  @Test
  void refusesImpossibleSettings() {
    assertThatThrownBy(() -> LiquidConfig.LOCAL_NMNIST.withLeak(1.5)).hasMessageContaining("1.5");
    assertThatThrownBy(() -> LiquidConfig.LOCAL_NMNIST.withNeurons(0))
        .hasMessageContaining("0 neurons");
    assertThatThrownBy(() ->
            new Liquid(LiquidConfig.LOCAL_NMNIST.withDevice("ReRamESPresett"), Framing.NMNIST))
        .hasMessageContaining("did you mean 'ReRamESPreset'");
    assertThatThrownBy(() ->
            new Framing(
                34, 34, Framing.Polarities.BOTH, 30, 0, 16, 16, 1, 5, new Framing.Span.Recording()))
        .hasMessageContaining("does not lie in a sensor of 34 x 34");
  }
}
