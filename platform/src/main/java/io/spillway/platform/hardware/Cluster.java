package io.spillway.platform.hardware;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Nodes with accelerators and the links between them; accelerators are numbered node by node.
public final class Cluster {
  private static final int MOST_NODES = 4096;

  private final String name;
  private final List<Node> nodes;
  private final Network network;
  private final int[] nodeOf;
  private final int[] localIndex;
  private final Link[][] between;

  /// **Errors:** no nodes, two nodes of one name, matrices that do not fit the nodes.
  public Cluster(String name, List<Node> nodes, Network network) {
    this.name = name;
    this.nodes = List.copyOf(nodes);
    this.network = network;
    requireNodes(name, nodes.size());
    List<String> names = nodes.stream().map(Node::name).toList();
    if (new java.util.HashSet<>(names).size() < names.size()) {
      String twice =
          names.stream()
              .filter(n -> names.indexOf(n) != names.lastIndexOf(n))
              .findFirst()
              .orElseThrow();
      throw SpillwayException.badInput(
          "cluster '%s': the node name '%s' is given twice", name, twice);
    }
    nodeOf = new int[nodes.stream().mapToInt(Node::gpus).sum()];
    localIndex = new int[nodeOf.length];
    int gpu = 0;
    for (int i = 0; i < nodes.size(); i++) {
      for (int k = 0; k < nodes.get(i).gpus(); k++) {
        nodeOf[gpu] = i;
        localIndex[gpu++] = k;
      }
    }
    between = links(name, names, network);
  }

  private static void requireNodes(String name, int count) {
    if (count < 1 || count > MOST_NODES) {
      throw SpillwayException.badInput(
          "cluster '%s' has %d nodes, 1 to %d are accepted", name, count, MOST_NODES);
    }
  }

  /// Reads a cluster in YAML.
  ///
  /// **Errors:** with file, line and column, and the nearest known key.
  public static Cluster read(Path file) {
    return ClusterFile.read(file);
  }

  /// Parses YAML that came from `source`, a name for error messages.
  public static Cluster parse(String text, String source) {
    return ClusterFile.parse(text, source);
  }

  /// `count` equal nodes on an even network.
  public static Cluster even(
      String name, int count, int gpus, Accelerator accelerator, Link inside, Network network) {
    requireNodes(name, count);
    List<Node> nodes = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      nodes.add(new Node("node" + i, accelerator, gpus, inside, List.of()));
    }
    return new Cluster(name, nodes, network);
  }

  public String name() {
    return name;
  }

  public List<Node> nodes() {
    return nodes;
  }

  public Network network() {
    return network;
  }

  /// The number of accelerators.
  public int gpus() {
    return nodeOf.length;
  }

  /// The node that holds accelerator `gpu`.
  public int nodeOf(int gpu) {
    return nodeOf[gpu];
  }

  /// The accelerator's number within its node.
  public int localIndex(int gpu) {
    return localIndex[gpu];
  }

  public Accelerator accelerator(int gpu) {
    return nodes.get(nodeOf[gpu]).accelerator();
  }

  /// The link between two different accelerators.
  public Link link(int from, int to) {
    int a = nodeOf[from];
    int b = nodeOf[to];
    return a == b ? nodes.get(a).link(localIndex[from], localIndex[to]) : between[a][b];
  }

  /// The link between two different nodes.
  public Link between(int fromNode, int toNode) {
    return between[fromNode][toNode];
  }

  /// Whether all nodes hold the same number of accelerators.
  public boolean hasEvenNodes() {
    return nodes.stream().mapToInt(Node::gpus).distinct().count() == 1;
  }

  /// Rates of long messages between nodes, bytes per second, `[from, to]`, 0 on the diagonal.
  public double[][] rates() {
    double[][] rates = new double[nodes.size()][nodes.size()];
    for (int i = 0; i < rates.length; i++) {
      for (int j = 0; j < rates.length; j++) {
        rates[i][j] = i == j ? 0 : between[i][j].beta().bytesPerSecond();
      }
    }
    return rates;
  }

  /// The same nodes with other measured rates between them, bytes per second.
  public Cluster withRates(double[][] bytesPerSecond) {
    List<String> names = nodes.stream().map(Node::name).toList();
    BandwidthMatrix matrix = BandwidthMatrix.of(names, bytesPerSecond, 1.0, name);
    return new Cluster(
        name, nodes, Network.of(network.link(), network.rails(), new Bytes(1L << 40), matrix, 1.0));
  }

  /// The first `count` nodes.
  public Cluster firstNodes(int count) {
    return select(java.util.stream.IntStream.range(0, count).boxed().toList());
  }

  /// Some of the nodes, in the given order.
  public Cluster select(List<Integer> chosen) {
    List<Network.Measured> measured =
        network.measured().stream()
            .map(m ->
                new Network.Measured(
                    m.size(),
                    chosen.stream()
                        .map(i ->
                            chosen.stream().map(j -> m.gigabytesPerSecond().get(i).get(j)).toList())
                        .toList()))
            .toList();
    return new Cluster(
        name,
        chosen.stream().map(nodes::get).toList(),
        new Network(network.link(), network.rails(), measured, network.asymmetry()));
  }

  /// The cluster as YAML that [#parse] reads back.
  public String toYaml() {
    return ClusterFile.write(this);
  }

  private static Link[][] links(String name, List<String> names, Network network) {
    int n = names.size();
    List<BandwidthMatrix> matrices = new ArrayList<>();
    for (Network.Measured m : network.measured()) {
      if (m.gigabytesPerSecond().size() != n) {
        throw SpillwayException.badInput(
            "cluster '%s' has %d nodes and a matrix of %d rows",
            name, n, m.gigabytesPerSecond().size());
      }
      matrices.add(
          NetworkMatrices.check(
              m.gigabytesPerSecond(), names, network.asymmetry(), "cluster '" + name + "'"));
    }
    Link[][] links = new Link[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        links[i][j] = network.link();
        if (i != j && !matrices.isEmpty()) {
          links[i][j] = measuredLink(network, matrices, i, j);
        }
      }
    }
    return links;
  }

  private static Link measuredLink(Network network, List<BandwidthMatrix> matrices, int i, int j) {
    double alpha = network.link().alpha().seconds();
    if (matrices.size() == 1) {
      double size = network.measured().getFirst().size().bytes();
      double seconds = size / matrices.getFirst().rate(i, j);
      // a measured rate holds the latency; half of the time at most is taken for it
      double moving = Math.max(seconds - alpha, seconds / 2);
      return Link.of(alpha, size / moving);
    }
    List<Link.Point> points = new ArrayList<>();
    double latest = 0;
    for (int m = 0; m < matrices.size(); m++) {
      Bytes size = network.measured().get(m).size();
      // noise may let a longer message seem faster; time never falls with size
      latest = Math.max(latest, size.bytes() / matrices.get(m).rate(i, j));
      points.add(new Link.Point(size, new Seconds(latest)));
    }
    return Link.fitted(points);
  }
}
