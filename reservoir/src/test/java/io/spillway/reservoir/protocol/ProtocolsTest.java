package io.spillway.reservoir.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.reservoir.convert.DrawnDigits;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Contrastive;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.learn.MemoryCapacity;
import io.spillway.reservoir.learn.RecurrentBaseline;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.tensor.Devices;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Protocols on data whose answer is known.
final class ProtocolsTest {
  @Test
  void everyReadoutLearnsClassesThatAreApart() {
    int[] labels = labels(120, 3);
    Counts counts = table(labels, 20, 1, 0);
    Splits.Split[] splits = Splits.folds(labels, 3, new Seeds(1).stream("folds"));
    for (Probes.Readout readout : Probes.Readout.values()) {
      assertThat(Probes.folds(counts, labels, 3, readout, splits, new Seeds(2)).mean())
          .as("%s", readout)
          .isGreaterThan(.9);
    }
    assertThat(Probes.shots(counts, labels, 3, Probes.Readout.PROTOTYPE, 4, 5, new Seeds(2)).mean())
        .isGreaterThan(.9);
  }

  @Test
  void shotsAreTakenFromEveryClassAndNeverTested() {
    int[] labels = labels(60, 3);
    Splits.Split split = Probes.few(labels, 3, 5, new Seeds(1).stream("few"));
    assertThat(IntStream.of(Splits.pick(labels, split.train())).filter(l -> l == 1).count())
        .isEqualTo(5);
    assertThat(split.train()).hasSize(15).doesNotContain(split.test());
    assertThat(split.test()).hasSize(45);
    assertThatThrownBy(() -> Probes.few(labels, 3, 20, new Seeds(1).stream("few")))
        .hasMessageContaining("1 to 19 are possible");
  }

  /// Senses that share the likeness of classes carry over to unseen ones, others do not, whatever
  /// the method: the protocol itself favours nobody.
  @Test
  void unseenClassesAreFoundWhereSensesShareStructureOnly() {
    int[] labels = labels(900, 9);
    for (ZeroShot.Method method :
        new ZeroShot.Method[] {
          new ZeroShot.Method.ClassScores(.1),
          new ZeroShot.Method.ClassMeans(),
          new ZeroShot.Method.Aligned(1, true),
          new ZeroShot.Method.Aligned(1, false),
          new ZeroShot.Method.Contrast(
              new Contrastive.Settings(16, 32, 15, 3e-3, 0, new Contrastive.Loss.Normalised(5)))
        }) {
      double shared = zeroShot(labels, method, 0);
      assertThat(shared).as("%s", method).isGreaterThan(.75);
    }
    double sum = 0;
    for (int other = 1; other <= 12; other++) {
      sum += zeroShot(labels, new ZeroShot.Method.ClassScores(.1), other) / 12;
    }
    assertThat(sum).isBetween(.25, .75);
  }

  /// @param other 0: both senses place the classes alike; else each at random
  @Test
  void geometryTellsSensesThatShareAnOrderFromThoseThatDoNot() {
    int[] labels = IntStream.range(0, 450).map(i -> i % 9).toArray();
    List<Integer> classes = List.of(0, 1, 2, 3, 4, 5, 6, 7, 8);
    Counts one = mixture(labels, 40, 11, 5);
    int[] exchanged = Arrays.stream(labels).map(c -> (c * 2 + 3) % 9).toArray();
    SenseGeometry same = SenseGeometry.of(one, labels, one, labels, classes, new Seeds(1));
    assertThat(same.correlation()).isGreaterThan(.999);
    assertThat(same.byChance()).isLessThan(.01);
    assertThat(same.pairsRight()).isEqualTo(36);
    // independent senses: whether a pair's order is found is a coin
    int right = 0;
    for (int seed = 20; seed < 40; seed++) {
      right +=
          SenseGeometry.of(
                  mixture(labels, 40, seed, 5),
                  labels,
                  mixture(labels, 40, seed + 100, 100 + seed),
                  exchanged,
                  classes,
                  new Seeds(1))
              .pairsRight();
    }
    assertThat(right / (20.0 * 36)).isBetween(.3, .7);
  }

  private static double zeroShot(int[] labels, ZeroShot.Method method, int other) {
    ZeroShot.Settings settings =
        new ZeroShot.Settings(
            List.of(0, 1, 2, 3, 4, 5, 6), List.of(7, 8), 30, Retrieval.Measure.COSINE);
    ZeroShot.Outcome out =
        ZeroShot.run(
            mixture(labels, 40, 11, 5),
            labels,
            labels.length,
            mixture(labels, 30, 12, other == 0 ? 5 : 100 + other),
            labels,
            settings,
            method,
            new Seeds(3));
    assertThat(out.soundSeen()).as("%s", method).isGreaterThan(.8);
    assertThat(out.unseenAtBestEpoch()).isGreaterThanOrEqualTo(out.soundUnseen());
    return out.soundUnseen();
  }

  /// Class 7 looks like classes 0 to 2 in part, class 8 like 3 to 5, if `order` is 5; else each
  /// like three others at random.
  private static Counts mixture(int[] labels, int width, long seed, long order) {
    int[] places = Splits.shuffled(7, new Seeds(order).stream("order"));
    Counts out = new Counts(labels.length, width);
    RandomGenerator random = new Seeds(seed).stream("mixture");
    float[][] centre = new float[9][width];
    for (int c = 0; c < 7; c++) {
      for (int j = 0; j < width; j++) {
        centre[c][j] = random.nextInt(8);
      }
    }
    for (int k = 0; k < 6; k++) {
      for (int j = 0; j < width; j++) {
        centre[7 + k / 3][j] += centre[places[k]][j] / 3;
      }
    }
    for (int i = 0; i < labels.length; i++) {
      float[] row = new float[width];
      for (int j = 0; j < width; j++) {
        row[j] = Math.max(0, 4 + centre[labels[i]][j] + (float) random.nextGaussian());
      }
      out.set(i, row);
    }
    return out;
  }

  @Test
  void measuresDifferWhereOneItemIsNearEverything() {
    float[][] queries = {{1, .6f}, {1, -.6f}};
    float[][] gallery = {{1, 0}, {.3f, 1}, {.3f, -1}};
    int[] of = {7, 0, 1};
    assertThat(accuracy(queries, gallery, of, Retrieval.Measure.COSINE)).isZero();
    assertThat(accuracy(queries, gallery, of, Retrieval.Measure.CENTRED)).isEqualTo(1);
    assertThat(accuracy(queries, gallery, of, Retrieval.Measure.CSLS)).isEqualTo(1);
    float[][] longer = {{1, 0}, {3, 10}, {3, -10}};
    assertThat(accuracy(queries, longer, of, Retrieval.Measure.DOT)).isEqualTo(1);
  }

  private static double accuracy(
      float[][] queries, float[][] gallery, int[] of, Retrieval.Measure measure) {
    return Retrieval.accuracy(queries, new int[] {0, 1}, gallery, of, measure);
  }

  @Test
  void memoryCapacityCountsTheStepsThatSpikesRepeat() {
    RandomGenerator random = new Seeds(4).stream("memory");
    int steps = 60;
    int lines = 5; // neuron d repeats the input of d steps ago: five steps can be read
    MemoryCapacity memory = new MemoryCapacity(lines, 20, steps);
    MemoryCapacity deaf = new MemoryCapacity(lines, 20, steps);
    for (int r = 0; r < 20; r++) {
      SpikeFrames.Builder frames = new SpikeFrames.Builder(steps, 4);
      for (int t = 0; t < steps; t++) {
        int spikes = random.nextInt(5);
        for (int i = 0; i < spikes; i++) {
          frames.add(t, i);
          for (int d = 0; d < lines && t + d < steps; d++) {
            memory.spike(r, t + d, d);
          }
          deaf.spike(r, t, random.nextInt(lines));
        }
      }
      SpikeFrames built = frames.build();
      memory.inputs(r, built);
      deaf.inputs(r, built);
    }
    assertThat(memory.capacity()).isCloseTo(5, within(.3));
    assertThat(deaf.capacity()).isLessThan(1.2);
  }

  @Test
  void tuningMeetsTheRateAndDevicesAgreeOnDrawnDigits() {
    RecordingSet drawn = drawn(20);
    LiquidConfig config = LiquidConfig.LOCAL_NMNIST.withNeurons(100);
    List<Tuning.Trial> trials =
        Tuning.run(
            drawn,
            config,
            Framing.NMNIST,
            List.of(.05, .3, 1.),
            List.of(.8, .9),
            Progress.silent());
    assertThat(trials).hasSize(6);
    assertThat(trials.get(4).firingRate()).isGreaterThan(trials.get(0).firingRate());
    Tuning.Trial best = Tuning.best(trials, new Tuning.Goal.FiringRate(.05));
    assertThat(trials)
        .allMatch(t ->
            Math.abs(Math.log(t.firingRate() / .05))
                >= Math.abs(Math.log(best.firingRate() / .05)));
    Liquid liquid = new Liquid(config, Framing.NMNIST);
    Encoding sparse = Encoding.of(liquid, new Engine.Sparse(), drawn, Progress.silent());
    Encoding torch = Encoding.of(liquid, new Engine.Torch(Devices.cpu()), drawn, Progress.silent());
    assertThat((double) torch.spikes()).isCloseTo(sparse.spikes(), within(.002 * sparse.spikes()));
    assertThat(torch.inputSpikes()).isEqualTo(sparse.inputSpikes());
  }

  private static RecordingSet drawn(int count) {
    return RecordingSet.of(
        java.nio.file.Path.of("drawn"),
        IntStream.range(0, count).mapToObj(Integer::toString).toList(),
        IntStream.range(0, count).mapToObj(i -> Integer.toString(i % 10)).toList(),
        i ->
            Saccades.record(
                DrawnDigits.draw(i % 10, new Seeds(1).stream("draw", i)),
                PixelModel.NMNIST,
                new Seeds(1).stream("saccades", i)));
  }

  @Test
  void bothRecurrentBaselinesLearnWhichHalfSpikes() {
    RandomGenerator random = new Seeds(6).stream("halves");
    SpikeFrames[] frames = new SpikeFrames[80];
    int[] labels = labels(80, 2);
    for (int i = 0; i < 80; i++) {
      SpikeFrames.Builder b = new SpikeFrames.Builder(10, 20);
      for (int k = 0; k < 25; k++) {
        b.add(
            random.nextInt(10),
            (random.nextInt(4) > 0 ? labels[i] : 1 - labels[i]) * 10 + random.nextInt(10));
      }
      frames[i] = b.build();
    }
    for (RecurrentBaseline.Cell cell :
        new RecurrentBaseline.Cell[] {
          new RecurrentBaseline.Cell.Spiking(.9, 1, .25), new RecurrentBaseline.Cell.Tanh()
        }) {
      RecurrentBaseline model =
          new RecurrentBaseline(cell, 20, 16, 2, new Seeds(7).stream("weights"));
      model.train(frames, labels, 40, 10, 5e-3, new Seeds(8).stream("order"));
      int right = 0;
      for (int i = 0; i < 80; i++) {
        right += model.predict(frames[i]) == labels[i] ? 1 : 0;
      }
      assertThat(right).as("%s", cell).isGreaterThan(70);
    }
  }

  private static int[] labels(int n, int classes) {
    return IntStream.range(0, n).map(i -> i % classes).toArray();
  }

  private static Counts table(int[] labels, int width, double noise, long seed) {
    RandomGenerator random = new Seeds(seed).stream("table");
    Counts out = new Counts(labels.length, width);
    for (int i = 0; i < labels.length; i++) {
      float[] row = new float[width];
      for (int j = 0; j < width; j++) {
        row[j] =
            (float) Math.max(0, 3 + noise * random.nextGaussian() + (j % 3 == labels[i] ? 2 : 0));
      }
      out.set(i, row);
    }
    return out;
  }
}
