package io.spillway.planner.output;

import io.spillway.planner.Placement;
import io.spillway.platform.hardware.Cluster;
import java.util.ArrayList;
import java.util.List;

/// The hosts in the order of ranks. Frameworks number ranks host by host, so that listing the hosts
/// in this order realises a placement without any change to them, as long as each host's ranks are
/// neighbours; else every rank is started by its own line.
///
/// @param hosts one entry for each rank
/// @param devices the local accelerator of each rank
/// @param wholeHosts whether each host's ranks are neighbours and use its devices in order
public record HostOrder(List<String> hosts, List<Integer> devices, boolean wholeHosts) {
  public static HostOrder of(Cluster cluster, Placement placement) {
    List<String> hosts = new ArrayList<>();
    List<Integer> devices = new ArrayList<>();
    boolean whole = true;
    for (int rank = 0; rank < placement.size(); rank++) {
      int gpu = placement.gpu(rank);
      int node = cluster.nodeOf(gpu);
      int local = cluster.localIndex(gpu);
      hosts.add(cluster.nodes().get(node).name());
      devices.add(local);
      boolean next =
          local == 0
              || rank > 0
                  && placement.gpu(rank - 1) == gpu - 1
                  && cluster.nodeOf(placement.gpu(rank - 1)) == node;
      whole &= next;
    }
    return new HostOrder(List.copyOf(hosts), List.copyOf(devices), whole);
  }

  /// Each host once, in the order of its first rank.
  public List<String> distinctHosts() {
    return hosts.stream().distinct().toList();
  }
}
