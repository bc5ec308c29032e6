package io.spillway.planner.measure;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerator;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.platform.hardware.Network;
import io.spillway.platform.hardware.Node;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Turns measured links between processes into a cluster that can be planned for: processes of one
/// host become the accelerators of one node.
public final class ProfiledCluster {
  /// Matrices of smaller messages would tell latency, which the link's alpha has already.
  private static final long SMALLEST_MATRIX = 64 << 10;

  private final LinkProfile profile;
  private final List<List<Integer>> hosts = new ArrayList<>();
  private final List<String> names = new ArrayList<>();

  /// @param hostOf the host of each process; equal texts mean the same host
  public ProfiledCluster(LinkProfile profile, List<String> hostOf) {
    this.profile = profile;
    Map<String, List<Integer>> byHost = new LinkedHashMap<>();
    for (int i = 0; i < hostOf.size(); i++) {
      byHost.computeIfAbsent(hostOf.get(i), h -> new ArrayList<>()).add(i);
    }
    byHost.forEach((host, processes) -> {
      hosts.add(processes);
      String plain = host.replaceAll("[ @].*", "");
      names.add(names.contains(plain) ? plain + "-" + names.size() : plain);
    });
  }

  /// The accelerator that a CUDA device's name means.
  ///
  /// **Errors:** none or several of the library fit.
  public static Accelerator accelerator(String deviceName) {
    String device = deviceName.toUpperCase(Locale.ROOT);
    List<Accelerator> fit =
        Accelerators.all().stream().filter(a -> device.contains(base(a))).toList();
    // GH200 holds H200 as well: the longest name is meant
    int longest = fit.stream().mapToInt(a -> base(a).length()).max().orElse(0);
    fit = fit.stream().filter(a -> base(a).length() == longest).toList();
    if (fit.size() == 1) {
      return fit.getFirst();
    }
    throw SpillwayException.badInput(
        "the device '%s' fits %s of the library; name one with --accelerator",
        deviceName, fit.isEmpty() ? "none" : fit.stream().map(Accelerator::name).toList());
  }

  private static String base(Accelerator accelerator) {
    return accelerator.name().toUpperCase(Locale.ROOT).replaceAll("-.*", "");
  }

  public Cluster build(String name, Accelerator accelerator) {
    List<Node> nodes = new ArrayList<>();
    for (int h = 0; h < hosts.size(); h++) {
      List<Integer> own = hosts.get(h);
      Link inside =
          own.size() == 1 ? Link.of(0, accelerator.peer().bytesPerSecond()) : mean(own, own);
      nodes.add(
          new Node(
              names.get(h),
              accelerator,
              own.size(),
              inside,
              own.size() > 2 ? pairs(own) : List.of()));
    }
    return new Cluster(name, nodes, network(nodes.getFirst().link()));
  }

  /// Rates at the largest size, both directions averaged, GB/s.
  private List<List<Double>> pairs(List<Integer> own) {
    double[][] rates = profile.rates(profile.sizes().size() - 1);
    List<List<Double>> rows = new ArrayList<>();
    for (int i : own) {
      List<Double> row = new ArrayList<>();
      for (int j : own) {
        row.add(i == j ? 0 : round((rates[i][j] + rates[j][i]) / 2 / 1e9));
      }
      rows.add(row);
    }
    return rows;
  }

  private Network network(Link inside) {
    if (hosts.size() == 1) {
      return Network.of(inside, 1);
    }
    List<Link> all = new ArrayList<>();
    for (int a = 0; a < hosts.size(); a++) {
      for (int b = 0; b < hosts.size(); b++) {
        if (a != b) {
          all.add(mean(hosts.get(a), hosts.get(b)));
        }
      }
    }
    double alpha = all.stream().mapToDouble(l -> l.alpha().seconds()).average().orElseThrow();
    double beta = all.stream().mapToDouble(l -> l.beta().bytesPerSecond()).average().orElseThrow();
    List<Network.Measured> measured = new ArrayList<>();
    for (int s = 0; s < profile.sizes().size(); s++) {
      if (profile.sizes().get(s) >= SMALLEST_MATRIX) {
        measured.add(new Network.Measured(new Bytes(profile.sizes().get(s)), matrix(s)));
      }
    }
    return new Network(Link.of(alpha, beta), 1, measured, 1.0);
  }

  private List<List<Double>> matrix(int size) {
    List<List<Double>> rows = new ArrayList<>();
    for (List<Integer> from : hosts) {
      List<Double> row = new ArrayList<>();
      for (List<Integer> to : hosts) {
        row.add(
            from.equals(to) ? 0 : round(profile.sizes().get(size) / seconds(from, to, size) / 1e9));
      }
      rows.add(row);
    }
    return rows;
  }

  private Link mean(List<Integer> from, List<Integer> to) {
    List<Link.Point> points = new ArrayList<>();
    double latest = 0;
    for (int s = 0; s < profile.sizes().size(); s++) {
      latest = Math.max(latest, seconds(from, to, s));
      points.add(new Link.Point(new Bytes(profile.sizes().get(s)), new Seconds(latest)));
    }
    return Link.fitted(points);
  }

  private double seconds(List<Integer> from, List<Integer> to, int size) {
    double sum = 0;
    int count = 0;
    for (int i : from) {
      for (int j : to) {
        if (i != j) {
          sum += profile.seconds()[i][j][size];
          count++;
        }
      }
    }
    return sum / count;
  }

  private static double round(double gigabytes) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.5g", gigabytes));
  }
}
