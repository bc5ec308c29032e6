package io.spillway.platform.hardware;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.yaml.Default;
import java.util.List;

/// What joins the nodes of a cluster.
///
/// @param link between two nodes where nothing was measured; its alpha holds for measured pairs too
/// @param rails how many of a node's accelerators can talk to other nodes at full rate at once
/// @param measured matrices of measured rates, one for each message size, by rising size
/// @param asymmetry how far the two directions of a pair may differ, relative to the faster one
public record Network(
    Link link,
    @Default("1") int rails,
    @Default("[]") List<Measured> measured,
    @Default("0.5") double asymmetry) {

  /// Rates between all nodes at one message size, GB/s, `[from, to]`, in the order of the nodes.
  public record Measured(@Default("30 MiB") Bytes size, List<List<Double>> gigabytesPerSecond) {
    public Measured {
      if (size.bytes() == 0) {
        throw SpillwayException.badInput("rates of messages of 0 bytes");
      }
      gigabytesPerSecond = gigabytesPerSecond.stream().map(List::copyOf).toList();
    }
  }

  public Network {
    if (rails < 1) {
      throw SpillwayException.badInput("rails is %d, at least 1 is needed", rails);
    }
    if (!(asymmetry >= 0 && asymmetry <= 1)) {
      throw SpillwayException.badInput("asymmetry is %s, 0 to 1 is accepted", asymmetry);
    }
    measured = List.copyOf(measured);
    for (int i = 1; i < measured.size(); i++) {
      if (measured.get(i).size().compareTo(measured.get(i - 1).size()) <= 0) {
        throw SpillwayException.badInput(
            "measured sizes must rise; %s follows %s",
            measured.get(i).size(), measured.get(i - 1).size());
      }
    }
  }

  public static Network of(Link link, int rails) {
    return new Network(link, rails, List.of(), BandwidthMatrix.USUAL_ASYMMETRY);
  }

  /// A network with one measured matrix.
  public static Network of(
      Link link, int rails, Bytes size, BandwidthMatrix matrix, double asymmetry) {
    return new Network(
        link, rails, List.of(new Measured(size, NetworkMatrices.rows(matrix))), asymmetry);
  }
}
