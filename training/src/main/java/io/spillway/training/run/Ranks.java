package io.spillway.training.run;

import io.spillway.kernels.GradientNorm;
import io.spillway.kernels.Precision;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.Pending;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import io.spillway.training.engine.Device;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// The processes that train together with a partitioned optimizer (ZeRO stage 1): each has all
/// weights and owns the optimizer state of one contiguous range of parameters.
public final class Ranks implements AutoCloseable {
  private static final long PIECE = 1 << 24;

  private final Optional<ProcessGroup> group;
  private final ComputeDevice processor;
  private final int rank;
  private final int size;

  private Ranks(Optional<ProcessGroup> group, ComputeDevice processor) {
    this.group = group;
    this.processor = processor;
    rank = group.map(ProcessGroup::rank).orElse(0);
    size = group.map(ProcessGroup::size).orElse(1);
  }

  /// The job that the environment describes, or this process alone.
  ///
  /// @param processor where weights and gradients lie: NCCL connects GPUs, Gloo processors
  public static Ranks current(ComputeDevice processor) {
    if (!RankEnvironment.isSet()) {
      return alone();
    }
    RankEnvironment environment = RankEnvironment.current();
    GroupBackend backend = processor.isCuda() ? GroupBackend.NCCL : GroupBackend.GLOO;
    return environment.worldSize() == 1
        ? alone()
        : new Ranks(Optional.of(ProcessGroup.init(backend, environment)), processor);
  }

  /// One process.
  public static Ranks alone() {
    return new Ranks(Optional.empty(), Devices.cpu());
  }

  public int rank() {
    return rank;
  }

  public int size() {
    return size;
  }

  /// First parameter that `rank` owns of `parameters`; ranges begin at norm blocks.
  public long from(long parameters, int rank) {
    long blocks = GradientNorm.blocks(parameters);
    if (blocks < size) {
      throw SpillwayException.badInput(
          "%d parameters cannot be shared by %d ranks; use at most %d", parameters, size, blocks);
    }
    return Math.min(parameters, blocks * rank / size * GradientNorm.BLOCK);
  }

  /// The mean of a number over all ranks.
  public double mean(double value) {
    return sum(value) / size;
  }

  /// The sum of a number over all ranks.
  public double sum(double value) {
    if (group.isEmpty()) {
      return value;
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor t = Tensors.to(scope.adopt(Tensors.of(new double[] {value}, 1)), processor);
      group.get().allReduce(t, Reduction.SUM);
      return t.item_double();
    }
  }

  /// Replaces each owner's part of the gradients `from` to `to` by the mean over all ranks, summed
  /// in single precision; nobody needs the rest. A piece is widened while the one before it
  /// travels.
  ///
  /// @param gradients all of the model's
  /// @param parameters of the model
  public void meanGradients(
      Device device,
      MemorySegment gradients,
      Precision precision,
      long parameters,
      long from,
      long to) {
    if (group.isEmpty()) {
      return;
    }
    DType type = BlockedDecoder.dtype(precision);
    TensorScope.run(() -> {
      @Nullable Runnable before = null;
      for (int owner = 0; owner < size; owner++) {
        long begin = Math.max(from, from(parameters, owner));
        long end = Math.min(to, from(parameters, owner + 1));
        for (long at = begin; at < end; at += PIECE) {
          long count = Math.min(PIECE, end - at);
          Runnable arrival =
              reduce(
                  device.tensor(
                      gradients.asSlice(at * type.bytes(), count * type.bytes()), type, count),
                  owner);
          if (before != null) {
            before.run();
          }
          before = arrival;
        }
      }
      if (before != null) {
        before.run();
      }
    });
  }

  /// Begins reducing `view` to its owner; what comes back waits for it.
  private Runnable reduce(Tensor view, int owner) {
    Tensor wide = Tensors.to(view, DType.F32);
    Pending pending = group.orElseThrow().reduceAsync(wide, owner, Reduction.MEAN);
    return () -> {
      pending.await();
      if (owner == rank && Tensors.dtype(view) != DType.F32) {
        view.copy_(wide);
      }
      wide.close();
    };
  }

  /// Spreads the weights of each owner to all ranks.
  public void gatherWeights(
      Device device, MemorySegment weights, Precision precision, long parameters) {
    if (group.isEmpty()) {
      return;
    }
    DType type = BlockedDecoder.dtype(precision);
    for (int owner = 0; owner < size; owner++) {
      int root = owner;
      long from = from(parameters, owner);
      long n = from(parameters, owner + 1) - from;
      MemorySegment part = weights.asSlice(from * type.bytes(), n * type.bytes());
      // bytes travel as they are: no arithmetic touches them
      TensorScope.run(
          () -> group.get().broadcast(device.tensor(part, DType.U8, part.byteSize()), root));
    }
  }

  /// Exchanges once what a step exchanges, so that the buffers which that takes are there when the
  /// device's memory is shared out: on a GPU NCCL's channels take more than half a gigabyte.
  ///
  /// @param gradients what they hold now is of no use afterwards
  void rehearse(
      Device device,
      MemorySegment weights,
      MemorySegment gradients,
      Precision precision,
      long parameters) {
    if (size > 1) {
      gatherWeights(device, weights, precision, parameters);
      meanGradients(device, gradients, precision, parameters, 0, parameters);
    }
  }

  /// Waits until every rank is here.
  public void barrier() {
    group.ifPresent(ProcessGroup::barrier);
  }

  @Override
  public void close() {
    group.ifPresent(ProcessGroup::close);
  }
}
