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
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import io.spillway.training.engine.Device;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/// The processes that train together with a partitioned optimizer (ZeRO stage 1): each has all
/// weights and owns the optimizer state of one contiguous range of parameters.
public final class Ranks implements AutoCloseable {
  private static final long PIECE = 1 << 22;

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

  /// Replaces gradients by their mean over all ranks, summed in single precision.
  public void meanGradients(Device device, MemorySegment gradients, Precision precision) {
    if (group.isEmpty()) {
      return;
    }
    DType type = BlockedDecoder.dtype(precision);
    long n = gradients.byteSize() / type.bytes();
    for (long at = 0; at < n; at += PIECE) {
      long count = Math.min(PIECE, n - at);
      MemorySegment piece = gradients.asSlice(at * type.bytes(), count * type.bytes());
      TensorScope.run(() -> {
        Tensor view = device.tensor(piece, type, count);
        Tensor wide = Tensors.to(view, DType.F32);
        group.get().allReduce(wide, Reduction.MEAN);
        if (type != DType.F32) {
          view.copy_(wide);
        }
      });
    }
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

  /// Waits until every rank is here.
  public void barrier() {
    group.ifPresent(ProcessGroup::barrier);
  }

  @Override
  public void close() {
    group.ifPresent(ProcessGroup::close);
  }
}
