package io.spillway.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A small network on one machine: hosts as network namespaces that meet at a bridge, each behind
/// an uplink of its own rate in both directions (`tc tbf` on both ends of its veth pair).
///
/// Needs root and iproute2; [#whyNot] says what is missing. Closing removes everything.
///
/// **Units:** rates in bits per second, as `tc` counts them (Ethernet frames, so payload gets about
/// 95 %).
public final class NetworkNamespaces implements AutoCloseable {
  private static final int MTU = 1500;

  private final String name;
  private final int subnet;
  private final int hosts;
  private final Thread whenKilled = new Thread(this::remove);

  private NetworkNamespaces(String name, int subnet, int hosts) {
    this.name = name;
    this.subnet = subnet;
    this.hosts = hosts;
  }

  /// Why namespaces cannot be built here; empty if they can.
  public static Optional<String> whyNot() {
    if (!Files.isWritable(Path.of("/proc/self/ns"))
        && !"root".equals(System.getProperty("user.name"))) {
      return Optional.of("network namespaces need root");
    }
    for (String program : List.of("ip", "tc")) {
      if (Shell.run(List.of(program, "-V")).status() != 0) {
        return Optional.of(program + " of iproute2 is missing");
      }
    }
    String probe = "spw-probe-" + ProcessHandle.current().pid() % 10_000;
    Shell.Result made = Shell.run(List.of("ip", "netns", "add", probe));
    if (made.status() != 0) {
      return Optional.of("ip netns add: " + made.text());
    }
    Shell.must("ip netns del " + probe);
    return Optional.empty();
  }

  /// Builds one host for each rate.
  ///
  /// @param name at most 6 letters, part of the names of all that is made
  /// @param bitsPerSecond rate of each host's uplink, the same in both directions
  public static NetworkNamespaces build(String name, List<Long> bitsPerSecond) {
    if (!name.matches("[a-z]{1,6}")) {
      throw new IllegalArgumentException("a name of 1 to 6 letters is needed, not " + name);
    }
    NetworkNamespaces made =
        new NetworkNamespaces(
            name, 16 + (int) (ProcessHandle.current().pid() % 200), bitsPerSecond.size());
    made.remove(); // what a killed run left
    Runtime.getRuntime().addShutdownHook(made.whenKilled);
    try {
      Shell.must("ip link add " + made.bridge() + " type bridge");
      Shell.must("ip addr add " + made.master() + "/24 dev " + made.bridge());
      Shell.must("ip link set " + made.bridge() + " up");
      for (int i = 0; i < made.hosts; i++) {
        made.addHost(i, bitsPerSecond.get(i));
      }
      return made;
    } catch (RuntimeException e) {
      made.close();
      throw e;
    }
  }

  private void addHost(int i, long rate) {
    String host = host(i);
    String inner = name + i + "i";
    String outer = outer(i);
    Shell.must("ip netns add " + host);
    Shell.must("ip link add " + outer + " type veth peer name " + inner);
    Shell.must("ip link set " + inner + " netns " + host);
    Shell.must("ip link set " + outer + " master " + bridge() + " up");
    Shell.must("ip -n " + host + " addr add " + address(i) + "/24 dev " + inner);
    Shell.must("ip -n " + host + " link set " + inner + " up");
    Shell.must("ip -n " + host + " link set lo up");
    // BBR drains its connections for 200 ms every ten seconds to measure them, and connections that
    // rested a moment start slowly again: neither belongs to the link
    Shell.must("ip netns exec " + host + " sysctl -qw net.ipv4.tcp_congestion_control=reno");
    Shell.must("ip netns exec " + host + " sysctl -qw net.ipv4.tcp_slow_start_after_idle=0");
    // without segmentation offload, so that the shaper sees the frames that a wire would carry
    Shell.run(List.of("ethtool", "-K", outer, "tso", "off", "gso", "off", "gro", "off"));
    Shell.must("tc qdisc add dev " + outer + " root " + shape(rate));
    Shell.must("ip netns exec " + host + " tc qdisc add dev " + inner + " root " + shape(rate));
  }

  private static String shape(long rate) {
    // a burst of 2 ms lets timers of 250 Hz keep up; the queue holds 400 ms, more than TCP has
    // under
    // way, so that nothing is lost and no retransmission timer of 200 ms runs
    long burst = Math.max(16L * MTU, rate / 8 / 500);
    return "tbf rate " + rate + "bit burst " + burst + " latency 400ms";
  }

  /// How many hosts there are.
  public int hosts() {
    return hosts;
  }

  /// The words that start a program on host `i`.
  public List<String> enter(int i) {
    return List.of("ip", "netns", "exec", host(i));
  }

  /// The words that start each rank on a host of its own.
  public List<List<String>> enterAll() {
    List<List<String>> all = new ArrayList<>();
    for (int i = 0; i < hosts; i++) {
      all.add(enter(i));
    }
    return all;
  }

  /// The address of host `i`.
  public String address(int i) {
    return "10.213." + subnet + "." + (i + 1);
  }

  /// The machine's own address on the bridge.
  public String master() {
    return "10.213." + subnet + ".254";
  }

  private String bridge() {
    return name + "br" + subnet;
  }

  private String host(int i) {
    return name + "-" + subnet + "-" + i;
  }

  private String outer(int i) {
    return name + subnet + "o" + i;
  }

  @Override
  public void close() {
    remove();
    try {
      Runtime.getRuntime().removeShutdownHook(whenKilled);
    } catch (IllegalStateException shuttingDown) {
      // the hook is running
    }
  }

  private void remove() {
    for (int i = 0; i < hosts; i++) {
      Shell.run(List.of("ip", "link", "del", outer(i)));
      Shell.run(List.of("ip", "netns", "del", host(i)));
    }
    Shell.run(List.of("ip", "link", "del", bridge()));
  }
}
