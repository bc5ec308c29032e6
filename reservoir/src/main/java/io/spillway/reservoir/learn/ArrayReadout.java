package io.spillway.reservoir.learn;

import io.spillway.reservoir.crossbar.Converters;
import io.spillway.reservoir.crossbar.Crossbar;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.reservoir.crossbar.DevicePresets;
import java.util.random.RandomGenerator;

/// A linear readout whose weights are programmed into resistive memory: what a recording's scores
/// become with errors of programming, drift, noise of reading, drivers and converters.
///
/// Scaled counts of a recording are driven as shares of the largest of them; weights lie on the
/// device's range by the largest of all. Scale and bias are applied to the converted results, as
/// numbers.
public final class ArrayReadout implements Classifier {
  private final RidgeReadout trained;
  private final Crossbar crossbar;
  private final float largestWeight;
  private final double unit;
  private final RandomGenerator random;

  private ArrayReadout(
      RidgeReadout trained, Crossbar crossbar, float largestWeight, RandomGenerator random) {
    this.trained = trained;
    this.crossbar = crossbar;
    this.largestWeight = largestWeight;
    DeviceModel model = crossbar.model();
    this.unit = 1 / (model.gMax() - model.gMin());
    this.random = random;
  }

  /// Programs the weights once; `random` also gives the noise of every reading.
  public static ArrayReadout program(
      RidgeReadout trained, DeviceModel model, RandomGenerator random) {
    int classes = trained.classes();
    int features = trained.scaling().mean().length;
    float largest = 1e-20f;
    for (float[] row : trained.weights()) {
      for (float w : row) {
        largest = Math.max(largest, Math.abs(w));
      }
    }
    float[] flat = new float[Math.multiplyExact(features, classes)];
    for (int c = 0; c < classes; c++) {
      for (int i = 0; i < features; i++) {
        flat[i * classes + c] = trained.weights()[c][i] / largest;
      }
    }
    return new ArrayReadout(
        trained, Crossbar.program(model, features, classes, flat, random), largest, random);
  }

  /// The device of that name for a readout: presets get the drivers and converters that users of
  /// IBM's analog hardware kit know, files say what they have.
  public static DeviceModel device(String name) {
    DeviceModel model = DevicePresets.named(name);
    return DevicePresets.names().contains(model.name())
        ? model.withConverters(Converters.PRESET)
        : model;
  }

  /// One recording after the other, so that the noise of reading is that of their order.
  @Override
  public int[] predict(Counts counts) {
    int[] out = new int[counts.size()];
    float[] row = new float[counts.width()];
    for (int i = 0; i < out.length; i++) {
      counts.copy(i, row);
      out[i] = Dense.argmax(scores(row));
    }
    return out;
  }

  @Override
  public float[] scores(float[] counts) {
    float[] row = counts.clone();
    trained.scaling().apply(row);
    float largest = 1e-20f;
    for (float v : row) {
      largest = Math.max(largest, Math.abs(v));
    }
    for (int i = 0; i < row.length; i++) {
      row[i] /= largest;
    }
    float[] out = crossbar.multiply(row, unit, random);
    for (int c = 0; c < out.length; c++) {
      out[c] = out[c] * largest * largestWeight + trained.bias()[c];
    }
    return out;
  }
}
