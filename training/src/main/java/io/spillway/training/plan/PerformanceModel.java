package io.spillway.training.plan;

import java.util.List;

/// The closed form of an update's time, and the choice of the split.
///
/// With the CPU-updated share c, the streamed share f and the resident share s (c + f + s = 1):
///
/// `T = P max((state f + weight c) / B_in, (state f + gradient c) / B_out, c / U_c, (f + s) / U_g,
/// host bytes / M)`
///
/// with the sum of the first two in place of their maximum when the link is not duplex. The
/// gradients flush during the backward pass, yet over the same link.
///
/// **Units:** seconds, parameters, bytes.
///
/// **Source:** ours, in the notation of Deep Optimizer States.
public final class PerformanceModel {
  /// The split that was chosen.
  ///
  /// @param schedule the fraction
  /// @param prediction of one step with it
  /// @param closedFormCpu the CPU share at which the closed form is least
  /// @param closedFormSeconds the closed form's least time of the update
  /// @param tried how many splits were compared
  public record Choice(
      Schedule.Fraction schedule,
      Predictor.Prediction prediction,
      double closedFormCpu,
      double closedFormSeconds,
      int tried) {}

  private PerformanceModel() {}

  /// Seconds of one update by the closed form.
  public static double updateSeconds(
      double parameters, double cpu, double resident, Rates rates, StateBytes bytes) {
    double streamed = 1 - cpu - resident;
    double in = (bytes.state() * streamed + bytes.weight() * cpu) / rates.hostToDevice();
    double out = (bytes.state() * streamed + bytes.gradient() * cpu) / rates.deviceToHost();
    double link = rates.duplex() ? Math.max(in, out) : in + out;
    double host =
        (2.0 * bytes.state() * streamed
                + (2.0 * bytes.state() + 2 * bytes.gradient() + 2 * bytes.weight()) * cpu)
            / rates.hostMemory();
    double most =
        Math.max(
            Math.max(link, host),
            Math.max(cpu / rates.cpuUpdate(), (streamed + resident) / rates.deviceUpdate()));
    return parameters * most;
  }

  /// The CPU share at which the closed form is least, by golden-section search: each term is convex
  /// in the share, so their maximum is too.
  public static double bestCpuShare(double resident, Rates rates, StateBytes bytes) {
    double low = 0;
    double high = 1 - resident;
    double golden = (Math.sqrt(5) - 1) / 2;
    for (int i = 0; i < 100; i++) {
      double a = high - golden * (high - low);
      double b = low + golden * (high - low);
      if (updateSeconds(1, a, resident, rates, bytes)
          <= updateSeconds(1, b, resident, rates, bytes)) {
        high = b;
      } else {
        low = a;
      }
    }
    return (low + high) / 2;
  }

  /// Chooses the fraction for whole steps: the closed form gives the start, the predictor compares
  /// the splits around it (every count of CPU subgroups when there are few), since filling and
  /// draining the pipeline and the overlap with the passes move the optimum.
  public static Choice choose(
      List<Subgroup> subgroups,
      double resident,
      Workload workload,
      Rates rates,
      StateBytes bytes,
      GraphOptions options) {
    return choose(subgroups, resident, true, workload, rates, bytes, options);
  }

  /// As above.
  ///
  /// @param mayStream whether the device has room for streaming buffers; without it, what is not
  ///   resident is updated on the CPU
  public static Choice choose(
      List<Subgroup> subgroups,
      double resident,
      boolean mayStream,
      Workload workload,
      Rates rates,
      StateBytes bytes,
      GraphOptions options) {
    long total = subgroups.stream().mapToLong(Subgroup::size).sum();
    double closed = bestCpuShare(resident, rates, bytes);
    int n = subgroups.size();
    int onDevice = (int) Math.round(resident * n);
    int rest = n - onDevice;
    int least = mayStream ? 0 : rest;
    int step = Math.max(1, rest / 48);
    Schedule.Fraction best = null;
    Predictor.Prediction bestPrediction = null;
    int tried = 0;
    for (int pass = 0; pass < 2; pass++) {
      int center = best == null ? 0 : (int) Math.round(best.cpu() * n);
      int from = pass == 0 ? least : Math.max(least, center - step);
      int to = pass == 0 ? rest : Math.min(rest, center + step);
      for (int cpu = from; cpu <= to; cpu += pass == 0 ? step : 1) {
        Schedule.Fraction candidate =
            new Schedule.Fraction(
                (double) cpu / n, Math.min((double) onDevice / n, 1 - (double) cpu / n));
        Predictor.Prediction p =
            Predictor.predict(
                new UpdateGraph(subgroups, candidate.place(n), options),
                workload,
                rates,
                bytes,
                true);
        tried++;
        // among equals the share nearest to the closed form's, which has the most slack
        double margin = 1e-6 * p.iterationSeconds();
        boolean better =
            bestPrediction == null
                || best == null
                || p.iterationSeconds() < bestPrediction.iterationSeconds() - margin
                || (p.iterationSeconds() < bestPrediction.iterationSeconds() + margin
                    && Math.abs(candidate.cpu() - closed) < Math.abs(best.cpu() - closed));
        if (better) {
          best = candidate;
          bestPrediction = p;
        }
      }
      if (step == 1) {
        break;
      }
    }
    if (best == null || bestPrediction == null) {
      throw new IllegalStateException("no split was tried");
    }
    return new Choice(
        best, bestPrediction, closed, updateSeconds(total, closed, resident, rates, bytes), tried);
  }
}
