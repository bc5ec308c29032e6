package io.spillway.platform.hardware;

import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.BytesPerSecond;
import io.spillway.platform.units.Seconds;
import io.spillway.platform.yaml.Default;
import java.util.List;

/// A connection that needs `alpha` seconds to begin and then moves `beta` bytes per second; where
/// times were measured at several sizes, they take the place of the straight line.
///
/// @param alpha time of an empty message
/// @param beta rate of a long message, in one direction
/// @param curve measured times by rising size; empty for the straight line
public record Link(Seconds alpha, BytesPerSecond beta, @Default("[]") List<Point> curve) {
  /// One measured message.
  public record Point(Bytes size, Seconds time) {}

  public Link {
    if (!(beta.bytesPerSecond() > 0)) {
      throw SpillwayException.badInput("a link with beta %s, it must be above 0", beta);
    }
    curve = List.copyOf(curve);
    for (int i = 1; i < curve.size(); i++) {
      Point before = curve.get(i - 1);
      Point at = curve.get(i);
      if (at.size().bytes() <= before.size().bytes()
          || at.time().seconds() < before.time().seconds()) {
        throw SpillwayException.badInput(
            "a link's curve must rise in size and time; %s in %s follows %s in %s",
            at.size(), at.time(), before.size(), before.time());
      }
    }
  }

  public static Link of(double alphaSeconds, double bytesPerSecond) {
    return new Link(new Seconds(alphaSeconds), new BytesPerSecond(bytesPerSecond), List.of());
  }

  /// The straight line that fits measured times best by relative error, with a latency of at least
  /// 0, beside the points themselves.
  public static Link fitted(List<Point> measured) {
    if (measured.isEmpty()) {
      throw SpillwayException.badInput("a link without measured points");
    }
    double sw = 0;
    double sx = 0;
    double sy = 0;
    double sxx = 0;
    double sxy = 0;
    for (Point p : measured) {
      double w = 1 / Math.max(1e-24, p.time().seconds() * p.time().seconds());
      sw += w;
      sx += w * p.size().bytes();
      sy += w * p.time().seconds();
      sxx += w * p.size().bytes() * (double) p.size().bytes();
      sxy += w * p.size().bytes() * p.time().seconds();
    }
    double determinant = sw * sxx - sx * sx;
    double slope = determinant > 1e-9 * sw * sxx ? (sw * sxy - sx * sy) / determinant : sxy / sxx;
    double alpha = determinant > 1e-9 * sw * sxx ? (sy - slope * sx) / sw : 0;
    if (alpha < 0 || !(slope > 0)) {
      alpha = 0;
      slope = sxy / sxx;
    }
    // times that do not rise with size tell no rate; it is at most a hundred times what was seen
    Point largest = measured.getLast();
    slope = Math.max(slope, 0.01 * largest.time().seconds() / largest.size().bytes());
    return new Link(new Seconds(alpha), new BytesPerSecond(1 / slope), measured);
  }

  /// Seconds that a message of `bytes` takes.
  public double seconds(double bytes) {
    if (curve.isEmpty()) {
      return alpha.seconds() + bytes / beta.bytesPerSecond();
    }
    Point first = curve.getFirst();
    Point last = curve.getLast();
    if (bytes <= first.size().bytes()) {
      double floor = Math.min(alpha.seconds(), first.time().seconds());
      return floor + (first.time().seconds() - floor) * bytes / first.size().bytes();
    }
    if (bytes >= last.size().bytes()) {
      return last.time().seconds() + (bytes - last.size().bytes()) / beta.bytesPerSecond();
    }
    int i = 1;
    while (curve.get(i).size().bytes() < bytes) {
      i++;
    }
    Point a = curve.get(i - 1);
    Point b = curve.get(i);
    double share = (bytes - a.size().bytes()) / (double) (b.size().bytes() - a.size().bytes());
    return a.time().seconds() + share * (b.time().seconds() - a.time().seconds());
  }

  /// The same link with every rate multiplied by `factor`; latency stays.
  public Link scaled(double factor) {
    List<Point> slower =
        curve.stream()
            .map(p ->
                new Point(
                    p.size(),
                    new Seconds(
                        alpha.seconds()
                            + Math.max(0, p.time().seconds() - alpha.seconds()) / factor)))
            .toList();
    return new Link(alpha, new BytesPerSecond(beta.bytesPerSecond() * factor), slower);
  }
}
