package io.spillway.reservoir.liquid;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.reservoir.crossbar.Converters;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.testkit.Cases;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;

/// The engine of batches gives the sparse engine's spikes; both differ in the order of sums only.
final class TorchLiquidTest {
  /// Share of neuron-and-step places that may differ: roundings at the threshold and what follows.
  private static final double TOLERANCE = .002;

  @Test
  void sameSpikesAsTheSparseEngine() {
    Cases.run(
        12,
        random -> {
          Framing framing = LiquidTwinPropertyTest.FRAMING;
          LiquidConfig config =
              LiquidTwinPropertyTest.config(
                  20 + random.nextInt(80),
                  random.nextBoolean() ? new Wiring.Dense() : new Wiring.Local(3, 3, .5),
                  random.nextBoolean() ? new Adaptation.None() : new Adaptation.Rising(1, .8),
                  "TaOx40nmBimodal",
                  random.nextBoolean(),
                  3,
                  random.nextLong());
          Liquid liquid = new Liquid(config, framing);
          List<SpikeFrames> batch = batch(random, 5);
          try (TorchLiquid torch = liquid.on(Devices.cpu())) {
            List<LiquidResponse> answers = torch.run(batch, 40);
            double apart = 0;
            long spikes = 0;
            for (int k = 0; k < batch.size(); k++) {
              LiquidResponse expected = liquid.run(batch.get(k), 40 + k);
              spikes += expected.spikes();
              for (int j = 0; j < expected.counts().length; j++) {
                apart += Math.abs(expected.counts()[j] - answers.get(k).counts()[j]);
              }
              if (answers.get(k).spikes() == expected.spikes()) {
                assertThat(answers.get(k).inputSpikes()).isEqualTo(expected.inputSpikes());
              }
            }
            assertThat(spikes).isPositive();
            assertThat(apart / (batch.size() * config.neurons() * framing.steps()))
                .isLessThan(TOLERANCE);
          }
        });
  }

  @Test
  void countsTheSameOperationsAndHandsOnTheSpikesOfOneRecording() {
    Cases.one(
        5,
        random -> {
          LiquidConfig config =
              LiquidTwinPropertyTest.config(
                  64, new Wiring.Local(3, 3, .5), new Adaptation.None(), "TaOx40nm", false, 1, 5);
          Liquid liquid = new Liquid(config, LiquidTwinPropertyTest.FRAMING);
          SpikeFrames frames = LiquidTwinPropertyTest.frames(random, .1);
          List<Long> sparse = new ArrayList<>();
          List<Long> batched = new ArrayList<>();
          LiquidResponse expected = liquid.run(frames, 0, (t, j) -> sparse.add((long) t << 32 | j));
          try (TorchLiquid torch = liquid.on(Devices.cpu())) {
            LiquidResponse got =
                torch.run(List.of(frames), 0, (t, j) -> batched.add((long) t << 32 | j)).get(0);
            assertThat(batched).isEqualTo(sparse);
            assertThat(got.additions()).isEqualTo(expected.additions());
          }
        });
  }

  @Test
  void noiseIsCountedOutAlike() {
    try (TensorScope scope = TensorScope.open()) {
      TorchNoise noise = new TorchNoise(77, 3, 2, 50, BlockRows.WIDTH, Devices.cpu());
      Tensor active = scope.adopt(torch.ones(new long[] {2, 1}, Tensors.options(DType.BOOL)));
      for (int draw = 0; draw < 3; draw++) {
        float[] all = Tensors.floats(noise.next(active));
        for (int k = 0; k < 2; k++) {
          long seed = ReadNoise.seed(77, 3 + k);
          for (int j = 0; j < 50; j++) {
            assertThat(all[k * 50 + j])
                .isCloseTo(ReadNoise.gaussian(seed, draw * 64 + j), within(1e-5f));
          }
        }
      }
    }
  }

  @Test
  void readsConvertedMacrosAsTheSparseEngineDoes() {
    Cases.run(
        8,
        random -> {
          // macros of 37 rows cut both arrays; a coarse converter makes what it does visible
          DeviceModel model = LiquidTwinPropertyTest.tiled(new Converters(0, false, 6, 8, .2), 37);
          LiquidConfig config =
              LiquidTwinPropertyTest.config(
                  50 + random.nextInt(60),
                  new Wiring.Dense(),
                  new Adaptation.None(),
                  "TaOx40nm",
                  true, // the noiseless twin has no converters
                  2,
                  random.nextLong());
          Framing framing = LiquidTwinPropertyTest.FRAMING;
          Liquid liquid = new Liquid(config, framing, model);
          Liquid exact =
              new Liquid(config, framing, LiquidTwinPropertyTest.tiled(Converters.NONE, 37));
          List<SpikeFrames> batch = batch(random, 4);
          try (TorchLiquid torch = liquid.on(Devices.cpu())) {
            List<LiquidResponse> answers = torch.run(batch, 7);
            double apart = 0;
            double moved = 0;
            for (int k = 0; k < batch.size(); k++) {
              float[] expected = liquid.run(batch.get(k), 7 + k).counts();
              float[] unconverted = exact.run(batch.get(k), 7 + k).counts();
              for (int j = 0; j < expected.length; j++) {
                apart += Math.abs(expected[j] - answers.get(k).counts()[j]);
                moved += Math.abs(expected[j] - unconverted[j]);
              }
            }
            double places = (double) batch.size() * config.neurons() * framing.steps();
            assertThat(apart / places).isLessThan(TOLERANCE);
            assertThat(moved / places).as("the converters matter").isGreaterThan(5 * TOLERANCE);
          }
        });
  }

  @Test
  void refusesForeignFrames() {
    Liquid liquid = new Liquid(LiquidConfig.PUBLISHED_TIDIGITS, Framing.TIDIGITS);
    SpikeFrames foreign = new SpikeFrames.Builder(5, 64).build();
    try (TorchLiquid torch = liquid.on(Devices.cpu())) {
      assertThatThrownBy(() -> torch.run(List.of(foreign), 0)).hasMessageContaining("5 steps");
    }
  }

  private static List<SpikeFrames> batch(RandomGenerator random, int size) {
    List<SpikeFrames> batch = new ArrayList<>();
    for (int k = 0; k < size; k++) {
      batch.add(LiquidTwinPropertyTest.frames(random, .05));
    }
    return batch;
  }
}
