package io.spillway.cli.diffusion;

import io.spillway.cli.SpillwayCommand;
import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.plan.LatencyPlan;
import io.spillway.diffusion.plan.MeasuredGpu;
import io.spillway.diffusion.plan.Workload;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.platform.units.Seconds;
import io.spillway.report.TextTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `diffuse plan`: latency and bytes for n devices from what one or two measured.
@Command(
    name = "plan",
    description = "Predict latency and bytes of SDXL or DiT-XL on more devices than are at hand.")
public final class DiffusePlanCommand extends SpillwayCommand {
  @Option(
      names = "--model",
      defaultValue = "sdxl",
      description = "sdxl or dit-xl; default ${DEFAULT-VALUE}.")
  private String model = "sdxl";

  @Option(
      names = "--size",
      defaultValue = "1024",
      description = "Rows and columns in pixels, usually 1024 to 3840; default ${DEFAULT-VALUE}.")
  private int size;

  @Option(
      names = "--devices",
      split = ",",
      defaultValue = "2,4,8",
      description = "Numbers of devices, comma-separated; default ${DEFAULT-VALUE}.")
  private List<Integer> devices = List.of();

  @Option(
      names = "--measured",
      description =
          "JSON that bench/gpu/diffusion.sh wrote on two GPUs or more; takes the place of the five"
              + " options below.")
  private @Nullable Path measured;

  @Option(
      names = "--step-ms",
      description = "Measured milliseconds of one whole step on one device.")
  private @Nullable Double stepMs;

  @Option(
      names = "--floor-ms",
      description =
          "Measured milliseconds of a step that do not shrink with the strip: time one"
              + " rank's strip shapes at two numbers of ranks and extend to none.")
  private @Nullable Double floorMs;

  @Option(
      names = "--slowdown",
      description =
          "How much slower a device computes while its link is busy, 0.1 for 10 %%;"
              + " default 0.")
  private @Nullable Double slowdown;

  @Option(
      names = "--link-us",
      description = "Microseconds that one exchange takes at least; default 20.")
  private @Nullable Double linkUs;

  @Option(
      names = "--link-gbs",
      description = "10^9 bytes per second that one device receives; default 200.")
  private @Nullable Double linkGbs;

  @Option(
      names = "--steps",
      defaultValue = "50",
      description = "Sampling steps; default ${DEFAULT-VALUE}.")
  private int steps;

  @Option(
      names = "--warmup",
      defaultValue = "4",
      description = "Last synchronous step, counted from 0; default ${DEFAULT-VALUE}.")
  private int warmup;

  @Option(
      names = "--conditioning",
      defaultValue = "0.3",
      description =
          "Share p of a neighbour's strip that pcpp sees, 0 to 1; default" + " ${DEFAULT-VALUE}.")
  private double conditioning;

  @Option(
      names = "--pool",
      defaultValue = "4",
      description = "Tokens averaged into one far key by pcpp-pool; default ${DEFAULT-VALUE}.")
  private int pool;

  @Override
  protected void execute() {
    Workload workload = Workload.of(model, size);
    Predictor plan = predictor(workload);
    List<LatencyPlan.Prediction> all = new ArrayList<>();
    all.add(plan.predict(new Strategy.Single(), 1));
    for (int n : devices) {
      if (n < 2 || n > 1024) {
        throw SpillwayException.badInput("--devices %d: each between 2 and 1024", n);
      }
      for (String name :
          List.of("distrifusion", "pcpp", "pcpp-pool", "turns", "ulysses", "ring", "tensor")) {
        all.add(
            plan.predict(
                Strategy.named(name, n, conditioning, pool, Strategy.Sync.CORRECTED_ASYNC_GN), n));
      }
      if (model.equals("dit-xl")) {
        all.add(plan.predict(new Strategy.PipeFusion(0), n));
      }
    }
    TextTable table =
        new TextTable(
            "strategy",
            "devices",
            "latency",
            "speedup",
            "step bytes",
            "step compute",
            "step exchange");
    for (LatencyPlan.Prediction p : all) {
      table.row(
          p.strategy(),
          p.ranks(),
          new Seconds(p.seconds()),
          String.format(Locale.ROOT, "%.2f", p.speedup()),
          new Bytes(p.stepBytes()),
          new Seconds(p.computeSeconds()),
          new Seconds(p.exchangeSeconds()));
    }
    answer(all, table);
  }

  private interface Predictor {
    LatencyPlan.Prediction predict(Strategy strategy, int ranks);
  }

  private Predictor predictor(Workload workload) {
    Path file = measured;
    if (file != null) {
      if (stepMs != null
          || floorMs != null
          || slowdown != null
          || linkUs != null
          || linkGbs != null) {
        throw SpillwayException.badInput(
            "--measured %s tells step, floor, slowdown and link; leave those options out", file);
      }
      MeasuredGpu gpu = MeasuredGpu.read(file);
      return (strategy, n) -> gpu.predict(workload, strategy, n, steps, warmup);
    }
    Double step = stepMs;
    Double floor = floorMs;
    if (step == null || floor == null) {
      throw SpillwayException.badInput(
          "what one device takes is missing: give --measured FILE, or --step-ms and --floor-ms");
    }
    LatencyPlan plan =
        new LatencyPlan(
            workload,
            step / 1e3,
            floor / 1e3,
            slowdown == null ? 0 : slowdown,
            new LatencyPlan.Link(
                (linkUs == null ? 20 : linkUs) / 1e6, (linkGbs == null ? 200 : linkGbs) * 1e9));
    return (strategy, n) -> plan.predict(strategy, n, steps, warmup, 2);
  }
}
