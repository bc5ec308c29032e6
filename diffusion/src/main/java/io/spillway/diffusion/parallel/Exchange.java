package io.spillway.diffusion.parallel;

import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// What ranks that share one image exchange. Calls begin work and return at once; the tensors named
/// in a call must stay as they are until its [Pending#await] returns.
///
/// Ranks must begin the same collectives in the same order, and receives from one rank in the order
/// of its sends.
///
/// **Errors:** a rank that died ends every wait with a [io.spillway.platform.SpillwayException]
/// that names it where it is known.
public interface Exchange extends AutoCloseable {
  /// An exchange under way.
  @FunctionalInterface
  interface Pending {
    /// Nothing to wait for.
    Pending DONE = () -> {};

    /// Waits until the data are there and the own ones are on their way.
    void await();
  }

  int rank();

  int size();

  /// Gathers equal tensors of all ranks.
  ///
  /// **Shapes:** mine [...], all [size, ...], both contiguous.
  Pending allGather(Tensor mine, Tensor all);

  /// Sends a contiguous tensor to one rank.
  Pending send(Tensor data, int to);

  /// Receives into a contiguous tensor.
  Pending receive(Tensor into, int from);

  /// Rank i's part j becomes rank j's part i.
  ///
  /// **Shapes:** parts and into [size, ...], both contiguous.
  Pending allToAll(Tensor parts, Tensor into);

  /// Sends consecutive parts of one flat tensor to all ranks and fills another with theirs; this is
  /// how neighbours trade, with 0 for everyone else: a pair of sends and receives that wait for
  /// each other could block a GPU's one queue.
  ///
  /// **Shapes:** parts [sum of counts], into [sum of intoCounts]; the own counts are 0.
  ///
  /// @param counts elements for each rank
  /// @param intoCounts elements from each rank
  Pending allToAll(Tensor parts, long[] counts, Tensor into, long[] intoCounts);

  /// Sums a contiguous tensor over all ranks in place.
  Pending allReduce(Tensor data);

  /// Cuts the ranks into disjoint groups and returns the exchange of the own one; every rank calls
  /// it with the same partition.
  Exchange split(List<List<Integer>> partition);

  /// What passed so far, over this exchange and those made of it.
  Traffic traffic();

  /// Bytes of payload.
  ///
  /// @param sent by this rank
  /// @param received by this rank
  record Traffic(long sent, long received) {
    public Traffic minus(Traffic earlier) {
      return new Traffic(sent - earlier.sent, received - earlier.received);
    }
  }

  /// Whether tensors may lie on a GPU.
  default boolean onDevice() {
    return false;
  }

  @Override
  void close();
}
