package io.spillway.reservoir.learn;

import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.protocol.Splits;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/// Two projections, one for each sense, trained so that recordings of one class meet.
///
/// [Loss.Soft] is the published loss: products over a temperature against soft targets from the
/// likeness within each sense, which are held constant here. [Loss.Normalised] has embeddings of
/// unit length, a learned scale, and counts every pair of one class in the batch as a match.
public final class Contrastive {
  /// Which loss is used.
  public sealed interface Loss {
    /// As published, with its temperature.
    record Soft(double temperature) implements Loss {
      public Soft {
        if (!(temperature > 0)) {
          throw SpillwayException.badInput("a temperature of %s, above 0 is possible", temperature);
        }
      }
    }

    /// Unit length and a learned scale that begins at `scale`.
    record Normalised(double scale) implements Loss {}
  }

  /// How to train.
  ///
  /// @param width of the embedding
  /// @param batch pairs in a step
  /// @param epochs passes over the pairs
  /// @param rate of Adam
  /// @param drop share of the branch dropped in training
  public record Settings(int width, int batch, int epochs, double rate, double drop, Loss loss) {
    public Settings {
      if (width < 1 || batch < 2 || epochs < 1 || !(rate > 0) || !(drop >= 0 && drop < 1)) {
        throw SpillwayException.badInput(
            "width %d, batch %d, %d epochs, rate %s, drop %s", width, batch, epochs, rate, drop);
      }
    }
  }

  private final Settings settings;
  private final Projection images;
  private final Projection sounds;
  private float logScale;
  private float scaleGradient;
  private int steps;

  private Contrastive(Settings settings, int imageInputs, int soundInputs, RandomGenerator random) {
    this.settings = settings;
    images = new Projection(imageInputs, settings.width(), random);
    sounds = new Projection(soundInputs, settings.width(), random);
    logScale = settings.loss() instanceof Loss.Normalised n ? (float) Math.log(n.scale()) : 0;
  }

  public Projection images() {
    return images;
  }

  public Projection sounds() {
    return sounds;
  }

  /// Trains on pairs: each sound with an image of its class, drawn anew each epoch.
  ///
  /// @param imageRows scaled counts, `[images][features]`
  /// @param soundRows scaled counts, `[sounds][features]`
  /// @param afterEpoch sees the model after each pass
  public static Contrastive train(
      float[][] imageRows,
      int[] imageLabels,
      float[][] soundRows,
      int[] soundLabels,
      Settings settings,
      RandomGenerator random,
      Consumer<Contrastive> afterEpoch) {
    Contrastive model = new Contrastive(settings, imageRows[0].length, soundRows[0].length, random);
    int[][] ofClass = new int[1 + java.util.Arrays.stream(imageLabels).max().orElse(0)][];
    for (int c = 0; c < ofClass.length; c++) {
      int wanted = c;
      ofClass[c] =
          java.util.stream.IntStream.range(0, imageLabels.length)
              .filter(i -> imageLabels[i] == wanted)
              .toArray();
    }
    for (int epoch = 0; epoch < settings.epochs(); epoch++) {
      int[] order = Splits.shuffled(soundRows.length, random);
      for (int from = 0; from + 1 < order.length; from += settings.batch()) {
        int size = Math.min(settings.batch(), order.length - from);
        if (size < 2) {
          break;
        }
        float[][] a = new float[size][];
        float[][] s = new float[size][];
        int[] labels = new int[size];
        for (int k = 0; k < size; k++) {
          int sound = order[from + k];
          int[] choice = ofClass[soundLabels[sound]];
          if (choice.length == 0) {
            throw SpillwayException.badInput("class %d has no images", soundLabels[sound]);
          }
          s[k] = soundRows[sound];
          a[k] = imageRows[choice[random.nextInt(choice.length)]];
          labels[k] = soundLabels[sound];
        }
        model.step(a, s, labels, random);
      }
      afterEpoch.accept(model);
    }
    return model;
  }

  private void step(float[][] a, float[][] s, int[] labels, RandomGenerator random) {
    int n = a.length;
    Projection.Trace[] ti = new Projection.Trace[n];
    Projection.Trace[] ts = new Projection.Trace[n];
    float[][] zi = new float[n][];
    float[][] zs = new float[n][];
    for (int k = 0; k < n; k++) {
      ti[k] = images.forward(a[k], random, settings.drop());
      ts[k] = sounds.forward(s[k], random, settings.drop());
      zi[k] = ti[k].out;
      zs[k] = ts[k].out;
    }
    float[][] gi = new float[n][settings.width()];
    float[][] gs = new float[n][settings.width()];
    gradients(zi, zs, labels, gi, gs);
    steps++;
    for (int k = 0; k < n; k++) {
      images.backward(ti[k], gi[k]);
      sounds.backward(ts[k], gs[k]);
    }
    images.step(settings.rate(), steps);
    sounds.step(settings.rate(), steps);
    if (settings.loss() instanceof Loss.Normalised) {
      logScale = Math.clamp(logScale - (float) settings.rate() * scaleGradient, 0, 4.6f);
    }
  }

  /// The loss of a batch; fills its gradients with respect to the embeddings.
  double gradients(float[][] zi, float[][] zs, int[] labels, float[][] gi, float[][] gs) {
    return switch (settings.loss()) {
      case Loss.Soft soft -> soft(zi, zs, soft.temperature(), gi, gs);
      case Loss.Normalised _ -> normalised(zi, zs, labels, gi, gs);
    };
  }

  private static double soft(
      float[][] zi, float[][] zs, double temperature, float[][] gi, float[][] gs) {
    int n = zi.length;
    double[][] logits = products(zi, zs, 1 / temperature);
    double[][] within = products(zi, zi, temperature / 2);
    double[][] other = products(zs, zs, temperature / 2);
    double[][] targets = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        targets[i][j] = within[i][j] + other[i][j];
      }
      softmax(targets[i]);
    }
    return entropy(logits, targets, zi, zs, 1 / temperature, gi, gs);
  }

  private double normalised(float[][] zi, float[][] zs, int[] labels, float[][] gi, float[][] gs) {
    int n = zi.length;
    float[] li = new float[n];
    float[] ls = new float[n];
    float[][] ui = unit(zi, li);
    float[][] us = unit(zs, ls);
    double scale = Math.exp(logScale);
    double[][] logits = products(ui, us, scale);
    double[][] targets = new double[n][n];
    for (int i = 0; i < n; i++) {
      int same = 0;
      for (int j = 0; j < n; j++) {
        same += labels[i] == labels[j] ? 1 : 0;
      }
      for (int j = 0; j < n; j++) {
        targets[i][j] = labels[i] == labels[j] ? 1.0 / same : 0;
      }
    }
    float[][] hi = new float[n][zi[0].length];
    float[][] hs = new float[n][zi[0].length];
    double loss = entropy(logits, targets, ui, us, scale, hi, hs);
    scaleGradient = 0;
    for (int k = 0; k < n; k++) {
      scaleGradient += Dense.dot(hi[k], 0, ui[k], 0, ui[k].length);
      tangent(hi[k], ui[k], li[k], gi[k]);
      tangent(hs[k], us[k], ls[k], gs[k]);
    }
    return loss;
  }

  private static void tangent(float[] h, float[] unit, float length, float[] out) {
    float along = Dense.dot(h, 0, unit, 0, unit.length);
    for (int k = 0; k < unit.length; k++) {
      out[k] += (h[k] - along * unit[k]) / length;
    }
  }

  private static float[][] unit(float[][] z, float[] lengths) {
    float[][] out = new float[z.length][];
    for (int i = 0; i < z.length; i++) {
      lengths[i] = (float) Math.sqrt(Dense.dot(z[i], 0, z[i], 0, z[i].length)) + 1e-6f;
      out[i] = z[i].clone();
      for (int k = 0; k < out[i].length; k++) {
        out[i][k] /= lengths[i];
      }
    }
    return out;
  }

  private static double[][] products(float[][] a, float[][] b, double factor) {
    double[][] out = new double[a.length][b.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < b.length; j++) {
        out[i][j] = factor * Dense.dot(a[i], 0, b[j], 0, a[i].length);
      }
    }
    return out;
  }

  private static void softmax(double[] row) {
    double largest = java.util.Arrays.stream(row).max().orElse(0);
    double sum = 0;
    for (int k = 0; k < row.length; k++) {
      row[k] = Math.exp(row[k] - largest);
      sum += row[k];
    }
    for (int k = 0; k < row.length; k++) {
      row[k] /= sum;
    }
  }

  /// Mean cross-entropy over rows and over columns of the logits against constant targets.
  private static double entropy(
      double[][] logits,
      double[][] targets,
      float[][] zi,
      float[][] zs,
      double factor,
      float[][] gi,
      float[][] gs) {
    int n = logits.length;
    double loss = 0;
    double[][] slope = new double[n][n];
    for (int i = 0; i < n; i++) {
      double[] row = logits[i].clone();
      double[] column = new double[n];
      double rowSum = 0;
      double columnSum = 0;
      for (int j = 0; j < n; j++) {
        column[j] = logits[j][i];
        rowSum += targets[i][j];
        columnSum += targets[j][i];
      }
      softmax(row);
      softmax(column);
      for (int j = 0; j < n; j++) {
        loss -= targets[i][j] * Math.log(Math.max(1e-30, row[j])) / (2 * n);
        loss -= targets[j][i] * Math.log(Math.max(1e-30, column[j])) / (2 * n);
        slope[i][j] += (rowSum * row[j] - targets[i][j]) / (2 * n);
        slope[j][i] += (columnSum * column[j] - targets[j][i]) / (2 * n);
      }
    }
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        float g = (float) (slope[i][j] * factor);
        Dense.axpy(g, zs[j], gi[i]);
        Dense.axpy(g, zi[i], gs[j]);
      }
    }
    return loss;
  }
}
