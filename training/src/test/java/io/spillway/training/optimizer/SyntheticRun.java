package io.spillway.training.optimizer;

import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.GradientNorm;
import io.spillway.kernels.Precision;
import io.spillway.kernels.ScalarAdam;
import io.spillway.training.engine.DeviceSpec;
import io.spillway.training.engine.Lanes;
import io.spillway.training.engine.SimulatedDevice;
import io.spillway.training.plan.Lane;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.ToLongFunction;

/// A model without layers whose gradients depend on its current weights, so that a stale or lost
/// weight changes everything after it.
final class SyntheticRun {
  private static final int BLOCKS = 5;

  final int n;
  final int steps;
  final OptimizerOptions options;

  SyntheticRun(int n, int steps, OptimizerOptions options) {
    this.n = n;
    this.steps = steps;
    this.options = options;
  }

  /// Weights, master, momentum and variance after all steps.
  record Outcome(byte[] weights, float[] master, float[] momentum, float[] variance) {}

  static float gradient(long step, long index, float weight) {
    long z = (step * 0x9E3779B97F4A7C15L) ^ (index * 0xBF58476D1CE4E5B9L);
    z = (z ^ (z >>> 30)) * 0x94D049BB133111EBL;
    z ^= z >>> 27;
    return (float) ((z >> 40) * 0x1p-24) + 0.3f * weight;
  }

  static float start(long index) {
    return gradient(7777, index, 0) * 0.5f;
  }

  double learningRate(int step) {
    return 1e-2 / (1 + step);
  }

  /// Adam as its definition has it: one array, one pass, the scalar twin.
  Outcome plain() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment master = arena.allocate(4L * n, 64);
      MemorySegment momentum = arena.allocate(4L * n, 64);
      MemorySegment variance = arena.allocate(4L * n, 64);
      MemorySegment gradients = arena.allocate(4L * n, 64);
      MemorySegment weights = arena.allocate(4L * n, 64);
      for (int i = 0; i < n; i++) {
        master.set(ValueLayout.JAVA_FLOAT, 4L * i, start(i));
        options.weights().set(weights, i, start(i));
      }
      for (int step = 0; step < steps; step++) {
        for (int i = 0; i < n; i++) {
          float w = options.weights().get(weights, i);
          options.gradients().set(gradients, i, gradient(step, i, w));
        }
        double scale = 1;
        if (options.needsNorm()) {
          double sum = 0;
          for (long at = 0; at < n; at += GradientNorm.BLOCK) {
            long end = Math.min(n, at + GradientNorm.BLOCK);
            sum += GradientNorm.sumOfSquares(gradients, options.gradients(), at, end);
          }
          double norm = Math.sqrt(sum);
          scale = norm > options.maxNorm() ? options.maxNorm() / norm : 1;
        }
        new ScalarAdam()
            .update(
                AdamStep.of(options.adam(), learningRate(step), step + 1, scale),
                new AdamBuffers(
                    MasterLayout.FULL,
                    master,
                    momentum,
                    variance,
                    gradients,
                    options.gradients(),
                    weights,
                    options.weights()));
      }
      return new Outcome(
          weights.asSlice(0, (long) n * options.weights().bytes()).toArray(ValueLayout.JAVA_BYTE),
          master.toArray(ValueLayout.JAVA_FLOAT),
          momentum.toArray(ValueLayout.JAVA_FLOAT),
          variance.toArray(ValueLayout.JAVA_FLOAT));
    }
  }

  Outcome offloaded(Schedule schedule, long subgroupSize, ToLongFunction<Lane> delay) {
    return offloaded(schedule, subgroupSize, delay, steps);
  }

  /// The same through the tiers; after `resumeAt` steps everything is copied out, thrown away and
  /// copied into a new optimizer.
  Outcome offloaded(
      Schedule schedule, long subgroupSize, ToLongFunction<Lane> delay, int resumeAt) {
    DeviceSpec spec =
        DeviceSpec.parse("memory=64MiB,link=20GB/s,update=1e10,duplex=" + (subgroupSize % 2 == 0));
    MemorySegment[] state = new MemorySegment[3];
    try (Arena arena = Arena.ofShared()) {
      for (int i = 0; i < 3; i++) {
        state[i] = arena.allocate(4L * n, 64);
      }
      for (int i = 0; i < n; i++) {
        state[0].set(ValueLayout.JAVA_FLOAT, 4L * i, start(i));
      }
      byte[] weights = part(schedule, subgroupSize, delay, spec, state, 0, resumeAt);
      if (resumeAt < steps) {
        weights = part(schedule, subgroupSize, delay, spec, state, resumeAt, steps);
      }
      return new Outcome(
          weights,
          state[0].toArray(ValueLayout.JAVA_FLOAT),
          state[1].toArray(ValueLayout.JAVA_FLOAT),
          state[2].toArray(ValueLayout.JAVA_FLOAT));
    }
  }

  private byte[] part(
      Schedule schedule,
      long subgroupSize,
      ToLongFunction<Lane> delay,
      DeviceSpec spec,
      MemorySegment[] state,
      int from,
      int to) {
    try (SimulatedDevice device = new SimulatedDevice(spec);
        Lanes lanes = new Lanes()) {
      lanes.delay(delay);
      Precision w = options.weights();
      Precision gr = options.gradients();
      MemorySegment weights = device.allocate((long) n * w.bytes(), "weights");
      MemorySegment gradients = device.allocate((long) n * gr.bytes(), "gradients");
      List<Subgroup> subgroups = Subgroup.cut(0, n, subgroupSize);
      try (OffloadedOptimizer optimizer =
          new OffloadedOptimizer(
              device, weights, gradients, subgroups, schedule, options, lanes, x -> x)) {
        optimizer.steps(from);
        for (Subgroup g : subgroups) {
          optimizer.set(g, slice(state[0], g), slice(state[1], g), slice(state[2], g));
        }
        float[] seen = new float[n];
        for (int step = from; step < to; step++) {
          for (int b = 0; b < BLOCKS; b++) {
            int begin = n * b / BLOCKS;
            int end = n * (b + 1) / BLOCKS;
            optimizer.awaitWeights(begin, end);
            for (int i = begin; i < end; i++) {
              seen[i] = w.get(weights, i);
            }
          }
          optimizer.beginBackward(learningRate(step));
          for (int b = BLOCKS - 1; b >= 0; b--) {
            int begin = n * b / BLOCKS;
            int end = n * (b + 1) / BLOCKS;
            for (int i = begin; i < end; i++) {
              gr.set(gradients, i, gradient(step, i, seen[i]));
            }
            optimizer.gradientsReady(begin, end);
          }
          optimizer.finishBackward(1);
        }
        optimizer.drain();
        for (Subgroup g : subgroups) {
          optimizer.get(g, slice(state[0], g), slice(state[1], g), slice(state[2], g));
        }
        return weights.toArray(ValueLayout.JAVA_BYTE);
      }
    }
  }

  private static MemorySegment slice(MemorySegment all, Subgroup g) {
    return all.asSlice(4 * g.from(), 4 * g.size());
  }
}
