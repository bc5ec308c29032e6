package io.spillway.planner.measure;

import io.spillway.platform.hardware.Link;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import java.util.ArrayList;
import java.util.List;

/// Measured times of messages between all pairs of processes.
///
/// **Units:** bytes and seconds. **Shapes:** seconds `[from][to][size]`; the diagonal is 0.
public record LinkProfile(List<Long> sizes, double[][][] seconds) {
  public LinkProfile {
    sizes = List.copyOf(sizes);
  }

  /// The middle of profiles of the same sizes, time by time.
  public static LinkProfile middle(List<LinkProfile> all) {
    int n = all.getFirst().processes();
    int sizes = all.getFirst().sizes().size();
    double[][][] middle = new double[n][n][sizes];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        for (int s = 0; s < sizes; s++) {
          int from = i;
          int to = j;
          int size = s;
          middle[i][j][s] =
              LinkProfiler.median(
                  all.stream().mapToDouble(p -> p.seconds[from][to][size]).toArray());
        }
      }
    }
    return new LinkProfile(all.getFirst().sizes(), middle);
  }

  public int processes() {
    return seconds.length;
  }

  /// The link from one process to another: the measured curve with the straight line that fits it.
  public Link link(int from, int to) {
    List<Link.Point> points = new ArrayList<>();
    double latest = 0;
    for (int i = 0; i < sizes.size(); i++) {
      // noise may let a longer message seem faster; time never falls with size
      latest = Math.max(latest, seconds[from][to][i]);
      points.add(new Link.Point(new Bytes(sizes.get(i)), new Seconds(latest)));
    }
    return Link.fitted(points);
  }

  /// Rates at one of the sizes, bytes per second.
  public double[][] rates(int size) {
    double[][] rates = new double[processes()][processes()];
    for (int i = 0; i < rates.length; i++) {
      for (int j = 0; j < rates.length; j++) {
        rates[i][j] = i == j ? 0 : sizes.get(size) / seconds[i][j][size];
      }
    }
    return rates;
  }
}
