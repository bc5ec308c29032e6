package io.spillway.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.platform.SpillwayException;
import io.spillway.testkit.Cases;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class AdamKernelTest {
  @Test
  void vectorAndThreadedKernelsGiveTheBitsOfTheScalarTwin() {
    Cases.run(
        60,
        random -> {
          try (Arena arena = Arena.ofShared();
              ParallelAdam parallel = new ParallelAdam(1 + random.nextInt(4))) {
            int n = 1 + random.nextInt(3000);
            MasterLayout layout = MasterLayout.values()[random.nextInt(2)];
            Precision gradients = Precision.values()[random.nextInt(3)];
            Precision weights =
                layout == MasterLayout.SPLIT
                    ? Precision.BF16
                    : Precision.values()[random.nextInt(3)];
            AdamBuffers expected = random(arena, random, n, layout, gradients, weights);
            AdamBuffers fast = copy(arena, expected);
            AdamBuffers threaded = copy(arena, expected);
            AdamSettings settings =
                new AdamSettings(0.9, 0.95, 1e-8, 0.1 * random.nextInt(2), random.nextBoolean());
            long from = random.nextInt(n);
            long to = from + random.nextInt(n - (int) from + 1);
            for (int step = 1; step <= 3; step++) {
              AdamStep k = AdamStep.of(settings, 1e-3, step, random.nextDouble());
              new ScalarAdam().update(k, expected, from, to);
              new VectorAdam().update(k, fast, from, to);
              parallel.update(k, threaded, from, to);
              assertSame(expected, fast);
              assertSame(expected, threaded);
            }
          }
        });
  }

  @Test
  void splitMasterHoldsEveryParameterWithoutLoss() {
    Cases.run(
        20,
        random -> {
          for (int i = 0; i < 20_000; i++) {
            int bits = random.nextInt();
            if (random.nextInt(4) == 0) {
              bits = (bits & 0xFFFF0000) | 0x8000; // an exact tie
            }
            float p = Float.intBitsToFloat(bits);
            if (Float.isNaN(p)) {
              continue;
            }
            float v = random.nextFloat();
            float tagged = SplitMaster.tag(p, v);
            float joined = SplitMaster.join(Precision.floatToBf16(p), SplitMaster.low(p), tagged);
            assertThat(Float.floatToRawIntBits(joined)).isEqualTo(bits);
            assertThat(SplitMaster.untag(tagged)).isEqualTo(v);
          }
        });
  }

  @Test
  void splitAndFullMastersStayTheSameThroughManySteps() {
    try (Arena arena = Arena.ofConfined()) {
      RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
      int n = 4096;
      AdamBuffers full =
          random(arena, random, n, MasterLayout.FULL, Precision.BF16, Precision.BF16);
      AdamBuffers split =
          new AdamBuffers(
              MasterLayout.SPLIT,
              arena.allocate(2L * n, 64),
              copy(arena, full.momentum()),
              copy(arena, full.variance()),
              full.gradient(),
              Precision.BF16,
              copy(arena, full.weight()),
              Precision.BF16);
      for (long i = 0; i < n; i++) {
        float p = full.master().get(ValueLayout.JAVA_FLOAT, 4 * i);
        split.master().set(ValueLayout.JAVA_SHORT, 2 * i, SplitMaster.low(p));
        float v = full.variance().get(ValueLayout.JAVA_FLOAT, 4 * i);
        split.variance().set(ValueLayout.JAVA_FLOAT, 4 * i, SplitMaster.tag(p, v));
        Precision.BF16.set(full.weight(), i, p);
        Precision.BF16.set(split.weight(), i, p);
      }
      for (int step = 1; step <= 50; step++) {
        AdamStep k = AdamStep.of(AdamSettings.adamW(), 1e-2, step, 1);
        new VectorAdam().update(k, full);
        new VectorAdam().update(k, split);
      }
      assertThat(split.weight().mismatch(full.weight())).isEqualTo(-1);
      assertThat(split.momentum().mismatch(full.momentum())).isEqualTo(-1);
      for (long i = 0; i < n; i++) {
        float joined =
            SplitMaster.join(
                split.weight().get(ValueLayout.JAVA_SHORT, 2 * i),
                split.master().get(ValueLayout.JAVA_SHORT, 2 * i),
                split.variance().get(ValueLayout.JAVA_FLOAT, 4 * i));
        assertThat(joined).isEqualTo(full.master().get(ValueLayout.JAVA_FLOAT, 4 * i));
      }
    }
  }

  /// The formulas of Kingma and Ba in double precision, evaluated here again from their definition.
  @Test
  void agreesWithTheDefinitionInDoublePrecision() {
    try (Arena arena = Arena.ofConfined()) {
      for (boolean decoupled : new boolean[] {false, true}) {
        AdamBuffers b =
            new AdamBuffers(
                MasterLayout.FULL,
                arena.allocate(64, 64),
                arena.allocate(64, 64),
                arena.allocate(64, 64),
                arena.allocate(64, 64),
                Precision.F32,
                arena.allocate(64, 64),
                Precision.F32);
        b.master().set(ValueLayout.JAVA_FLOAT, 0, 0.5f);
        double p = 0.5;
        double m = 0;
        double v = 0;
        AdamSettings s = new AdamSettings(0.9, 0.99, 1e-6, 0.1, decoupled);
        for (int t = 1; t <= 20; t++) {
          double gradient = Math.sin(t) * 0.3;
          b.gradient().set(ValueLayout.JAVA_FLOAT, 0, (float) gradient);
          new VectorAdam().update(AdamStep.of(s, 0.01, t, 0.5), b);
          double g = 0.5 * (float) gradient;
          if (decoupled) {
            p -= 0.01 * 0.1 * p;
          } else {
            g += 0.1 * p;
          }
          m = 0.9 * m + 0.1 * g;
          v = 0.99 * v + 0.01 * g * g;
          p -=
              0.01 * (m / (1 - Math.pow(0.9, t))) / (Math.sqrt(v / (1 - Math.pow(0.99, t))) + 1e-6);
          assertThat((double) b.master().get(ValueLayout.JAVA_FLOAT, 0)).isCloseTo(p, within(3e-6));
          assertThat(b.weight().get(ValueLayout.JAVA_FLOAT, 0))
              .isEqualTo(b.master().get(ValueLayout.JAVA_FLOAT, 0));
        }
      }
    }
  }

  @Test
  void vectorConversionsMatchTheScalarOnesForEvery16BitPattern() {
    try (Arena arena = Arena.ofConfined()) {
      int n = 1 << 16;
      MemorySegment halves = arena.allocate(2L * n, 64);
      MemorySegment back = arena.allocate(2L * n, 64);
      for (int i = 0; i < n; i++) {
        halves.set(ValueLayout.JAVA_SHORT, 2L * i, (short) i);
      }
      int lanes = jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.length();
      for (Precision precision : new Precision[] {Precision.BF16, Precision.F16}) {
        for (int i = 0; i < n; i += lanes) {
          var loaded = VectorBits.load(halves, precision, i);
          VectorBits.store(loaded, back, precision, i);
          for (int lane = 0; lane < lanes; lane++) {
            float expected = precision.get(halves, i + lane);
            assertThat(Float.floatToIntBits(loaded.lane(lane)))
                .isEqualTo(Float.floatToIntBits(expected));
            if (!Float.isNaN(expected)) {
              assertThat(precision.get(back, i + lane)).isEqualTo(expected);
            }
          }
        }
      }
    }
  }

  @Test
  void roundingToHalvesMatchesTheScalarTwinForRandomSinglePrecision() {
    Cases.run(
        20,
        random -> {
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(64);
            MemorySegment two = arena.allocate(64);
            float[] values = new float[16];
            for (int round = 0; round < 2000; round++) {
              for (int i = 0; i < 16; i++) {
                values[i] =
                    random.nextBoolean()
                        ? Float.intBitsToFloat(random.nextInt())
                        : (float) (random.nextGaussian() * Math.scalb(1.0, -random.nextInt(28)));
              }
              for (Precision p : new Precision[] {Precision.BF16, Precision.F16}) {
                int lanes = jdk.incubator.vector.FloatVector.SPECIES_PREFERRED.length();
                for (int i = 0; i < 16; i += lanes) {
                  VectorBits.store(
                      jdk.incubator.vector.FloatVector.fromArray(
                          jdk.incubator.vector.FloatVector.SPECIES_PREFERRED, values, i),
                      one,
                      p,
                      i);
                }
                for (int i = 0; i < 16; i++) {
                  p.set(two, i, values[i]);
                  assertThat(Float.floatToIntBits(p.get(one, i)))
                      .isEqualTo(Float.floatToIntBits(p.get(two, i)));
                }
              }
            }
          }
        });
  }

  @Test
  void normBlocksMatchTheirScalarTwin() {
    Cases.run(
        40,
        random -> {
          try (Arena arena = Arena.ofConfined()) {
            int n = 1 + random.nextInt(2 * GradientNorm.BLOCK);
            Precision p = Precision.values()[random.nextInt(3)];
            MemorySegment g = randomSegment(arena, random, n, p);
            long from = random.nextInt(n);
            assertThat(GradientNorm.sumOfSquares(g, p, from, n))
                .isEqualTo(GradientNorm.scalarSumOfSquares(g, p, from, n));
          }
        });
  }

  @Test
  void aTieOfANewParameterComesBackEitherWay() {
    // its variance is 0, whose sign bit alone must tell
    for (int upper : new int[] {0x3F80, 0x3F81, 0xBF80, 0xBF81}) {
      float p = Float.intBitsToFloat(upper << 16 | 0x8000);
      float tagged = SplitMaster.tag(p, 0);
      assertThat(SplitMaster.join(Precision.floatToBf16(p), SplitMaster.low(p), tagged))
          .isEqualTo(p);
      assertThat(SplitMaster.untag(tagged)).isZero();
    }
  }

  @Test
  void takesHyperparametersAtTheEndsOfTheirRanges() {
    AdamSettings ends = new AdamSettings(0, 0, Float.MIN_VALUE, 0, true);
    assertThat(ends.beta1() + ends.beta2() + ends.weightDecay()).isZero();
    assertThatThrownBy(() -> new AdamSettings(0.9, 1.0, 1e-8, 0, true))
        .hasMessageContaining("beta2 is 1.0");
    assertThatThrownBy(() -> new AdamSettings(0.9, 0.9, 1e-50, 0, true))
        .hasMessageContaining("epsilon");
  }

  @Test
  void rejectsHyperparametersOutOfRange() {
    assertThatThrownBy(() -> new AdamSettings(1.0, 0.9, 1e-8, 0, true))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("beta1 is 1.0");
    assertThatThrownBy(() -> new AdamSettings(0.9, 0.9, 0, 0, true))
        .hasMessageContaining("epsilon");
    assertThatThrownBy(() -> AdamStep.of(AdamSettings.adamW(), 1, 0, 1))
        .hasMessageContaining("count from 1");
  }

  private static AdamBuffers random(
      Arena arena,
      RandomGenerator random,
      int n,
      MasterLayout layout,
      Precision gradients,
      Precision weights) {
    MemorySegment master =
        layout == MasterLayout.FULL
            ? randomSegment(arena, random, n, Precision.F32)
            : arena.allocate(2L * n, 64);
    if (layout == MasterLayout.SPLIT) {
      for (long i = 0; i < n; i++) {
        master.set(ValueLayout.JAVA_SHORT, 2 * i, (short) random.nextInt());
      }
    }
    MemorySegment variance = randomSegment(arena, random, n, Precision.F32);
    for (long i = 0; i < n; i++) {
      float v = Math.abs(variance.get(ValueLayout.JAVA_FLOAT, 4 * i));
      variance.set(ValueLayout.JAVA_FLOAT, 4 * i, v);
    }
    return new AdamBuffers(
        layout,
        master,
        randomSegment(arena, random, n, Precision.F32),
        variance,
        randomSegment(arena, random, n, gradients),
        gradients,
        randomSegment(arena, random, n, weights),
        weights);
  }

  private static MemorySegment randomSegment(
      Arena arena, RandomGenerator random, int n, Precision precision) {
    MemorySegment segment = arena.allocate((long) n * precision.bytes(), 64);
    for (long i = 0; i < n; i++) {
      precision.set(segment, i, (float) (random.nextGaussian() * 0.1));
    }
    return segment;
  }

  private static AdamBuffers copy(Arena arena, AdamBuffers b) {
    return new AdamBuffers(
        b.layout(),
        copy(arena, b.master()),
        copy(arena, b.momentum()),
        copy(arena, b.variance()),
        copy(arena, b.gradient()),
        b.gradientPrecision(),
        copy(arena, b.weight()),
        b.weightPrecision());
  }

  private static MemorySegment copy(Arena arena, MemorySegment segment) {
    MemorySegment copy = arena.allocate(segment.byteSize(), 64);
    return copy.copyFrom(segment);
  }

  private static void assertSame(AdamBuffers expected, AdamBuffers actual) {
    assertThat(actual.master().mismatch(expected.master())).as("master").isEqualTo(-1);
    assertThat(actual.momentum().mismatch(expected.momentum())).as("momentum").isEqualTo(-1);
    assertThat(actual.variance().mismatch(expected.variance())).as("variance").isEqualTo(-1);
    assertThat(actual.weight().mismatch(expected.weight())).as("weight").isEqualTo(-1);
  }
}
