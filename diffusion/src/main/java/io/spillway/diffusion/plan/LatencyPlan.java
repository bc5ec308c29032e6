package io.spillway.diffusion.plan;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.Site;
import io.spillway.diffusion.parallel.WireBytes;
import io.spillway.platform.SpillwayException;
import java.util.List;
import java.util.Optional;

/// Predicts the latency of one image on n devices from what was measured on one or two.
///
/// A strip computes for `floor + share x work` seconds, where floor does not shrink with the strip
/// (launches, small matrices) and work does. A synchronous step adds every exchange; a displaced
/// one hides them: max(compute (1 + slowdown), exchanges) + the gather of the prediction.
///
/// @param stepSeconds one device's whole step, measured
/// @param floorSeconds the part of it that does not shrink, measured by one rank's strip shapes
/// @param slowdown how much slower a strip computes while a link is busy, measured by replaying
/// @param link what two devices measured
/// @param numberBytes of an activation
public record LatencyPlan(
    Workload workload,
    double stepSeconds,
    double floorSeconds,
    double slowdown,
    Link link,
    int numberBytes) {
  /// Messages that the layers of a displaced step share, for each kind of value.
  private static final int MESSAGES = 8;

  /// A point-to-point or collective exchange of m bytes takes `latency + m / bandwidth`.
  ///
  /// @param latencySeconds of one exchange
  /// @param bytesPerSecond that one rank receives
  public record Link(double latencySeconds, double bytesPerSecond) {
    public Link {
      if (!(latencySeconds >= 0) || !(bytesPerSecond > 0)) {
        throw SpillwayException.badInput(
            "link with %s s and %s bytes/s: latency must be 0 or more, bandwidth positive",
            latencySeconds, bytesPerSecond);
      }
    }
  }

  /// What an exchange that ranks wait for was measured to take, at growing sizes: on a shaped link
  /// a burst after a rest passes freely, which no line through the origin's latency describes.
  ///
  /// @param points bytes that a rank receives and seconds, two or more
  public record Curve(List<double[]> points) {
    public Curve {
      points = List.copyOf(points);
      if (points.size() < 2) {
        throw SpillwayException.badInput(
            "%d points make no curve: 2 or more are needed", points.size());
      }
    }

    /// Between two points in proportion, beyond the ends as between the last two, never negative.
    double seconds(double bytes) {
      int i = 1;
      while (i < points.size() - 1 && bytes > points.get(i)[0]) {
        i++;
      }
      double[] a = points.get(i - 1);
      double[] b = points.get(i);
      return Math.max(0, a[1] + (bytes - a[0]) * (b[1] - a[1]) / (b[0] - a[0]));
    }
  }

  /// In half precision.
  public LatencyPlan(
      Workload workload, double stepSeconds, double floorSeconds, double slowdown, Link link) {
    this(workload, stepSeconds, floorSeconds, slowdown, link, 2);
  }

  public LatencyPlan {
    if (!(stepSeconds > 0) || !(floorSeconds >= 0) || floorSeconds >= stepSeconds) {
      throw SpillwayException.badInput(
          "step of %s s with a floor of %s s: 0 <= floor < step is needed",
          stepSeconds, floorSeconds);
    }
    if (!(slowdown >= 0)) {
      throw SpillwayException.badInput("slowdown %s must be 0 or more", slowdown);
    }
  }

  /// What one rank computes in a displaced step, measured without exchanges.
  ///
  /// @param seconds while all ranks compute
  /// @param undisturbedSeconds while the others rest: less, where ranks share cores
  public record Part(double seconds, double undisturbedSeconds) {
    public Part {
      if (!(undisturbedSeconds > 0) || !(seconds > 0)) {
        throw SpillwayException.badInput(
            "a rank's part of %s s, undisturbed %s s: both must be positive",
            seconds, undisturbedSeconds);
      }
    }
  }

  /// What a strategy would take.
  ///
  /// @param seconds of the whole image
  /// @param speedup over one device
  /// @param stepBytes received by the busiest rank in a displaced step
  /// @param computeSeconds of one displaced step
  /// @param exchangeSeconds of one displaced step, hidden or not
  /// @param displacedSeconds of one displaced step
  /// @param synchronousSeconds of one synchronous step
  public record Prediction(
      String strategy,
      int ranks,
      double seconds,
      double speedup,
      long stepBytes,
      double computeSeconds,
      double exchangeSeconds,
      double displacedSeconds,
      double synchronousSeconds) {}

  /// Predicts `steps` steps whose first `warmup + 1` are synchronous.
  ///
  /// @param batch samples in a forward pass, 2 with guidance in one batch
  public Prediction predict(Strategy strategy, int ranks, int steps, int warmup, int batch) {
    return predict(strategy, ranks, steps, warmup, batch, Optional.empty(), Optional.empty());
  }

  /// As above, from what a rank's strip was measured to compute, where it was.
  ///
  /// @param part of one displaced step without exchanges
  /// @param waited what exact strategies' exchanges take, where that was measured; else the link
  public Prediction predict(
      Strategy strategy,
      int ranks,
      int steps,
      int warmup,
      int batch,
      Optional<Part> part,
      Optional<Curve> waited) {
    if (ranks < 1 || steps < 1 || warmup < 0 || batch < 1) {
      throw SpillwayException.badInput(
          "%d ranks, %d steps, warm-up %d, batch %d: counts must be positive",
          ranks, steps, warmup, batch);
    }
    int synchronous = Math.min(steps, warmup + 1);
    WireBytes wire = wire(strategy, ranks, batch);
    double work = stepSeconds - floorSeconds;
    double modelled =
        floorSeconds
            + work
                * (workload.share(ranks, seen(strategy, ranks))
                    + workload.renewal(ranks, strategy));
    double strip = ranks == 1 ? stepSeconds : part.map(Part::seconds).orElse(modelled);
    // all keys are seen in a synchronous step, whatever the strategy
    double more = workload.share(ranks, 1) - workload.share(ranks, seen(strategy, ranks));
    double wholeStrip = strip + Math.max(0, work * more);
    double gather = exchange(wire(new Strategy.NaivePatches(), ranks, batch), false);
    double hidden = Math.max(0, exchange(wire, true) - gather);
    double displacedStep =
        switch (strategy) {
          case Strategy.Single _ -> stepSeconds;
          case Strategy.NaivePatches _ -> strip + gather;
          case Strategy.DistriFusion _, Strategy.Pcpp _, Strategy.Turns _ ->
              Math.max(strip * (1 + slowdown), hidden) + gather;
          // exact strategies wait for each exchange
          case Strategy.SequenceParallel mesh -> strip + waits(wire, mesh, strip, waited) + gather;
          case Strategy.TensorParallel _ -> strip + sums(wire, waited);
          case Strategy.PipeFusion pipe -> {
            int patches = pipe.patches() == 0 ? ranks : pipe.patches();
            double stages = part.map(Part::undisturbedSeconds).orElse(strip) * ranks / patches;
            yield Math.max(strip * (1 + slowdown), stages + flow(wire, patches, waited));
          }
        };
    double synchronousStep =
        switch (strategy) {
          case Strategy.Single _,
              Strategy.NaivePatches _,
              Strategy.SequenceParallel _,
              Strategy.TensorParallel _ ->
              displacedStep;
          case Strategy.DistriFusion _ -> wholeStrip + exchange(wire, false);
          case Strategy.Pcpp _ ->
              wholeStrip
                  + exchange(
                      wire(
                          new Strategy.DistriFusion(Strategy.Sync.CORRECTED_ASYNC_GN, false),
                          ranks,
                          batch),
                      false);
          case Strategy.Turns _ -> {
            // every rank makes keys and values of the whole image
            Strategy.Turns all = new Strategy.Turns(1);
            double renews = workload.renewal(ranks, all) - workload.renewal(ranks, strategy);
            yield strip + work * renews + exchange(wire(all, ranks, batch), false);
          }
          // the stages work one after the other
          case Strategy.PipeFusion _ -> stepSeconds + flow(wire, 1, waited);
        };
    double seconds = synchronous * synchronousStep + (steps - synchronous) * displacedStep;
    return new Prediction(
        strategy.label(),
        ranks,
        seconds,
        stepSeconds * steps / seconds,
        wire.mostReceived(workload.sites()),
        strip,
        strategy instanceof Strategy.SequenceParallel
            ? displacedStep - strip
            : exchange(wire, true),
        displacedStep,
        synchronousStep);
  }

  private WireBytes wire(Strategy strategy, int ranks, int batch) {
    return new WireBytes(strategy, ranks, batch, Math.max(1, batch / 2), numberBytes);
  }

  /// Share of all keys that the busiest rank's queries see.
  private static double seen(Strategy strategy, int ranks) {
    return switch (strategy) {
      case Strategy.Pcpp(double p, int pool, boolean _) -> {
        double near = Math.min(ranks, ranks == 2 ? 1 + p : 1 + 2 * p);
        yield (near + (pool == 0 ? 0 : (ranks - near) / pool)) / ranks;
      }
      case Strategy.NaivePatches _ -> 1.0 / ranks;
      case Strategy.Single _,
          Strategy.DistriFusion _,
          Strategy.Turns _,
          Strategy.SequenceParallel _,
          Strategy.TensorParallel _,
          Strategy.PipeFusion _ ->
          1;
    };
  }

  /// Seconds of all exchanges of a step.
  ///
  /// @param displaced whether layers share messages
  private double exchange(WireBytes wire, boolean displaced) {
    if (wire.ranks() == 1) {
      return 0;
    }
    long bytes = wire.mostReceived(workload.sites());
    long layers = 0;
    long norms = 0;
    long others = 0;
    for (Site site : workload.sites()) {
      if (wire.mostReceived(List.of(site)) == 0) {
        continue;
      }
      switch (site) {
        case Site.Attention _, Site.Convolution _ -> layers++;
        case Site.Norm _ -> norms++;
        case Site.Sum _, Site.Output _ -> others++;
      }
    }
    long messages =
        displaced
            ? Math.min(layers, MESSAGES) + Math.min(norms, MESSAGES) + others
            : layers + norms + others;
    return messages * link.latencySeconds() + bytes / link.bytesPerSecond();
  }

  /// Seconds that a step of exact sequence parallelism waits for exchanges, of which none begins
  /// before the one before it has ended; the prediction's gather is not among them. Queries, keys
  /// and values are dealt out together and the result comes back; a part that goes round the ring
  /// travels while the part before it is attended to.
  private double waits(
      WireBytes wire, Strategy.SequenceParallel mesh, double strip, Optional<Curve> waited) {
    int u = mesh.ulysses();
    int r = mesh.ring();
    double whole = workload.denseMacs() + Workload.attentionMacs(workload.sites(), 1);
    double seconds = 0;
    for (Site site : workload.sites()) {
      double bytes = wire.mostReceived(List.of(site));
      switch (site) {
        case Site.Attention _ -> {
          double part = wire.stripBytes(site);
          double attends = strip * Workload.attentionMacs(List.of(site), 1) / whole / r;
          if (u > 1) {
            seconds +=
                message(3 * part * (u - 1) / u, waited) + message(part * (u - 1) / u, waited);
          }
          seconds += (r - 1) * Math.max(0, message(2 * part, waited) - attends);
        }
        case Site.Convolution _, Site.Norm _ -> seconds += bytes == 0 ? 0 : message(bytes, waited);
        case Site.Sum _, Site.Output _ -> {}
      }
    }
    return seconds;
  }

  /// Seconds that a step of tensor parallelism waits for sums, each by itself.
  private double sums(WireBytes wire, Optional<Curve> waited) {
    double seconds = 0;
    for (Site site : workload.sites()) {
      if (site instanceof Site.Sum) {
        seconds += message(wire.mostReceived(List.of(site)), waited);
      }
    }
    return seconds;
  }

  /// Seconds that messages of a pipeline add to a step. A patch goes through all stages and back to
  /// the first before its next step begins there, and a stage begins with a patch when it has
  /// arrived; a synchronous step sends the whole image from stage to stage.
  private double flow(WireBytes wire, int patches, Optional<Curve> waited) {
    int n = wire.ranks();
    if (n == 1) {
      return 0;
    }
    double tokens = 0;
    double image = 0;
    for (Site site : workload.sites()) {
      double bytes = wire.mostReceived(List.of(site));
      if (site instanceof Site.Output) {
        image += bytes;
      } else {
        tokens += bytes;
      }
    }
    return (n - 1) * message(tokens / patches, waited) + message(image / patches, waited);
  }

  private double message(double bytes, Optional<Curve> waited) {
    return waited
        .map(c -> c.seconds(bytes))
        .orElse(link.latencySeconds() + bytes / link.bytesPerSecond());
  }
}
