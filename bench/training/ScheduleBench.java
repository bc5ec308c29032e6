import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.Precision;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.plan.GraphOptions;
import io.spillway.training.plan.PerformanceModel;
import io.spillway.training.plan.Predictor;
import io.spillway.training.plan.Rates;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.StateBytes;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.UpdateGraph;
import io.spillway.training.plan.Workload;
import io.spillway.training.run.Calibration;
import io.spillway.training.run.SimulatedStep;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Predicted against achieved steps on the simulated tier, and a scan of the CPU share. */
public final class ScheduleBench {
  static final long N = 6_000_000;
  static final long SIZE = 200_000;

  static OptimizerOptions options(DeviceSpec spec) {
    return new OptimizerOptions(
        AdamSettings.adamW(), Precision.BF16, Precision.BF16, MasterLayout.FULL, 1, 1,
        spec.hostUpdateRate(), 3, 3, Optional.empty(), Double.POSITIVE_INFINITY, false,
        Long.MAX_VALUE);
  }

  public static void main(String[] args) {
    if (args.length > 0 && args[0].equals("scan")) {
      scan();
      return;
    }
    double norm = Calibration.normRate(Precision.BF16);
    System.out.printf(Locale.ROOT, "norm %.2f Gparam/s%n", norm / 1e9);
    System.out.println("link duplex host-update passes schedule predicted_ms achieved_ms min max error_%");
    List<Double> errors = new ArrayList<>();
    String[][] devices = {
      {"500MB/s", "true", "4e7"}, {"1GB/s", "true", "1e8"}, {"1GB/s", "false", "1e8"},
      {"2GB/s", "true", "1e8"}, {"500MB/s", "false", "8e7"},
    };
    double[] passes = {0.03, 0.15};
    for (String[] d : devices) {
      for (double p : passes) {
        DeviceSpec spec =
            DeviceSpec.parse(
                "memory=2GiB,link=" + d[0] + ",duplex=" + d[1] + ",update=3e8,host-update=" + d[2]);
        Workload work = Workload.even(N, 8, p / 3, 2 * p / 3, 1);
        List<Subgroup> subgroups = Subgroup.cut(0, N, SIZE);
        Rates rates = rates(spec, norm);
        GraphOptions graph = GraphOptions.usual(true);
        Schedule chosen =
            PerformanceModel.choose(subgroups, 0, work, rates, StateBytes.mixed(), graph).schedule();
        for (Schedule s : new Schedule[] {chosen, new Schedule.Stride(2), new Schedule.ZeroOffload()}) {
          double predicted =
              Predictor.predict(
                      new UpdateGraph(subgroups, s.place(subgroups.size()), graph), work, rates,
                      StateBytes.mixed(), s.overlapsForward())
                  .iterationSeconds();
          SimulatedStep run = SimulatedStep.measure(spec, subgroups, s, options(spec), work, 5);
          double[] t = run.seconds().clone();
          Arrays.sort(t);
          double error = 100 * (run.median() / predicted - 1);
          errors.add(Math.abs(error));
          System.out.printf(
              Locale.ROOT, "%s %s %s %.2fs %s %.1f %.1f %.1f %.1f %+.1f%n", d[0], d[1], d[2], p,
              s instanceof Schedule.Fraction f
                  ? String.format(Locale.ROOT, "fraction:%.2f", f.cpu())
                  : s.name() + (s instanceof Schedule.Stride k ? ":" + k.stride() : ""),
              predicted * 1e3, run.median() * 1e3, t[0] * 1e3, t[t.length - 1] * 1e3, error);
        }
      }
    }
    System.out.printf(
        Locale.ROOT, "%d settings: mean error %.1f %%, largest %.1f %%, within 10 %%: %d%n",
        errors.size(), errors.stream().mapToDouble(x -> x).average().orElse(0),
        errors.stream().mapToDouble(x -> x).max().orElse(0),
        errors.stream().filter(x -> x <= 10).count());
    System.exit(0);
  }

  static Rates rates(DeviceSpec spec, double norm) {
    return new Rates(
        spec.link().bytesPerSecond(), spec.link().bytesPerSecond(), spec.duplex(),
        spec.hostUpdateRate(), spec.updateRate(), norm, Double.POSITIVE_INFINITY, 1e9, 120e-6);
  }

  /** Every CPU share in steps of a tenth and the chosen one, measured. */
  static void scan() {
    double norm = Calibration.normRate(Precision.BF16);
    for (String text :
        new String[] {
          "memory=2GiB,link=1GB/s,update=3e8,host-update=1e8",
          "memory=2GiB,link=500MB/s,update=3e8,host-update=4e7",
          "memory=2GiB,link=2GB/s,update=3e8,host-update=6e7"
        }) {
      DeviceSpec spec = DeviceSpec.parse(text);
      Workload work = Workload.even(N, 8, 0.01, 0.02, 1);
      List<Subgroup> subgroups = Subgroup.cut(0, N, SIZE);
      Rates rates = rates(spec, norm);
      PerformanceModel.Choice choice =
          PerformanceModel.choose(
              subgroups, 0, work, rates, StateBytes.mixed(), GraphOptions.usual(true));
      double best = Double.MAX_VALUE;
      double bestShare = 0;
      System.out.println(text);
      for (int i = 0; i <= 20; i++) {
        double share = i / 20.0;
        double t =
            SimulatedStep.measure(
                    spec, subgroups, new Schedule.Fraction(share, 0), options(spec), work, 3)
                .median();
        System.out.printf(Locale.ROOT, "  share %.2f: %.1f ms%n", share, t * 1e3);
        if (t < best) {
          best = t;
          bestShare = share;
        }
      }
      double mine =
          SimulatedStep.measure(spec, subgroups, choice.schedule(), options(spec), work, 5).median();
      System.out.printf(
          Locale.ROOT,
          "  chosen %.3f (closed form %.3f): %.1f ms, best scanned %.2f: %.1f ms, %+.1f %%%n",
          choice.schedule().cpu(), choice.closedFormCpu(), mine * 1e3, bestShare, best * 1e3,
          100 * (mine / best - 1));
    }
    System.exit(0);
  }
}
