package io.spillway.planner.importer;

import io.spillway.platform.hardware.BandwidthMatrix;
import io.spillway.platform.hardware.Link;

/// What a tool's output says about links.
public sealed interface Imported {
  /// Rates between nodes.
  record Nodes(BandwidthMatrix matrix) implements Imported {}

  /// Rates between the accelerators of one node.
  record Devices(BandwidthMatrix matrix) implements Imported {}

  /// One link, fitted to a collective's times.
  ///
  /// @param ranks how many took part, 0 if the output does not tell
  record Curve(Link link, int ranks) implements Imported {}
}
