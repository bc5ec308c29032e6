package io.spillway.training.plan;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Which subgroups are updated where, and whether the update may run beside the next forward pass.
/// Every schedule gives the same weights; they differ in time and memory only.
public sealed interface Schedule {
  /// The placement of each of `subgroups` subgroups, in forward order.
  Placement[] place(int subgroups);

  /// Whether the next forward pass starts before every subgroup is updated. Each layer waits for
  /// its own weights, so nothing is stale.
  boolean overlapsForward();

  /// The name that `--schedule` takes.
  String name();

  /// Ours: any fraction of the subgroups on the CPU, resident ones first (the next forward pass
  /// needs the first layers first), CPU-updated and streamed ones evenly mixed.
  ///
  /// @param cpu share of the parameters that the CPU updates, in [0, 1]
  /// @param resident share that never leaves the device, in [0, 1 - cpu]
  record Fraction(double cpu, double resident) implements Schedule {
    public Fraction {
      requireShare("CPU share", cpu);
      requireShare("resident share", resident);
      if (cpu + resident > 1 + 1e-9) {
        throw SpillwayException.badInput(
            "CPU share %s and resident share %s exceed 1 together", cpu, resident);
      }
    }

    @Override
    public Placement[] place(int subgroups) {
      Placement[] all = new Placement[subgroups];
      int onDevice = (int) Math.round(resident * subgroups);
      int onCpu = Math.min(subgroups - onDevice, (int) Math.round(cpu * subgroups));
      Arrays.fill(all, 0, onDevice, Placement.RESIDENT);
      int rest = subgroups - onDevice;
      for (int i = 0; i < rest; i++) {
        // Bresenham: the count of CPU subgroups among the first i is i * onCpu / rest
        boolean isCpu = (long) (i + 1) * onCpu / rest > (long) i * onCpu / rest;
        all[onDevice + i] = isCpu ? Placement.CPU : Placement.STREAMED;
      }
      return all;
    }

    @Override
    public boolean overlapsForward() {
      return true;
    }

    @Override
    public String name() {
      return "fraction";
    }
  }

  /// The paper's integer stride: of each `stride` subgroups the last is streamed, the others are
  /// updated on the CPU. The next forward pass waits for the whole update.
  ///
  /// **Source:** Deep Optimizer States, Middleware 2024, the k of its scheduling.
  record Stride(int stride) implements Schedule {
    public Stride {
      if (stride < 1) {
        throw SpillwayException.badInput("stride is %d, it must be at least 1", stride);
      }
    }

    @Override
    public Placement[] place(int subgroups) {
      Placement[] all = new Placement[subgroups];
      for (int i = 0; i < subgroups; i++) {
        all[i] = (i + 1) % stride == 0 ? Placement.STREAMED : Placement.CPU;
      }
      return all;
    }

    @Override
    public boolean overlapsForward() {
      return false;
    }

    @Override
    public String name() {
      return "stride";
    }
  }

  /// Everything on the CPU; the next forward pass waits.
  ///
  /// **Source:** ZeRO-Offload, USENIX ATC 2021.
  record ZeroOffload() implements Schedule {
    @Override
    public Placement[] place(int subgroups) {
      Placement[] all = new Placement[subgroups];
      Arrays.fill(all, Placement.CPU);
      return all;
    }

    @Override
    public boolean overlapsForward() {
      return false;
    }

    @Override
    public String name() {
      return "zero-offload";
    }
  }

  /// A static share on the CPU, the rest resident; the next forward pass waits.
  ///
  /// **Source:** TwinFlow (DeepSpeed ZeRO-Offload++), the `ratio` of its configuration.
  ///
  /// @param ratio share of the subgroups that the CPU updates
  record TwinFlow(double ratio) implements Schedule {
    public TwinFlow {
      requireShare("ratio", ratio);
    }

    @Override
    public Placement[] place(int subgroups) {
      Placement[] all = new Placement[subgroups];
      int onCpu = (int) Math.round(ratio * subgroups);
      Arrays.fill(all, 0, onCpu, Placement.CPU);
      Arrays.fill(all, onCpu, subgroups, Placement.RESIDENT);
      return all;
    }

    @Override
    public boolean overlapsForward() {
      return false;
    }

    @Override
    public String name() {
      return "twinflow";
    }
  }

  /// No offloading: the whole state is resident.
  record AllGpu() implements Schedule {
    @Override
    public Placement[] place(int subgroups) {
      Placement[] all = new Placement[subgroups];
      Arrays.fill(all, Placement.RESIDENT);
      return all;
    }

    @Override
    public boolean overlapsForward() {
      return false;
    }

    @Override
    public String name() {
      return "all-gpu";
    }
  }

  /// Reads `fraction:0.4`, `fraction:0.4:0.1` (CPU, resident), `stride:2`, `zero-offload`,
  /// `twinflow:0.8` or `all-gpu`.
  ///
  /// **Errors:** unknown names with the nearest known one, values out of range.
  static Schedule parse(String text) {
    String[] parts = text.strip().toLowerCase(Locale.ROOT).split(":", -1);
    return switch (parts[0]) {
      case "fraction" ->
          new Fraction(number(text, parts, 1), parts.length > 2 ? number(text, parts, 2) : 0);
      case "stride" -> new Stride((int) number(text, parts, 1));
      case "zero-offload" -> new ZeroOffload();
      case "twinflow" -> new TwinFlow(number(text, parts, 1));
      case "all-gpu" -> new AllGpu();
      default ->
          throw SpillwayException.badInput(
              "unknown schedule '%s', %s",
              parts[0],
              Nearest.hint(
                  parts[0],
                  List.of("auto", "fraction", "stride", "zero-offload", "twinflow", "all-gpu")));
    };
  }

  private static double number(String text, String[] parts, int index) {
    try {
      if (index < parts.length) {
        return Double.parseDouble(parts[index]);
      }
    } catch (NumberFormatException e) {
      // told below
    }
    throw SpillwayException.badInput(
        "schedule '%s' needs a number after %s, for example %s:%s",
        text, parts[0], parts[0], parts[0].equals("stride") ? "2" : "0.5");
  }

  private static void requireShare(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw SpillwayException.badInput("%s is %s, it must be between 0 and 1", name, value);
    }
  }
}
