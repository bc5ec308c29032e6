package io.spillway.planner.cost;

import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Seconds of collective operations over the real links of a cluster.
///
/// A group runs as a ring, the members of one node beside each other. Between nodes a ring uses as
/// many rails as it has members on the node, and shares the node's rails with the other rings that
/// leave it at the same time. The slowest link of the ring carries every byte.
public final class Collectives {
  private final Cluster cluster;

  public Collectives(Cluster cluster) {
    this.cluster = cluster;
  }

  /// The ring of a group: its slowest rate inside and between nodes and the latency of one step.
  ///
  /// @param inside bytes per second of the slowest link within nodes, infinite if there is none
  /// @param between of the slowest link between nodes, with its share of the rails
  /// @param alpha latency of the slowest step
  public record Ring(int size, double inside, double between, double alpha) {
    /// All-reduce of `bytes` on each member.
    public double allReduce(double bytes, double insideShare, double betweenShare) {
      return 2 * half(bytes, insideShare, betweenShare);
    }

    /// Reduce-scatter or all-gather of `bytes` in all.
    public double half(double bytes, double insideShare, double betweenShare) {
      if (size <= 1) {
        return 0;
      }
      double slowest = Math.min(inside * insideShare, between * betweenShare);
      double steps = Math.ceil(Math.log(size) / Math.log(2));
      return (size - 1.0) / size * bytes / slowest + steps * alpha;
    }

    /// All-to-all where each member keeps `bytes`.
    public double allToAll(double bytes, double insideShare, double betweenShare) {
      return half(bytes, insideShare, betweenShare);
    }
  }

  /// The ring over `gpus`.
  ///
  /// @param ringsOfNode how many rings of the same kind leave each node at the same time
  public Ring ring(int[] gpus, int[] ringsOfNode) {
    if (gpus.length <= 1) {
      return new Ring(gpus.length, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, 0);
    }
    Map<Integer, List<Integer>> byNode = new LinkedHashMap<>();
    for (int gpu : gpus) {
      byNode.computeIfAbsent(cluster.nodeOf(gpu), k -> new ArrayList<>()).add(gpu);
    }
    double inside = Double.POSITIVE_INFINITY;
    double alpha = 0;
    for (List<Integer> members : byNode.values()) {
      for (int i = 1; i < members.size(); i++) {
        Link link = cluster.link(members.get(i - 1), members.get(i));
        inside = Math.min(inside, link.beta().bytesPerSecond());
        alpha = Math.max(alpha, link.alpha().seconds());
      }
    }
    double between = Double.POSITIVE_INFINITY;
    if (byNode.size() > 1) {
      Integer[] nodes = byNode.keySet().toArray(Integer[]::new);
      int rails = cluster.network().rails();
      for (int i = 0; i < nodes.length; i++) {
        int a = nodes[i];
        int b = nodes[(i + 1) % nodes.length];
        Link link = cluster.between(a, b);
        int members = Math.min(count(byNode, a), count(byNode, b));
        int rings = Math.max(ringsOfNode[a], ringsOfNode[b]);
        double lanes = Math.min(Math.min(rails, members), (double) rails / Math.max(1, rings));
        between = Math.min(between, link.beta().bytesPerSecond() * lanes);
        alpha = Math.max(alpha, link.alpha().seconds());
      }
    }
    return new Ring(gpus.length, inside, between, alpha);
  }

  private static int count(Map<Integer, List<Integer>> byNode, int node) {
    return byNode.getOrDefault(node, List.of()).size();
  }

  /// For every node, how many of `groups` have members on it and elsewhere.
  public int[] ringsOfNode(List<int[]> groups) {
    int[] rings = new int[cluster.nodes().size()];
    for (int[] group : groups) {
      java.util.Set<Integer> nodes = new java.util.HashSet<>();
      for (int gpu : group) {
        nodes.add(cluster.nodeOf(gpu));
      }
      if (nodes.size() > 1) {
        nodes.forEach(n -> rings[n]++);
      }
    }
    return rings;
  }
}
