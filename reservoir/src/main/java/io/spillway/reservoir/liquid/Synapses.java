package io.spillway.reservoir.liquid;

import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.crossbar.Crossbar;
import io.spillway.reservoir.crossbar.DeviceModel;
import io.spillway.reservoir.crossbar.DevicePresets;
import java.util.random.RandomGenerator;

/// The two crossbars of a liquid, with their weights in units of the membrane.
///
/// Neurons are laid out in squares of 4 x 4 that follow each other in memory, so that a field of
/// neighbours is a few runs of sixteen.
final class Synapses {
  /// The spread of the published weights in µS, to which every device's weights are scaled.
  static final double PUBLISHED_SIGMA = 6.61329;

  /// Share of the sensor at each edge without neurons.
  private static final double MARGIN = .1;

  private final DeviceModel model;
  private final Crossbar input;
  private final Crossbar recurrent;
  private final float inputFactor;
  private final float recurrentFactor;

  Synapses(LiquidConfig config, Framing framing) {
    this(config, framing, DevicePresets.named(config.device()));
  }

  Synapses(LiquidConfig config, Framing framing, DeviceModel device) {
    model = config.noise() ? device : device.noiseless();
    Seeds seeds = new Seeds(config.seed());
    int n = config.neurons();
    checkMemory(n, framing.inputs());
    double unit = PUBLISHED_SIGMA / model.weightSigma();
    inputFactor = (float) (config.inputScale() * unit);
    recurrentFactor = (float) (config.recurrentScale() * unit);
    RandomGenerator choice = seeds.stream("recurrent-wiring");
    Crossbar.Mask inputMask = Crossbar.Mask.ALL;
    Crossbar.Mask recurrentMask = Crossbar.Mask.ALL;
    switch (config.wiring()) {
      case Wiring.Dense _ -> {}
      case Wiring.Local local -> {
        Grid grid = new Grid(framing, n);
        double reach = local.recurrentRadius() * local.recurrentRadius();
        inputMask = grid.fields(local.inputRadius());
        recurrentMask =
            (i, j) -> grid.square(i, j) <= reach && choice.nextDouble() < local.recurrentDensity();
      }
      case Wiring.Distance distance -> {
        Grid grid = new Grid(framing, n);
        double length = distance.length() * distance.length();
        inputMask = grid.fields(distance.inputRadius());
        recurrentMask =
            (i, j) ->
                choice.nextDouble() < distance.strength() * Math.exp(-grid.square(i, j) / length);
      }
    }
    input =
        Crossbar.fabricate(model, framing.inputs(), n, inputMask, seeds.stream("input-crossbar"));
    recurrent = Crossbar.fabricate(model, n, n, recurrentMask, seeds.stream("recurrent-crossbar"));
  }

  /// Refuses what the heap cannot hold before it is begun: two conductances a pair, and about as
  /// much again for the rows that are simulated.
  private static void checkMemory(int neurons, int inputs) {
    long pairs = ((long) neurons + inputs) * neurons;
    long heap = Runtime.getRuntime().maxMemory();
    if (pairs * 8 > heap * .9) {
      throw SpillwayException.doesNotFit(
          "%d neurons on %d inputs have %d pairs of cells, %d MiB; the heap has %d MiB: take fewer"
              + " neurons or give more with SPILLWAY_JAVA_OPTIONS=-Xmx",
          neurons, inputs, pairs, pairs * 8 >> 20, heap >> 20);
    }
  }

  /// Where each neuron lies over the inputs.
  private static final class Grid {
    private final Framing framing;
    private final double[] x;
    private final double[] y;

    Grid(Framing framing, int n) {
      this.framing = framing;
      x = new double[n];
      y = new double[n];
      int height = framing.rows();
      int width = framing.columns();
      double left = width * MARGIN;
      double top = height * MARGIN;
      if (height == 1) {
        for (int j = 0; j < n; j++) {
          x[j] = (j + .5) / n * width - .5;
          y[j] = 0;
        }
        return;
      }
      int squares = (n + 15) / 16;
      int across = (int) Math.ceil(Math.sqrt(squares));
      int down = (squares + across - 1) / across;
      for (int j = 0; j < n; j++) {
        int square = j / 16;
        int column = square % across * 4 + j % 4;
        int row = square / across * 4 + j % 16 / 4;
        x[j] = left + (column + .5) / (4 * across) * (width - 2 * left) - .5;
        y[j] = top + (row + .5) / (4 * down) * (height - 2 * top) - .5;
      }
    }

    /// The squared distance of two neurons.
    double square(int i, int j) {
      double dx = x[i] - x[j];
      double dy = y[i] - y[j];
      return dx * dx + dy * dy;
    }

    /// Cells of inputs within half a side of `radius` of a neuron.
    Crossbar.Mask fields(double radius) {
      return (i, j) -> {
        int place = i % (framing.rows() * framing.columns());
        return Math.abs(place % framing.columns() - x[j]) <= radius
            && Math.abs(place / framing.columns() - y[j]) <= radius;
      };
    }
  }

  DeviceModel model() {
    return model;
  }

  Crossbar input() {
    return input;
  }

  Crossbar recurrent() {
    return recurrent;
  }

  float inputWeight(int i, int j) {
    return input.weight(i, j) * inputFactor;
  }

  float inputVariance(int i, int j) {
    return input.readVariance(i, j) * inputFactor * inputFactor;
  }

  float recurrentWeight(int i, int j) {
    return recurrent.weight(i, j) * recurrentFactor;
  }

  float recurrentVariance(int i, int j) {
    return recurrent.readVariance(i, j) * recurrentFactor * recurrentFactor;
  }
}
