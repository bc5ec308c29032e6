package io.spillway.training.optimizer;

import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.GradientNorm;
import io.spillway.kernels.ParallelAdam;
import io.spillway.training.engine.Device;
import io.spillway.training.engine.Lanes;
import io.spillway.training.engine.Pace;
import io.spillway.training.engine.Signal;
import io.spillway.training.plan.Lane;
import io.spillway.training.plan.Predictor;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import io.spillway.training.plan.UpdateGraph;
import io.spillway.training.plan.UpdateGraph.Dependency;
import io.spillway.training.plan.UpdateGraph.Task;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/// Adam whose state lies in several tiers. It runs the tasks of an [UpdateGraph] on [Lanes]; the
/// weights after every step have the bits of plain Adam, whatever the schedule.
///
/// The thread that computes calls, each step: [#awaitWeights] before a block's first forward pass,
/// [#beginBackward] before the last backward pass, [#gradientsReady] as gradients become final,
/// [#finishBackward] at its end. It is the only caller.
///
/// **Shapes:** weights and gradients of the device are flat; indices are those of the whole model,
/// of which this optimizer owns a contiguous range (all of it in a single process).
public final class OffloadedOptimizer implements AutoCloseable {
  private final OptimizerOptions options;
  private final Schedule schedule;
  private final UpdateGraph graph;
  private final Lanes lanes;
  private final Tiers tiers;
  private final ParallelAdam cpu;
  private final Device device;
  private final DoubleUnaryOperator combineSquares;
  private final double[] squares;
  private final long firstBlock;

  private final Signal[] done;
  private Signal[] previous;
  private Signal[] gradients = new Signal[0];
  private long[] missing = new long[0];
  private @Nullable Signal scaleKnown;
  private volatile @Nullable AdamStep step;
  private double learningRate;
  private long stepNumber;
  private StepClock clock;
  private volatile double updateSeconds = Double.NaN;
  private int iteration;

  /// Places the state; masters must be set with [#initialize] or [#set] before the first step.
  ///
  /// @param weights the device's weights of the owned range
  /// @param gradients the device's gradients of the owned range
  /// @param combineSquares turns this process's sum of squared gradients into that of all
  public OffloadedOptimizer(
      Device device,
      MemorySegment weights,
      MemorySegment gradients,
      List<Subgroup> subgroups,
      Schedule schedule,
      OptimizerOptions options,
      Lanes lanes,
      DoubleUnaryOperator combineSquares) {
    this.device = device;
    this.options = options;
    this.schedule = schedule;
    this.lanes = lanes;
    this.combineSquares = combineSquares;
    graph = new UpdateGraph(subgroups, schedule.place(subgroups.size()), options.graph());
    tiers = new Tiers(device, weights, gradients, graph, options);
    cpu = new ParallelAdam(options.cpuThreads());
    long from = subgroups.getFirst().from();
    firstBlock = from / GradientNorm.BLOCK;
    squares =
        new double
            [(int)
                ((subgroups.getLast().to() + GradientNorm.BLOCK - 1) / GradientNorm.BLOCK
                    - firstBlock)];
    clock = new StepClock();
    done = new Signal[graph.tasks().size()];
    previous = new Signal[done.length];
    Arrays.setAll(done, _ -> Signal.given());
    Arrays.setAll(previous, _ -> Signal.given());
  }

  public UpdateGraph graph() {
    return graph;
  }

  public Tiers tiers() {
    return tiers;
  }

  /// Number of updates that were applied.
  public long steps() {
    return stepNumber;
  }

  /// Sets the number of applied updates, when training resumes.
  public void steps(long applied) {
    stepNumber = applied;
  }

  /// Waits until the weights `from` to `to` are those after the last step. Schedules that do not
  /// overlap wait for the whole update instead.
  public void awaitWeights(long from, long to) {
    if (!schedule.overlapsForward()) {
      drain();
      return;
    }
    for (Subgroup g : graph.subgroups()) {
      if (g.from() < to && from < g.to()) {
        done[graph.weightsReady(g.index())].await();
      }
    }
  }

  /// Waits until every task of the last step has ended.
  public void drain() {
    for (Signal s : done) {
      s.await();
    }
  }

  /// Queues the tasks of a step, which wait for its gradients; prefetching starts now.
  public void beginBackward(double learningRate) {
    if (scaleKnown != null) {
      throw new IllegalStateException("the step before was not finished");
    }
    this.learningRate = learningRate;
    previous = done.clone();
    List<Subgroup> subgroups = graph.subgroups();
    gradients = new Signal[subgroups.size()];
    missing = new long[subgroups.size()];
    for (Subgroup g : subgroups) {
      gradients[g.index()] = new Signal();
      missing[g.index()] = g.size();
    }
    Signal scale = new Signal();
    scaleKnown = scale;
    if (options.eager()) {
      step = AdamStep.of(options.adam(), learningRate, stepNumber + 1, 1);
      scale.give();
    }
    iteration++;
    StepClock timing = new StepClock();
    timing.scaleKnownNs = System.nanoTime();
    clock = timing;
    for (Task t : graph.tasks()) {
      List<Signal> waits = new ArrayList<>();
      for (Dependency d : t.dependencies()) {
        switch (d) {
          case Dependency.Task other -> waits.add(done[other.id()]);
          case Dependency.PreviousTask other -> waits.add(previous[other.id()]);
          case Dependency.Gradient g -> waits.add(gradients[g.subgroup()]);
          case Dependency.BackwardBegun _ -> {}
          case Dependency.ScaleKnown _ -> waits.add(scale);
        }
      }
      done[t.id()] =
          lanes.submit(
              lane(t),
              ((long) iteration << 32) + t.priority(),
              iteration,
              Predictor.label(t),
              waits,
              () -> {
                run(t);
                timing.taskEnded();
              });
    }
  }

  /// Tells that the passes that make the gradients `from` to `to` final have begun; each parameter
  /// is told once a step. Tasks wait until the device has come past them.
  public void gradientsReady(long from, long to) {
    List<Signal> complete = new ArrayList<>();
    for (Subgroup g : graph.subgroups()) {
      long overlap = Math.min(to, g.to()) - Math.max(from, g.from());
      if (overlap > 0) {
        missing[g.index()] -= overlap;
        if (missing[g.index()] == 0) {
          complete.add(gradients[g.index()]);
        } else if (missing[g.index()] < 0) {
          throw new IllegalStateException("gradients of subgroup " + g.index() + " came twice");
        }
      }
    }
    if (!complete.isEmpty()) {
      lanes.whenReached(device.mark(), complete);
    }
  }

  /// Ends the backward pass: fixes the factor on the gradients and lets the updates run. Returns
  /// before they have.
  ///
  /// @param unscale factor that undoes loss scaling
  public StepResult finishBackward(double unscale) {
    Signal scale = scaleKnown;
    if (scale == null) {
      throw new IllegalStateException("beginBackward was not called");
    }
    for (int g = 0; g < missing.length; g++) {
      if (missing[g] != 0) {
        throw new IllegalStateException(missing[g] + " gradients of subgroup " + g + " never came");
      }
    }
    double norm = Double.NaN;
    boolean applied = true;
    if (!options.eager()) {
      double factor = unscale;
      if (options.needsNorm()) {
        norm = norm(unscale);
        applied = Double.isFinite(norm);
        factor *= norm > options.maxNorm() ? options.maxNorm() / norm : 1;
      }
      step = applied ? AdamStep.of(options.adam(), learningRate, stepNumber + 1, factor) : null;
      clock.scaleKnownNs = System.nanoTime();
      scale.give();
    }
    scaleKnown = null;
    stepNumber += applied ? 1 : 0;
    return new StepResult(norm, applied);
  }

  private double norm(double unscale) {
    for (Task t : graph.tasks()) {
      if (t.kind() == io.spillway.training.plan.TaskKind.NORM) {
        done[t.id()].await();
      }
    }
    double sum = 0;
    for (double block : squares) {
      sum += block;
    }
    return Math.sqrt(combineSquares.applyAsDouble(sum)) * unscale;
  }

  /// Seconds from the end of a step's backward pass, when the factor on the gradients is known, to
  /// the end of its last task; of the last step that has ended. NaN before.
  public double updateSeconds() {
    return updateSeconds;
  }

  /// Times the update of one step.
  private final class StepClock {
    private final AtomicInteger missing = new AtomicInteger(graph.tasks().size());
    private volatile long scaleKnownNs;

    void taskEnded() {
      if (missing.decrementAndGet() == 0) {
        updateSeconds = (System.nanoTime() - scaleKnownNs) / 1e9;
      }
    }
  }

  private void run(Task t) {
    Subgroup g = t.subgroup();
    switch (t.kind()) {
      case NORM -> {
        long from = graph.normFrom(g);
        long to = graph.normTo(g);
        double[] sums =
            device.sumsOfSquares(tiers.gradients(from, to), options.gradients(), from, to - from);
        System.arraycopy(
            sums, 0, squares, (int) (from / GradientNorm.BLOCK - firstBlock), sums.length);
      }
      case FLUSH -> device.download(tiers.gradients(g.from(), g.to()), tiers.hostGradients(g));
      case LOAD -> tiers.load(g, t.slot());
      case PREFETCH -> device.upload(tiers.hostState(g, hostSlot(g)), tiers.slot(g, t.slot()));
      case DEVICE_ADAM -> {
        AdamStep k = step;
        if (k != null) {
          MemorySegment state = t.slot() < 0 ? tiers.residentState(g) : tiers.slot(g, t.slot());
          device.update(k, buffers(g, state, tiers.gradients(g.from(), g.to()), tiers.weights(g)));
        }
      }
      case WRITE_BACK -> device.download(tiers.slot(g, t.slot()), tiers.hostState(g, hostSlot(g)));
      case CPU_ADAM -> {
        AdamStep k = step;
        if (k != null) {
          long begin = System.nanoTime();
          cpu.update(
              k,
              buffers(
                  g, tiers.hostState(g, t.slot()), tiers.hostGradients(g), tiers.hostWeights(g)));
          Pace.until(begin + (long) (g.size() * 1e9 / options.cpuRate()));
        }
      }
      case UPLOAD -> {
        if (step != null) {
          device.upload(tiers.hostWeights(g), tiers.weights(g));
        }
      }
      case STORE -> tiers.store(g, t.slot());
    }
  }

  /// Copies of both directions queue in one lane, by their priority, where the link is shared.
  private Lane lane(Task t) {
    Lane lane = t.kind().lane();
    return lane == Lane.DEVICE_TO_HOST && !device.isDuplex() ? Lane.HOST_TO_DEVICE : lane;
  }

  private int hostSlot(Subgroup g) {
    return tiers.hostSlotOf(g);
  }

  private AdamBuffers buffers(
      Subgroup g, MemorySegment state, MemorySegment gradient, MemorySegment weight) {
    StateLayout layout = new StateLayout(g.size(), options.master());
    return new AdamBuffers(
        options.master(),
        layout.master(state),
        layout.momentum(state),
        layout.variance(state),
        gradient,
        options.gradients(),
        weight,
        options.weights());
  }

  /// Takes the device's weights as masters, with moments of zero. Only between steps, after
  /// [#drain].
  public void initialize() {
    graph.subgroups().parallelStream().forEach(tiers::initialize);
  }

  /// Sets the state of a subgroup and the device's weights that follow from it. Only between steps,
  /// after [#drain].
  ///
  /// **Shapes:** each `[n]` f32 on the host.
  public void set(
      Subgroup g, MemorySegment master, MemorySegment momentum, MemorySegment variance) {
    tiers.set(g, master, momentum, variance);
  }

  /// Copies the state of a subgroup into host memory. Only between steps, after [#drain].
  ///
  /// **Shapes:** each `[n]` f32 on the host.
  public void get(
      Subgroup g, MemorySegment master, MemorySegment momentum, MemorySegment variance) {
    tiers.get(g, master, momentum, variance);
  }

  /// Whether the master is kept in two halves.
  public boolean isSplit() {
    return options.master() == MasterLayout.SPLIT;
  }

  @Override
  public void close() {
    cpu.close();
    tiers.close();
  }
}
