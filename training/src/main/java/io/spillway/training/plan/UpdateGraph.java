package io.spillway.training.plan;

import io.spillway.kernels.GradientNorm;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The tasks of one optimizer step with everything that orders them. The executor runs this graph
/// with real memory and the predictor runs it with measured rates, so that a plan and a run differ
/// in time only.
///
/// Tasks are listed so that every dependency within the step comes earlier in the list.
public final class UpdateGraph {
  /// What a task waits for.
  public sealed interface Dependency {
    /// Another task of the same step.
    record Task(int id) implements Dependency {}

    /// A task of the step before; nothing in the first step.
    record PreviousTask(int id) implements Dependency {}

    /// The final gradient of a subgroup.
    record Gradient(int subgroup) implements Dependency {}

    /// The last backward pass of the step has begun.
    record BackwardBegun() implements Dependency {}

    /// The factor on the gradients (clipping, overflow) is known.
    record ScaleKnown() implements Dependency {}
  }

  /// One task.
  ///
  /// @param id position in the list
  /// @param kind what it does, and in which lane
  /// @param subgroup with which subgroup
  /// @param priority smaller runs first among the tasks of a lane that are ready
  /// @param slot the buffer that it uses, -1 for none
  /// @param dependencies what it waits for
  public record Task(
      int id,
      TaskKind kind,
      Subgroup subgroup,
      int priority,
      int slot,
      List<Dependency> dependencies) {}

  private final List<Subgroup> subgroups;
  private final Placement[] placement;
  private final GraphOptions options;
  private final List<Task> tasks = new ArrayList<>();
  private final int[][] byKind;

  /// Builds the graph.
  ///
  /// @param subgroups in forward order
  /// @param placement of each subgroup
  public UpdateGraph(List<Subgroup> subgroups, Placement[] placement, GraphOptions options) {
    if (placement.length != subgroups.size()) {
      throw new IllegalArgumentException(
          placement.length + " placements of " + subgroups.size() + " subgroups");
    }
    this.subgroups = List.copyOf(subgroups);
    this.placement = placement.clone();
    this.options = options;
    byKind = new int[TaskKind.values().length][subgroups.size()];
    for (int[] row : byKind) {
      Arrays.fill(row, -1);
    }
    build();
  }

  private void build() {
    int n = subgroups.size();
    // gradients arrive from the last subgroup to the first
    for (int g = n - 1; g >= 0; g--) {
      if (options.needsNorm()) {
        addNorm(g);
      }
      if (placement[g] == Placement.CPU) {
        add(TaskKind.FLUSH, g, n - 1 - g, -1, new Dependency.Gradient(g));
      }
    }
    int streamed = 0;
    int loaded = 0;
    int[] slotUser = new int[options.deviceSlots()];
    int[] hostSlotUser = new int[options.hostSlots()];
    Arrays.fill(slotUser, -1);
    Arrays.fill(hostSlotUser, -1);
    for (int at = 0; at < n; at++) {
      int g = options.eager() ? n - 1 - at : at;
      boolean onDisk = options.stateOnDisk() && placement[g] != Placement.RESIDENT;
      int hostSlot = onDisk ? loaded++ % options.hostSlots() : -1;
      if (onDisk) {
        List<Dependency> waits = new ArrayList<>();
        waits.add(new Dependency.BackwardBegun());
        if (hostSlotUser[hostSlot] >= 0) {
          waits.add(new Dependency.Task(id(TaskKind.STORE, hostSlotUser[hostSlot])));
        }
        add(TaskKind.LOAD, g, 2 * n + at, hostSlot, waits);
        hostSlotUser[hostSlot] = g;
      }
      switch (placement[g]) {
        case RESIDENT -> addDeviceAdam(g, at, -1);
        case STREAMED -> {
          int slot = streamed++ % options.deviceSlots();
          List<Dependency> waits = new ArrayList<>();
          waits.add(new Dependency.BackwardBegun());
          if (slotUser[slot] >= 0) {
            waits.add(new Dependency.Task(id(TaskKind.WRITE_BACK, slotUser[slot])));
          }
          if (onDisk) {
            waits.add(new Dependency.Task(id(TaskKind.LOAD, g)));
          }
          add(TaskKind.PREFETCH, g, 2 * n + at, slot, waits);
          slotUser[slot] = g;
          addDeviceAdam(g, at, slot);
          add(
              TaskKind.WRITE_BACK,
              g,
              2 * n + at,
              slot,
              new Dependency.Task(id(TaskKind.DEVICE_ADAM, g)));
        }
        case CPU -> {
          List<Dependency> waits = new ArrayList<>();
          waits.add(new Dependency.Task(id(TaskKind.FLUSH, g)));
          waits.add(new Dependency.ScaleKnown());
          if (onDisk) {
            waits.add(new Dependency.Task(id(TaskKind.LOAD, g)));
          }
          add(TaskKind.CPU_ADAM, g, n + at, hostSlot, waits);
          add(TaskKind.UPLOAD, g, n + at, -1, new Dependency.Task(id(TaskKind.CPU_ADAM, g)));
        }
      }
      if (onDisk) {
        TaskKind last = placement[g] == Placement.CPU ? TaskKind.CPU_ADAM : TaskKind.WRITE_BACK;
        add(TaskKind.STORE, g, at, hostSlot, new Dependency.Task(id(last, g)));
      }
    }
    carryOver(slotUser, hostSlotUser);
  }

  /// The norm blocks that start in a subgroup are summed by its task; a block that reaches into the
  /// next subgroups waits for their gradients too, so that blocks never depend on the cut.
  private void addNorm(int g) {
    long begin = normFrom(subgroups.get(g));
    long end = normTo(subgroups.get(g));
    if (begin >= end) {
      return;
    }
    List<Dependency> waits = new ArrayList<>();
    for (int h = g; h < subgroups.size() && subgroups.get(h).from() < end; h++) {
      waits.add(new Dependency.Gradient(h));
    }
    add(TaskKind.NORM, g, subgroups.size() - 1 - g, -1, waits);
  }

  /// First parameter of the norm blocks that start in `g`.
  public long normFrom(Subgroup g) {
    return g.index() == 0 ? g.from() : blockAfter(g.from());
  }

  /// One past the last parameter of the norm blocks that start in `g`.
  public long normTo(Subgroup g) {
    return Math.min(subgroups.getLast().to(), blockAfter(g.to()));
  }

  private static long blockAfter(long at) {
    return (at + GradientNorm.BLOCK - 1) / GradientNorm.BLOCK * GradientNorm.BLOCK;
  }

  /// Buffers are free for the next step only when the last task of this one has left them.
  private void carryOver(int[] slotUser, int[] hostSlotUser) {
    for (int i = 0; i < tasks.size(); i++) {
      Task t = tasks.get(i);
      List<Dependency> waits = new ArrayList<>(t.dependencies());
      int g = t.subgroup().index();
      switch (t.kind()) {
        case PREFETCH -> {
          waits.add(new Dependency.PreviousTask(id(TaskKind.WRITE_BACK, slotUser[t.slot()])));
          waits.add(new Dependency.PreviousTask(id(TaskKind.WRITE_BACK, g)));
        }
        case LOAD -> {
          waits.add(new Dependency.PreviousTask(id(TaskKind.STORE, hostSlotUser[t.slot()])));
          waits.add(new Dependency.PreviousTask(id(TaskKind.STORE, g)));
        }
        case FLUSH -> waits.add(new Dependency.PreviousTask(id(TaskKind.CPU_ADAM, g)));
        case CPU_ADAM -> waits.add(new Dependency.PreviousTask(id(TaskKind.UPLOAD, g)));
        case NORM, DEVICE_ADAM, WRITE_BACK, UPLOAD, STORE -> {
          continue;
        }
      }
      tasks.set(
          i, new Task(t.id(), t.kind(), t.subgroup(), t.priority(), t.slot(), List.copyOf(waits)));
    }
  }

  private void addDeviceAdam(int g, int at, int slot) {
    List<Dependency> waits = new ArrayList<>();
    waits.add(new Dependency.Gradient(g));
    waits.add(new Dependency.ScaleKnown());
    if (slot >= 0) {
      waits.add(new Dependency.Task(id(TaskKind.PREFETCH, g)));
    }
    add(TaskKind.DEVICE_ADAM, g, subgroups.size() + at, slot, waits);
  }

  private void add(TaskKind kind, int subgroup, int priority, int slot, Dependency dependency) {
    add(kind, subgroup, priority, slot, List.of(dependency));
  }

  private void add(
      TaskKind kind, int subgroup, int priority, int slot, List<Dependency> dependencies) {
    byKind[kind.ordinal()][subgroup] = tasks.size();
    tasks.add(
        new Task(
            tasks.size(),
            kind,
            subgroups.get(subgroup),
            priority,
            slot,
            List.copyOf(dependencies)));
  }

  private int id(TaskKind kind, int subgroup) {
    int id = byKind[kind.ordinal()][subgroup];
    if (id < 0) {
      throw new IllegalStateException("no " + kind + " of subgroup " + subgroup);
    }
    return id;
  }

  public List<Task> tasks() {
    return List.copyOf(tasks);
  }

  public List<Subgroup> subgroups() {
    return subgroups;
  }

  public Placement placement(int subgroup) {
    return placement[subgroup];
  }

  public GraphOptions options() {
    return options;
  }

  /// The task after which the device's weights of a subgroup are new.
  public int weightsReady(int subgroup) {
    return placement[subgroup] == Placement.CPU
        ? id(TaskKind.UPLOAD, subgroup)
        : id(TaskKind.DEVICE_ADAM, subgroup);
  }

  /// The share of the parameters with that placement.
  public double share(Placement wanted) {
    long total = 0;
    long some = 0;
    for (Subgroup g : subgroups) {
      total += g.size();
      some += placement[g.index()] == wanted ? g.size() : 0;
    }
    return total == 0 ? 0 : (double) some / total;
  }
}
