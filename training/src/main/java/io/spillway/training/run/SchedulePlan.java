package io.spillway.training.run;

import io.spillway.models.DecoderConfig;
import io.spillway.training.config.TrainSettings;
import io.spillway.training.engine.Device;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.optimizer.Tiers;
import io.spillway.training.plan.GraphOptions;
import io.spillway.training.plan.PerformanceModel;
import io.spillway.training.plan.Predictor;
import io.spillway.training.plan.Rates;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.UpdateGraph;
import io.spillway.training.plan.Workload;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongUnaryOperator;

/// A step of one model under every schedule, predicted.
///
/// @param rows one for each schedule
/// @param chosen the split that the performance model takes
/// @param note the rates behind it
public record SchedulePlan(List<Row> rows, PerformanceModel.Choice chosen, String note) {
  /// One schedule.
  ///
  /// @param exposedSeconds of a step in which the passes wait
  /// @param deviceBytes weights, gradients, resident state and buffers
  /// @param hostBytes of the optimizer
  public record Row(
      String name,
      double stepSeconds,
      double exposedSeconds,
      long deviceBytes,
      long hostBytes,
      boolean fits) {}

  public SchedulePlan {
    rows = List.copyOf(rows);
  }

  /// Predicts every schedule with measured host rates and the device as described.
  public static SchedulePlan of(
      DecoderConfig config,
      TrainDevice device,
      TrainSettings settings,
      double forward,
      double backward,
      int threads) {
    FlatParameters parameters = new FlatParameters(config);
    long n = parameters.size();
    List<Subgroup> subgroups = RunOptions.subgroups(settings, 0, n);
    Rates rates;
    long memory;
    String description;
    LongUnaryOperator footprint;
    try (Device opened = device.open()) {
      rates = device.plannedRates(opened, settings.precision(), settings.master(), threads);
      memory = opened.capacity();
      description = opened.description();
      footprint = opened::footprint;
    }
    OptimizerOptions options = RunOptions.optimizer(settings, device, threads, 0, Long.MAX_VALUE);
    GraphOptions graphOptions = options.graph();
    Workload workload = workload(parameters, settings, forward, backward);
    long fixed = 2L * n * settings.precision().bytes();
    RunOptions.requireRoom(settings, n, subgroups, memory);
    DeviceRoom room = new DeviceRoom(memory - fixed, footprint, subgroups, options);
    PerformanceModel.Choice chosen = room.choose(workload, rates, 1);
    List<Row> rows = new ArrayList<>();
    Map<String, Schedule> schedules = new LinkedHashMap<>();
    schedules.put("chosen fraction", chosen.schedule());
    schedules.put("stride:2", new Schedule.Stride(2));
    schedules.put("stride:3", new Schedule.Stride(3));
    schedules.put("stride:4", new Schedule.Stride(4));
    schedules.put("zero-offload", new Schedule.ZeroOffload());
    double ratio = 1 - room.residentAlone();
    schedules.put(String.format(Locale.ROOT, "twinflow:%.2f", ratio), new Schedule.TwinFlow(ratio));
    schedules.put("twinflow:0.5", new Schedule.TwinFlow(0.5));
    schedules.put("all-gpu", new Schedule.AllGpu());
    schedules.forEach((name, schedule) -> {
      UpdateGraph graph =
          new UpdateGraph(subgroups, schedule.place(subgroups.size()), graphOptions);
      Predictor.Prediction p =
          Predictor.predict(
              graph, workload, rates, options.stateBytes(), schedule.overlapsForward());
      Tiers.Needs needs = Tiers.Needs.of(graph, options, footprint);
      rows.add(
          new Row(
              name,
              p.iterationSeconds(),
              p.exposedSeconds(),
              fixed + needs.device(),
              needs.host(),
              fixed + needs.device() <= memory));
    });
    return new SchedulePlan(
        rows,
        chosen,
        String.format(
            Locale.ROOT,
            "link %.2f and %.2f GB/s, CPU update %.3f Gparam/s on %d threads, device update %.3f"
                + " Gparam/s; %s",
            rates.hostToDevice() / 1e9,
            rates.deviceToHost() / 1e9,
            rates.cpuUpdate() / 1e9,
            threads,
            rates.deviceUpdate() / 1e9,
            description));
  }

  /// Passes in proportion to the parameters of each block.
  private static Workload workload(
      FlatParameters parameters, TrainSettings settings, double forward, double backward) {
    List<Workload.Block> blocks = new ArrayList<>();
    for (int b = 0; b < parameters.blocks(); b++) {
      double share = (double) (parameters.to(b) - parameters.from(b)) / parameters.size();
      blocks.add(
          new Workload.Block(
              parameters.from(b), parameters.to(b), forward * share, backward * share));
    }
    return new Workload(blocks, settings.accumulation());
  }

  /// The figures, for JSON.
  public Map<String, Object> summary() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("schedules", rows);
    all.put("cpu_share", chosen.schedule().cpu());
    all.put("resident_share", chosen.schedule().resident());
    all.put("closed_form_cpu_share", chosen.closedFormCpu());
    all.put("rates", note);
    return all;
  }
}
