package io.spillway.reservoir.crossbar;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Default;

/// Everything that tells how an array of resistive memory behaves.
///
/// @param name shown in records and reports
/// @param fabricated the conductances before anything is programmed
/// @param gMin lowest conductance that programming reaches, in µS
/// @param gMax highest conductance, in µS; draws are held to it
/// @param programming error of programming
/// @param read noise redrawn at every read
/// @param drift change between programming and reading
/// @param stuckLow share of cells that stay at zero
/// @param stuckHigh share of cells that stay at `gMax`
/// @param wireOhms resistance of one wire segment between two cells, in ohms
/// @param converters drivers and converters around the array
/// @param tile rows and columns of one macro; larger matrices spread over several, whose results
///   are converted one by one and added as numbers
/// @param ageSeconds time between programming or forming and use, in which the drift acts
public record DeviceModel(
    String name,
    Fabricated fabricated,
    @Default("0") double gMin,
    double gMax,
    NoiseLaw programming,
    NoiseLaw read,
    Drift drift,
    @Default("0") double stuckLow,
    @Default("0") double stuckHigh,
    @Default("0") double wireOhms,
    Converters converters,
    @Default("512") int tile,
    @Default("0") double ageSeconds) {

  public DeviceModel {
    if (!(gMax > 0) || !(gMin >= 0) || gMin >= gMax) {
      throw SpillwayException.badInput(
          "conductances from %s to %s uS are impossible: 0 <= g_min < g_max", gMin, gMax);
    }
    if (!(stuckLow >= 0) || !(stuckHigh >= 0) || stuckLow + stuckHigh > 1) {
      throw SpillwayException.badInput(
          "%s stuck low and %s stuck high are impossible: shares of at most 1 together",
          stuckLow, stuckHigh);
    }
    if (!(wireOhms >= 0) || wireOhms > 1000) {
      throw SpillwayException.badInput("wires of %s ohms a cell, 0 to 1000 are possible", wireOhms);
    }
    if (!(ageSeconds >= 0) || ageSeconds > 1e10) {
      throw SpillwayException.badInput("an age of %s s, 0 to 1e10 is possible", ageSeconds);
    }
    if (tile < 1 || tile > 1 << 14) {
      throw SpillwayException.badInput("macros of %d rows, 1 to 16384 are possible", tile);
    }
  }

  /// The same array without noise, converters, wires, drift and stuck cells: only the conductances
  /// as fabricated remain.
  public DeviceModel noiseless() {
    return new DeviceModel(
        name + ", noiseless",
        fabricated,
        gMin,
        gMax,
        new NoiseLaw.None(),
        new NoiseLaw.None(),
        new Drift.None(),
        0,
        0,
        0,
        Converters.NONE,
        tile,
        0);
  }

  /// Another law of reading.
  public DeviceModel withRead(NoiseLaw other) {
    return new DeviceModel(
        name,
        fabricated,
        gMin,
        gMax,
        programming,
        other,
        drift,
        stuckLow,
        stuckHigh,
        wireOhms,
        converters,
        tile,
        ageSeconds);
  }

  /// Other converters.
  public DeviceModel withConverters(Converters other) {
    return new DeviceModel(
        name,
        fabricated,
        gMin,
        gMax,
        programming,
        read,
        drift,
        stuckLow,
        stuckHigh,
        wireOhms,
        other,
        tile,
        ageSeconds);
  }

  /// Other shares of stuck cells and another wire.
  public DeviceModel withDefects(double low, double high, double ohms) {
    return new DeviceModel(
        name,
        fabricated,
        gMin,
        gMax,
        programming,
        read,
        drift,
        low,
        high,
        ohms,
        converters,
        tile,
        ageSeconds);
  }

  /// Another distribution of the conductances.
  public DeviceModel withFabricated(Fabricated other) {
    return new DeviceModel(
        name,
        other,
        gMin,
        gMax,
        programming,
        read,
        drift,
        stuckLow,
        stuckHigh,
        wireOhms,
        converters,
        tile,
        ageSeconds);
  }

  /// Standard deviation of a differential pair's weight as fabricated, in µS.
  public double weightSigma() {
    return fabricated.sigma() * Math.sqrt(2);
  }
}
