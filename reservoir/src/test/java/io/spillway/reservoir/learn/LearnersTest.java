package io.spillway.reservoir.learn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.Seeds;
import io.spillway.testkit.Cases;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/// The readout's algebra against plain loops, and the projections' gradients against differences.
final class LearnersTest {
  @Test
  void choleskySolvesWhatPlainEliminationSolves() {
    Cases.run(
        6,
        random -> {
          int n = 3 + random.nextInt(220);
          double[][] b = new double[n][n];
          for (double[] row : b) {
            for (int j = 0; j < n; j++) {
              row[j] = random.nextGaussian();
            }
          }
          double[][] full = new double[n][n];
          double[][] lower = new double[n][];
          for (int i = 0; i < n; i++) {
            lower[i] = new double[i + 1];
            for (int j = 0; j < n; j++) {
              for (int k = 0; k < n; k++) {
                full[i][j] += b[i][k] * b[j][k] / n;
              }
              full[i][j] += i == j ? 1 : 0;
              if (j <= i) {
                lower[i][j] = full[i][j];
              }
            }
          }
          double[] right = random.doubles(n).toArray();
          double[] x = Cholesky.of(lower).solve(right);
          for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int j = 0; j < n; j++) {
              sum += full[i][j] * x[j];
            }
            assertThat(sum).isCloseTo(right[i], within(1e-8));
          }
        });
  }

  @Test
  void gramIsTheSumOfOuterProducts() {
    Cases.run(
        4,
        random -> {
          int n = 1 + random.nextInt(90);
          Gram gram = new Gram(n);
          float[][] rows = new float[37][n];
          double[][] expected = new double[n][n];
          for (float[] row : rows) {
            for (int j = 0; j < n; j++) {
              row[j] = (float) random.nextGaussian();
            }
            for (int i = 0; i < n; i++) {
              for (int j = 0; j <= i; j++) {
                expected[i][j] += (double) row[i] * row[j];
              }
            }
          }
          gram.add(rows, rows.length);
          for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
              assertThat(gram.lower()[i][j]).isCloseTo(expected[i][j], within(1e-4));
            }
          }
        });
  }

  /// A problem with as many recordings as features, solved once on either side of the border.
  @Test
  void dualAndPrimalGiveTheSameReadout() {
    RandomGenerator random = new Seeds(1).stream("readout");
    int n = 60;
    Counts wide = new Counts(n, n + 1); // fewer recordings than features: dual
    Counts tall = new Counts(n, n); // primal; the wide table's last column is constant
    int[] labels = new int[n];
    for (int i = 0; i < n; i++) {
      labels[i] = i % 3;
      float[] row = new float[n + 1];
      for (int j = 0; j < n; j++) {
        row[j] = random.nextInt(6) + (j % 3 == labels[i] ? 2 : 0);
      }
      row[n] = 7;
      wide.set(i, row);
      tall.set(i, java.util.Arrays.copyOf(row, n));
    }
    RidgeReadout dual = RidgeReadout.fit(wide, labels, 3, .1)[0];
    RidgeReadout primal = RidgeReadout.fit(tall, labels, 3, .1)[0];
    for (int c = 0; c < 3; c++) {
      for (int j = 0; j < n; j++) {
        assertThat(dual.weights()[c][j]).isCloseTo(primal.weights()[c][j], within(1e-4f));
      }
    }
  }

  @Test
  void refusesLabelsAndPenaltiesOutOfRange() {
    Counts counts = new Counts(3, 2);
    assertThatThrownBy(() -> RidgeReadout.fit(counts, new int[] {0, 1, 2}, 2, .1))
        .hasMessageContaining("label 2");
    assertThatThrownBy(() -> RidgeReadout.fit(counts, new int[] {0, 1, 1}, 2, 0))
        .hasMessageContaining("penalty");
    assertThatThrownBy(() -> RidgeReadout.fit(counts, new int[] {0, 1}, 2, .1))
        .hasMessageContaining("3 recordings with 2 labels");
  }

  @Test
  void projectionsGradientsAgreeWithDifferences() {
    RandomGenerator random = new Seeds(2).stream("projection");
    Projection net = new Projection(7, 5, random);
    float[] input = row(random, 7);
    float[] wish = row(random, 5);
    Projection.Trace trace = net.forward(input, null, 0);
    net.backward(trace, wish.clone());
    for (Projection.Parameter p :
        new Projection.Parameter[] {net.w, net.b, net.v, net.c, net.gain, net.shift}) {
      for (int k = 0; k < p.value.length; k += 3) {
        float kept = p.value[k];
        float h = 1e-2f;
        p.value[k] = kept + h;
        double up = Dense.dot(net.embed(input), 0, wish, 0, 5);
        p.value[k] = kept - h;
        double down = Dense.dot(net.embed(input), 0, wish, 0, 5);
        p.value[k] = kept;
        assertThat(p.gradient[k]).isCloseTo((float) ((up - down) / (2 * h)), within(2e-2f));
      }
    }
  }

  @Test
  void classifiersByGradientReachTheClosedFormOnSeparableCounts() {
    RandomGenerator random = new Seeds(5).stream("classifiers");
    Counts counts = new Counts(90, 12);
    int[] labels = new int[90];
    for (int i = 0; i < 90; i++) {
      labels[i] = i % 3;
      float[] row = new float[12];
      for (int j = 0; j < 12; j++) {
        row[j] = random.nextInt(5) + (j % 3 == labels[i] ? 4 : 0);
      }
      counts.set(i, row);
    }
    assertThat(RidgeReadout.fit(counts, labels, 3, .1)[0].predict(counts)).isEqualTo(labels);
    for (int hidden : new int[] {0, 8}) {
      GradientReadout model =
          GradientReadout.fit(
              counts,
              labels,
              3,
              new GradientReadout.Settings(hidden, 500, 10, 1e-2, 0),
              new Seeds(6).stream("fit"));
      assertThat(model.predict(counts)).isEqualTo(labels);
      assertThat(model.parameters()).isEqualTo(hidden == 0 ? 39 : 12 * 8 + 8 + 27);
    }
    assertThat(Prototypes.fit(counts, labels, 3).predict(counts)).isEqualTo(labels);
  }

  @Test
  void contrastiveTrainingBringsClassesTogether() {
    RandomGenerator random = new Seeds(3).stream("pairs");
    float[][] images = new float[60][8];
    float[][] sounds = new float[60][6];
    int[] labels = new int[60];
    for (int i = 0; i < 60; i++) {
      labels[i] = i % 3;
      images[i] = row(random, 8);
      sounds[i] = row(random, 6);
      images[i][labels[i]] += 3;
      sounds[i][labels[i]] += 3;
    }
    for (Contrastive.Loss loss :
        new Contrastive.Loss[] {new Contrastive.Loss.Soft(1), new Contrastive.Loss.Normalised(5)}) {
      Contrastive model =
          Contrastive.train(
              images,
              labels,
              sounds,
              labels,
              new Contrastive.Settings(8, 8, 60, 3e-3, 0, loss),
              new Seeds(4).stream("train"),
              _ -> {});
      int right = 0;
      for (int i = 0; i < 60; i++) {
        float[] s = model.sounds().embed(sounds[i]);
        int best = 0;
        double most = -1e9;
        for (int j = 0; j < 60; j++) {
          float[] e = model.images().embed(images[j]);
          double like = Dense.dot(s, 0, e, 0, 8) / Math.sqrt(Dense.dot(e, 0, e, 0, 8));
          if (like > most) {
            most = like;
            best = j;
          }
        }
        right += labels[best] == labels[i] ? 1 : 0;
      }
      assertThat(right).as("%s", loss).isGreaterThan(36);
    }
  }

  private static float[] row(RandomGenerator random, int n) {
    float[] out = new float[n];
    for (int i = 0; i < n; i++) {
      out[i] = (float) random.nextGaussian();
    }
    return out;
  }
}
