package io.spillway.simulator.system;

import io.spillway.platform.yaml.Default;

/// A crossbar between two levels; latencies in its own cycles.
///
/// @param width bytes moved per cycle
/// @param frontend cycles to accept a request
/// @param forward further cycles to pass a request on
/// @param response cycles to pass a response
/// @param header cycles that a packet's head holds the layer
/// @param lookup cycles of the snoop filter
/// @param clock its clock
public record Crossbar(
    @Default("32") int width,
    @Default("1") int frontend,
    @Default("0") int forward,
    @Default("1") int response,
    @Default("1") int header,
    @Default("0") int lookup,
    Clock clock) {
  public Crossbar {
    Require.powerOfTwo("crossbar width", width);
    Require.between("crossbar width", width, 1, 4096);
    Require.between("crossbar frontend", frontend, 0, 1000);
    Require.between("crossbar forward", forward, 0, 1000);
    Require.between("crossbar response", response, 0, 1000);
    Require.between("crossbar header", header, 0, 1000);
    Require.between("crossbar lookup", lookup, 0, 1000);
  }
}
