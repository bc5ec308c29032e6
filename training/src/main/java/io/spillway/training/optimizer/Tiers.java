package io.spillway.training.optimizer;

import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.Casts;
import io.spillway.kernels.SplitMaster;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;
import io.spillway.training.engine.Device;
import io.spillway.training.engine.Pace;
import io.spillway.training.plan.Placement;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.TaskKind;
import io.spillway.training.plan.UpdateGraph;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/// The memory of an [OffloadedOptimizer]: which segment holds what of each subgroup in which tier.
public final class Tiers implements AutoCloseable {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED;

  private final Device device;
  private final MemorySegment weights;
  private final MemorySegment gradients;
  private final UpdateGraph graph;
  private final OptimizerOptions options;
  private final long origin;

  private final @Nullable MemorySegment[] state; // resident: device; else host; null on disk
  private final @Nullable MemorySegment[] hostWeights;
  private final @Nullable MemorySegment[] hostGradients;
  private final long[] fileOffsets;
  private final int[] hostSlot;
  private final MemorySegment[] slots;
  private final MemorySegment[] hostSlots;
  private final @Nullable StateFile file;
  private final List<MemorySegment> onDevice = new ArrayList<>();
  private final List<MemorySegment> onHost = new ArrayList<>();
  private long hostBytes;

  Tiers(
      Device device,
      MemorySegment weights,
      MemorySegment gradients,
      UpdateGraph graph,
      OptimizerOptions options) {
    this.device = device;
    this.weights = weights;
    this.gradients = gradients;
    this.graph = graph;
    this.options = options;
    origin = graph.subgroups().getFirst().from();
    int n = graph.subgroups().size();
    state = new @Nullable MemorySegment[n];
    hostWeights = new @Nullable MemorySegment[n];
    hostGradients = new @Nullable MemorySegment[n];
    fileOffsets = new long[n];
    hostSlot = new int[n];
    Arrays.fill(hostSlot, -1);
    Needs needs = Needs.of(graph, options, device::footprint);
    if (needs.host() > options.hostBudget()) {
      throw SpillwayException.doesNotFit(
          "the optimizer needs %s of host memory, the budget is %s; the smallest that works with"
              + " this schedule is %d bytes%s",
          new Bytes(needs.host()),
          new Bytes(options.hostBudget()),
          needs.host(),
          options.stateFile().isPresent() ? "" : " (or put the state on disk)");
    }
    if (needs.device() > device.capacity() - device.used()) {
      throw SpillwayException.doesNotFit(
          "the optimizer needs %s on the device, where %s of %s are free; the smallest device memory"
              + " that works with this schedule is %d bytes",
          new Bytes(needs.device()),
          new Bytes(device.capacity() - device.used()),
          new Bytes(device.capacity()),
          device.used() + needs.device());
    }
    boolean onDisk = options.stateFile().isPresent();
    long offset = 0;
    long largest = 0;
    int streamed = 0;
    for (Subgroup g : graph.subgroups()) {
      long bytes = layout(g).bytes();
      largest = Math.max(largest, bytes);
      int i = g.index();
      Placement placement = graph.placement(i);
      streamed += placement == Placement.STREAMED ? 1 : 0;
      if (placement == Placement.RESIDENT) {
        state[i] = device("optimizer state", bytes);
      } else if (onDisk) {
        fileOffsets[i] = offset;
        offset += bytes;
      } else {
        state[i] = host("optimizer state", bytes);
      }
      if (placement == Placement.CPU) {
        hostWeights[i] = host("weights of the CPU update", g.size() * options.weights().bytes());
        hostGradients[i] = host("gradients", g.size() * options.gradients().bytes());
      }
    }
    slots = new MemorySegment[streamed == 0 ? 0 : options.deviceSlots()];
    for (int i = 0; i < slots.length; i++) {
      slots[i] = device("buffer for streamed state", largest);
    }
    hostSlots = new MemorySegment[offset > 0 ? options.hostSlots() : 0];
    for (int i = 0; i < hostSlots.length; i++) {
      hostSlots[i] = host("buffer for state on disk", largest);
    }
    file = offset > 0 ? new StateFile(options.stateFile().orElseThrow(), offset) : null;
    for (UpdateGraph.Task t : graph.tasks()) {
      if (t.kind() == TaskKind.LOAD) {
        hostSlot[t.subgroup().index()] = t.slot();
      }
    }
  }

  private MemorySegment device(String what, long bytes) {
    MemorySegment memory = device.allocate(bytes, what);
    onDevice.add(memory);
    return memory;
  }

  private MemorySegment host(String what, long bytes) {
    MemorySegment memory = device.allocateHost(bytes, what);
    onHost.add(memory);
    hostBytes += bytes;
    return memory;
  }

  /// Bytes of host memory in use.
  public long hostBytes() {
    return hostBytes;
  }

  private StateLayout layout(Subgroup g) {
    return new StateLayout(g.size(), options.master());
  }

  MemorySegment gradients(long from, long to) {
    long bytes = options.gradients().bytes();
    return gradients.asSlice((from - origin) * bytes, (to - from) * bytes);
  }

  MemorySegment weights(Subgroup g) {
    long bytes = options.weights().bytes();
    return weights.asSlice((g.from() - origin) * bytes, g.size() * bytes);
  }

  MemorySegment hostGradients(Subgroup g) {
    return present(hostGradients[g.index()]);
  }

  MemorySegment hostWeights(Subgroup g) {
    return present(hostWeights[g.index()]);
  }

  MemorySegment residentState(Subgroup g) {
    return present(state[g.index()]);
  }

  MemorySegment slot(Subgroup g, int slot) {
    return slots[slot].asSlice(0, layout(g).bytes());
  }

  int hostSlotOf(Subgroup g) {
    return hostSlot[g.index()];
  }

  MemorySegment hostState(Subgroup g, int slot) {
    return slot < 0 ? present(state[g.index()]) : hostSlots[slot].asSlice(0, layout(g).bytes());
  }

  void load(Subgroup g, int slot) {
    long begin = System.nanoTime();
    present(file).read(fileOffsets[g.index()], hostState(g, slot));
    Pace.until(begin + (long) (layout(g).bytes() * 1e9 / options.diskRate()));
  }

  void store(Subgroup g, int slot) {
    long begin = System.nanoTime();
    present(file).write(fileOffsets[g.index()], hostState(g, slot));
    Pace.until(begin + (long) (layout(g).bytes() * 1e9 / options.diskRate()));
  }

  private static <T> T present(@Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("that tier holds nothing of the subgroup");
    }
    return value;
  }

  void set(Subgroup g, MemorySegment master, MemorySegment momentum, MemorySegment variance) {
    long n = g.size();
    StateLayout layout = layout(g);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment image = arena.allocate(layout.bytes(), 64);
      MemorySegment rounded = arena.allocate(n * options.weights().bytes(), 64);
      MemorySegment.copy(momentum, 0, layout.momentum(image), 0, 4 * n);
      MemorySegment.copy(variance, 0, layout.variance(image), 0, 4 * n);
      if (options.master() == MasterLayout.FULL) {
        MemorySegment.copy(master, 0, layout.master(image), 0, 4 * n);
      }
      for (long i = 0; i < n; i++) {
        float p = master.get(F32, 4 * i);
        options.weights().set(rounded, i, p);
        if (options.master() == MasterLayout.SPLIT) {
          layout.master(image).set(U16, 2 * i, SplitMaster.low(p));
          layout.variance(image).set(F32, 4 * i, SplitMaster.tag(p, variance.get(F32, 4 * i)));
        }
      }
      device.upload(rounded, weights(g));
      MemorySegment kept = hostWeights[g.index()];
      if (kept != null) {
        kept.copyFrom(rounded);
      }
      MemorySegment held = state[g.index()];
      if (held == null) {
        present(file).write(fileOffsets[g.index()], image);
      } else if (graph.placement(g.index()) == Placement.RESIDENT) {
        device.upload(image, held);
      } else {
        held.copyFrom(image);
      }
    }
  }

  /// Masters from the device's weights, moments zero.
  void initialize(Subgroup g) {
    long n = g.size();
    StateLayout layout = layout(g);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment rounded = arena.allocate(n * options.weights().bytes(), 64);
      device.download(weights(g), rounded);
      MemorySegment kept = hostWeights[g.index()];
      if (kept != null) {
        kept.copyFrom(rounded);
      }
      MemorySegment held = state[g.index()];
      boolean direct = held != null && graph.placement(g.index()) != Placement.RESIDENT;
      MemorySegment image = direct ? held : arena.allocate(layout.bytes(), 64);
      if (options.master() == MasterLayout.SPLIT) {
        layout.master(image).fill((byte) 0); // a bfloat16 number has no lower half
      } else {
        Casts.toFloats(rounded, options.weights(), layout.master(image), n);
      }
      layout.momentum(image).fill((byte) 0);
      layout.variance(image).fill((byte) 0);
      if (held == null) {
        present(file).write(fileOffsets[g.index()], image);
      } else if (!direct) {
        device.upload(image, held);
      }
    }
  }

  void get(Subgroup g, MemorySegment master, MemorySegment momentum, MemorySegment variance) {
    long n = g.size();
    StateLayout layout = layout(g);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment image = arena.allocate(layout.bytes(), 64);
      MemorySegment held = state[g.index()];
      if (held == null) {
        present(file).read(fileOffsets[g.index()], image);
      } else if (graph.placement(g.index()) == Placement.RESIDENT) {
        device.download(held, image);
      } else {
        image.copyFrom(held);
      }
      MemorySegment.copy(layout.momentum(image), 0, momentum, 0, 4 * n);
      if (options.master() == MasterLayout.FULL) {
        MemorySegment.copy(layout.master(image), 0, master, 0, 4 * n);
        MemorySegment.copy(layout.variance(image), 0, variance, 0, 4 * n);
        return;
      }
      MemorySegment rounded = arena.allocate(2 * n, 64);
      device.download(weights(g), rounded);
      for (long i = 0; i < n; i++) {
        float tagged = layout.variance(image).get(F32, 4 * i);
        master.set(
            F32,
            4 * i,
            SplitMaster.join(
                rounded.get(U16, 2 * i), layout.master(image).get(U16, 2 * i), tagged));
        variance.set(F32, 4 * i, SplitMaster.untag(tagged));
      }
    }
  }

  /// The bytes that a schedule needs beside weights and gradients on the device.
  ///
  /// @param device bytes of device memory for resident state and buffers
  /// @param host bytes of host memory
  /// @param disk bytes of the state file
  public record Needs(long device, long host, long disk) {
    /// Adds up what a graph needs.
    ///
    /// @param footprint bytes that an allocation takes of the device's budget
    public static Needs of(
        UpdateGraph graph, OptimizerOptions options, LongUnaryOperator footprint) {
      long onDevice = 0;
      long onHost = 0;
      long onDisk = 0;
      long largest = 0;
      boolean streams = false;
      boolean useDisk = options.stateFile().isPresent();
      for (Subgroup g : graph.subgroups()) {
        long bytes = new StateLayout(g.size(), options.master()).bytes();
        largest = Math.max(largest, bytes);
        Placement placement = graph.placement(g.index());
        switch (placement) {
          case RESIDENT -> onDevice += footprint.applyAsLong(bytes);
          case STREAMED -> streams = true;
          case CPU ->
              onHost += g.size() * (options.weights().bytes() + options.gradients().bytes());
        }
        if (placement != Placement.RESIDENT) {
          if (useDisk) {
            onDisk += bytes;
          } else {
            onHost += bytes;
          }
        }
      }
      onDevice += streams ? options.deviceSlots() * footprint.applyAsLong(largest) : 0;
      onHost += onDisk > 0 ? options.hostSlots() * largest : 0;
      return new Needs(onDevice, onHost, onDisk);
    }
  }

  @Override
  public void close() {
    onDevice.forEach(device::free);
    onHost.forEach(device::freeHost);
    if (file != null) {
      file.close();
    }
  }
}
