package io.spillway.reservoir.energy;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.LiquidResponse;

/// Energy of one inference, from counted spikes and the constants of hardware.
///
/// Two accountings stand side by side. The group's own charges a fixed energy to each operation of
/// the array, an operation being a spike times its fan-out, against dense operations of a GPU. The
/// component view adds up the array's cells, drivers, converters and peripheral circuits.
///
/// **Source:** `gpuPicojoules` is 300 W over 624 TOPS, `arrayPicojoules` and `projectionPicojoules`
/// solve the group's earlier publication; component constants are typical published figures of 40
/// nm macros (ISAAC and NeuroSim class converters) and can be replaced.
///
/// @param gpuPicojoules of one digital operation
/// @param arrayPicojoules of one operation of the reservoir's array
/// @param projectionPicojoules of one operation of a projection on an array
/// @param readVolts voltage on a cell that is read
/// @param readNanoseconds how long it is read
/// @param meanMicrosiemens conductance of a cell that is read
/// @param driverFemtojoules of one row's driver for one spike
/// @param adcPicojoules of one column's conversion
/// @param peripheralPicojoules of adding and keeping one column's digital membrane for one step
public record EnergyModel(
    @Default("0.4808") double gpuPicojoules,
    @Default("0.22") double arrayPicojoules,
    @Default("0.0135") double projectionPicojoules,
    @Default("0.2") double readVolts,
    @Default("10") double readNanoseconds,
    @Default("14.247") double meanMicrosiemens,
    @Default("50") double driverFemtojoules,
    @Default("2") double adcPicojoules,
    @Default("0.1") double peripheralPicojoules) {
  /// The constants named above.
  public static final EnergyModel PUBLISHED =
      new EnergyModel(.4808, .22, .0135, .2, 10, 14.247, 50, 2, .1);

  public EnergyModel {
    for (double v :
        new double[] {
          gpuPicojoules,
          arrayPicojoules,
          projectionPicojoules,
          readVolts,
          readNanoseconds,
          meanMicrosiemens,
          driverFemtojoules,
          adcPicojoules,
          peripheralPicojoules
        }) {
      if (!(v >= 0) || v > 1e9) {
        throw SpillwayException.badInput("an energy constant of %s, 0 to 1e9 is possible", v);
      }
    }
  }

  /// Energy of one inference, in nanojoules.
  ///
  /// @param arrayOperations spikes times fan-out in the reservoir
  /// @param denseOperations operations of the same network without regard to spikes
  /// @param groupArray reservoir on the array, the group's accounting
  /// @param groupProjection readout on an array, the group's accounting
  /// @param groupDigital the whole network on a GPU, the group's accounting
  /// @param cells the array's cells, from voltage, time and conductance
  /// @param drivers row drivers
  /// @param converters column converters
  /// @param peripheral digital membranes
  public record Report(
      double arrayOperations,
      double denseOperations,
      double groupArray,
      double groupProjection,
      double groupDigital,
      double cells,
      double drivers,
      double converters,
      double peripheral) {
    /// Two networks side by side.
    public Report plus(Report other) {
      return new Report(
          arrayOperations + other.arrayOperations,
          denseOperations + other.denseOperations,
          groupArray + other.groupArray,
          groupProjection + other.groupProjection,
          groupDigital + other.groupDigital,
          cells + other.cells,
          drivers + other.drivers,
          converters + other.converters,
          peripheral + other.peripheral);
    }

    /// Digital over analog, by the group's accounting.
    public double groupRatio() {
      return groupDigital / (groupArray + groupProjection);
    }

    /// The components together.
    public double components() {
      return cells + drivers + converters + peripheral;
    }

    /// Digital over the components together.
    public double componentRatio() {
      return groupDigital / (components() + groupProjection);
    }
  }

  /// Energy of an inference with the spikes that were counted.
  ///
  /// @param inputs inputs of the liquid
  /// @param steps time steps
  /// @param outputs classes or width of the projection
  public Report of(
      LiquidConfig config, int inputs, int steps, int outputs, LiquidResponse response) {
    double n = config.neurons();
    double operations = response.additions();
    double dense = (inputs + n) * n * steps;
    double readout = n * config.segments() * outputs;
    double activeSteps = Math.min(steps, response.inputSpikes() + response.spikes());
    // both cells of a pair carry current: G V² t
    double cell = 2 * meanMicrosiemens * 1e-6 * readVolts * readVolts * readNanoseconds * 1e-9;
    double macros = Math.ceil(inputs / 512.0) + Math.ceil(n / 512.0);
    return new Report(
        operations,
        dense,
        operations * arrayPicojoules * 1e-3,
        readout * projectionPicojoules * 1e-3,
        (dense + readout) * gpuPicojoules * 1e-3,
        operations * cell * 1e9,
        (response.inputSpikes() + response.spikes()) * driverFemtojoules * 1e-6,
        activeSteps * n * macros * adcPicojoules * 1e-3,
        n * steps * peripheralPicojoules * 1e-3);
  }
}
