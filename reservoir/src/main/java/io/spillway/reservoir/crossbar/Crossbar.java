package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import java.util.random.RandomGenerator;

/// A matrix of differential pairs: weight `(i, j)` is the difference of two conductances.
///
/// **Shapes:** both conductance planes are `[rows, columns]`, row by row. **Units:** microsiemens.
public final class Crossbar {
  private static final int LARGEST = 1 << 28;

  private final DeviceModel model;
  private final int rows;
  private final int columns;
  private final float[] plus;
  private final float[] minus;

  private Crossbar(DeviceModel model, int rows, int columns, float[] plus, float[] minus) {
    this.model = model;
    this.rows = rows;
    this.columns = columns;
    this.plus = plus;
    this.minus = minus;
  }

  /// Which pairs of a matrix are formed at all.
  @FunctionalInterface
  public interface Mask {
    /// Every pair.
    Mask ALL = (row, column) -> true;

    boolean formed(int row, int column);
  }

  /// An array as it leaves the fab: random conductances, then what programming, defects, age and
  /// wires make of them. Pairs that the mask leaves out conduct nothing.
  public static Crossbar fabricate(
      DeviceModel model, int rows, int columns, Mask mask, RandomGenerator random) {
    int size = size(rows, columns);
    float[] plus = new float[size];
    float[] minus = new float[size];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        if (mask.formed(i, j)) {
          int at = i * columns + j;
          plus[at] = (float) later(model, model.fabricated().draw(random), random);
          minus[at] = (float) later(model, model.fabricated().draw(random), random);
        }
      }
    }
    Crossbar crossbar = new Crossbar(model, rows, columns, plus, minus);
    crossbar.applyWires();
    return crossbar;
  }

  /// An array programmed to given weights: the larger side of each pair carries the weight.
  ///
  /// @param weights `[rows * columns]`, in -1..1 of the conductance range
  public static Crossbar program(
      DeviceModel model, int rows, int columns, float[] weights, RandomGenerator random) {
    int size = size(rows, columns);
    if (weights.length != size) {
      throw SpillwayException.badInput(
          "%d weights for an array of %d x %d", weights.length, rows, columns);
    }
    double range = model.gMax() - model.gMin();
    float[] plus = new float[size];
    float[] minus = new float[size];
    for (int i = 0; i < size; i++) {
      double w = Math.clamp(weights[i], -1f, 1f);
      plus[i] = (float) later(model, model.gMin() + range * Math.max(0, w), random);
      minus[i] = (float) later(model, model.gMin() + range * Math.max(0, -w), random);
    }
    Crossbar crossbar = new Crossbar(model, rows, columns, plus, minus);
    crossbar.applyWires();
    return crossbar;
  }

  private static int size(int rows, int columns) {
    if (rows < 1 || columns < 1 || (long) rows * columns > LARGEST) {
      throw SpillwayException.badInput(
          "a crossbar of %d x %d is not possible, 1 to %d pairs are", rows, columns, LARGEST);
    }
    return rows * columns;
  }

  /// A cell after programming, with its defects and the drift until its age.
  private static double later(DeviceModel model, double target, RandomGenerator random) {
    if (model.stuckLow() + model.stuckHigh() > 0) {
      double chance = random.nextDouble();
      if (chance < model.stuckLow()) {
        return 0;
      }
      if (chance < model.stuckLow() + model.stuckHigh()) {
        return model.gMax();
      }
    }
    double sigma = model.programming().sigma(target);
    double g = sigma > 0 ? random.nextGaussian(target, sigma) : target;
    double settled = Math.clamp(g, 0, model.gMax());
    if (model.ageSeconds() == 0 || settled == 0) {
      return settled;
    }
    double drifted = model.drift().after(settled, model.ageSeconds(), model.gMax(), random);
    return Math.clamp(drifted, 0, model.gMax());
  }

  /// The voltage lost along the wires, to first order: a cell sees its own conductance in series
  /// with the segments from the driver and to the converter of its macro.
  private void applyWires() {
    if (model.wireOhms() == 0) {
      return;
    }
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        int segments = 1 + j % model.tile() + (Math.min(rows, model.tile()) - i % model.tile());
        double loss = model.wireOhms() * segments * 1e-6; // per µS
        int at = i * columns + j;
        plus[at] /= (float) (1 + plus[at] * loss);
        minus[at] /= (float) (1 + minus[at] * loss);
      }
    }
  }

  public DeviceModel model() {
    return model;
  }

  public int rows() {
    return rows;
  }

  public int columns() {
    return columns;
  }

  public float plus(int row, int column) {
    return plus[row * columns + column];
  }

  public float minus(int row, int column) {
    return minus[row * columns + column];
  }

  /// The difference of a pair.
  public float weight(int row, int column) {
    int at = row * columns + column;
    return plus[at] - minus[at];
  }

  /// Variance of one read of a pair; unformed cells are silent.
  public float readVariance(int row, int column) {
    int at = row * columns + column;
    return (float) (square(plus[at]) + square(minus[at]));
  }

  private double square(float g) {
    double sigma = g == 0 ? 0 : model.read().sigma(g);
    return sigma * sigma;
  }

  /// Reads every cell once with the noise of reading, for maps and statistics.
  public float[] readPlus(RandomGenerator random) {
    float[] out = new float[plus.length];
    for (int i = 0; i < out.length; i++) {
      double sigma = plus[i] == 0 ? 0 : model.read().sigma(plus[i]);
      out[i] = (float) Math.max(0, plus[i] + sigma * random.nextGaussian());
    }
    return out;
  }

  /// Input times weights as the hardware gives it: drivers, bit by bit if asked, macro by macro,
  /// each with the noise of reading, bound and converter.
  ///
  /// @param input `[rows]` in -1..1
  /// @param scale factor from µS to the units of the output
  /// @return `[columns]`
  public float[] multiply(float[] input, double scale, RandomGenerator random) {
    if (input.length != rows) {
      throw SpillwayException.badInput("%d inputs for %d rows", input.length, rows);
    }
    Converters converters = model.converters();
    float[] out = new float[columns];
    if (!converters.bitSerial()) {
      double[] applied = new double[rows];
      for (int i = 0; i < rows; i++) {
        applied[i] = converters.input(input[i]);
      }
      accumulate(applied, 1, scale, out, random);
      return out;
    }
    int bits = Math.max(1, converters.dacBits() - 1);
    int levels = (1 << bits) - 1;
    for (int bit = 0; bit < bits; bit++) {
      double[] applied = new double[rows];
      for (int i = 0; i < rows; i++) {
        int code = (int) Math.rint(Math.clamp(Math.abs(input[i]), 0f, 1f) * levels);
        applied[i] = (code >> bit & 1) * Math.signum(input[i]);
      }
      accumulate(applied, (1 << bit) / (double) levels, scale, out, random);
    }
    return out;
  }

  private void accumulate(
      double[] applied, double factor, double scale, float[] out, RandomGenerator random) {
    Converters converters = model.converters();
    int tile = model.tile();
    for (int from = 0; from < rows; from += tile) {
      int to = Math.min(rows, from + tile);
      for (int j = 0; j < columns; j++) {
        double sum = 0;
        double variance = 0;
        for (int i = from; i < to; i++) {
          if (applied[i] != 0) {
            sum += applied[i] * weight(i, j);
            variance += applied[i] * applied[i] * readVariance(i, j);
          }
        }
        double noise = variance > 0 ? Math.sqrt(variance) * random.nextGaussian() : 0;
        double peripheral =
            converters.outputNoise() > 0 ? converters.outputNoise() * random.nextGaussian() : 0;
        out[j] += (float) (factor * converters.output((sum + noise) * scale + peripheral));
      }
    }
  }
}
