package io.spillway.tensor.group;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.launch.RankEnvironment;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.AllreduceOptions;
import org.bytedeco.pytorch.Backend;
import org.bytedeco.pytorch.BroadcastOptions;
import org.bytedeco.pytorch.LongVector;
import org.bytedeco.pytorch.ReduceOp;
import org.bytedeco.pytorch.ReduceOptions;
import org.bytedeco.pytorch.ReduceScatterOptions;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Work;

/// Ranks that exchange tensors. Every rank of a group must call the same collectives in the same
/// order with tensors of the same sizes and types; all tensors must be contiguous and lie on the
/// backend's kind of device.
///
/// ```java
/// try (ProcessGroup world = ProcessGroup.init(GroupBackend.GLOO, RankEnvironment.current())) {
///   world.allReduce(gradient, Reduction.MEAN);
/// }
/// ```
///
/// Methods that end in `Async` begin the operation and return; the others wait for its end.
///
/// **Errors:** a lost peer or a timeout as [SpillwayException] with [ErrorCode#NOT_AVAILABLE]; the
/// group is of no use afterwards.
public final class ProcessGroup implements AutoCloseable {
  private final GroupBackend kind;
  private final List<Integer> ranks;
  private final int rank;
  private final GroupOptions options;
  private final Backend backend;
  private final Connection connection;
  private final TensorHolder held = new TensorHolder();
  private final Traffic traffic;
  private final String name;
  private int splits;
  private volatile boolean broken;

  private ProcessGroup(
      GroupBackend kind,
      List<Integer> ranks,
      int rank,
      GroupOptions options,
      Connection connection,
      Traffic traffic,
      String name) {
    this.kind = kind;
    this.ranks = List.copyOf(ranks);
    this.rank = rank;
    this.options = options;
    this.connection = connection;
    this.traffic = traffic;
    this.name = name;
    try (TensorScope scope = TensorScope.open()) {
      this.backend =
          held.hold(scope.adopt(connection.backend(kind, name, rank, ranks.size(), options)));
    } catch (RuntimeException e) {
      held.close();
      throw explain("connecting", e);
    }
  }

  /// Joins the group of all ranks; returns when rank 0's store answers.
  public static ProcessGroup init(GroupBackend kind, RankEnvironment environment) {
    return init(kind, environment, GroupOptions.defaults());
  }

  /// Joins the group of all ranks with options of one's own.
  public static ProcessGroup init(
      GroupBackend kind, RankEnvironment environment, GroupOptions options) {
    Connection connection = Connection.open(environment, options);
    try {
      List<Integer> all = IntStream.range(0, environment.worldSize()).boxed().toList();
      return new ProcessGroup(
          kind, all, environment.rank(), options, connection, new Traffic(), "world");
    } catch (RuntimeException e) {
      connection.close();
      throw e;
    }
  }

  /// Cuts this group into disjoint groups; every rank calls it with the same partition and gets the
  /// group that it belongs to. Numbers are ranks of this group; their order in a part is their
  /// order in the new group. Traffic is counted together with this group's.
  ///
  /// **Errors:** parts that do not cover every rank exactly once.
  public ProcessGroup split(List<List<Integer>> partition) {
    Set<Integer> seen = new HashSet<>();
    List<Integer> mine = null;
    for (List<Integer> part : partition) {
      for (int r : part) {
        if (r < 0 || r >= size() || !seen.add(r)) {
          throw new IllegalArgumentException(
              "rank " + r + " is twice in the partition or beyond the " + size() + " ranks");
        }
      }
      if (part.contains(rank)) {
        mine = part;
      }
    }
    if (mine == null || seen.size() != size()) {
      throw new IllegalArgumentException("the partition leaves out ranks: " + partition);
    }
    splits++;
    String part = name + "/" + splits + "/" + mine.getFirst();
    return new ProcessGroup(
        kind,
        mine.stream().map(ranks::get).toList(),
        mine.indexOf(rank),
        options,
        connection,
        traffic,
        part);
  }

  /// This process in this group.
  public int rank() {
    return rank;
  }

  public int size() {
    return ranks.size();
  }

  /// The world's numbers of this group's ranks.
  public List<Integer> ranks() {
    return ranks;
  }

  public GroupBackend kind() {
    return kind;
  }

  /// What this rank exchanged, together with the groups split from this one.
  public Traffic traffic() {
    return traffic;
  }

  /// Reduces `t` over all ranks, in place.
  public void allReduce(Tensor t, Reduction reduction) {
    allReduceAsync(t, reduction).await();
  }

  /// Begins reducing `t` over all ranks, in place.
  public Pending allReduceAsync(Tensor t, Reduction reduction) {
    long bytes = checkedBytes(t);
    traffic.add(Traffic.Operation.ALL_REDUCE, bytes, 2 * bytes * (size() - 1) / size());
    return begin(
        "all-reduce",
        () ->
            backend.allreduce(
                new TensorVector(t), new AllreduceOptions().reduceOp(operation(reduction))),
        mean(reduction, t),
        t);
  }

  /// Begins reducing `t` over all ranks into `t` of rank `root`; what the others have in theirs
  /// afterwards is not defined.
  public Pending reduceAsync(Tensor t, int root, Reduction reduction) {
    checkPeer(root);
    long bytes = checkedBytes(t);
    traffic.add(Traffic.Operation.REDUCE, bytes, rank == root ? 0 : bytes);
    return begin(
        "reduce to rank " + root,
        () ->
            backend.reduce(
                new TensorVector(t),
                new ReduceOptions().reduceOp(operation(reduction)).rootRank(root)),
        rank == root ? mean(reduction, t) : () -> {},
        t);
  }

  /// Collects the `in` of every rank into `out`, in the order of ranks.
  ///
  /// **Shapes:** out has `size()` times the elements of in.
  public void allGather(Tensor out, Tensor in) {
    allGatherAsync(out, in).await();
  }

  public Pending allGatherAsync(Tensor out, Tensor in) {
    long bytes = checkedBytes(in);
    checkSize("all-gather output", checkedBytes(out), bytes * size());
    traffic.add(Traffic.Operation.ALL_GATHER, bytes, bytes * (size() - 1));
    return begin("all-gather", () -> backend._allgather_base(out, in), () -> {}, out, in);
  }

  /// Reduces the `in` of every rank and leaves the part of this rank's number in `out`.
  ///
  /// **Shapes:** in has `size()` times the elements of out.
  public void reduceScatter(Tensor out, Tensor in, Reduction reduction) {
    reduceScatterAsync(out, in, reduction).await();
  }

  public Pending reduceScatterAsync(Tensor out, Tensor in, Reduction reduction) {
    long bytes = checkedBytes(in);
    checkSize("reduce-scatter input", bytes, checkedBytes(out) * size());
    traffic.add(Traffic.Operation.REDUCE_SCATTER, bytes, bytes * (size() - 1) / size());
    return begin(
        "reduce-scatter",
        () ->
            backend._reduce_scatter_base(
                out, in, new ReduceScatterOptions().reduceOp(operation(reduction))),
        mean(reduction, out),
        out,
        in);
  }

  /// Sends the i-th equal part of `in` to rank i and receives its part for this rank.
  ///
  /// **Shapes:** both have the same elements, divisible by `size()` along the first dimension.
  public void allToAll(Tensor out, Tensor in) {
    allToAllAsync(out, in).await();
  }

  public Pending allToAllAsync(Tensor out, Tensor in) {
    long bytes = checkedBytes(in);
    checkSize("all-to-all output", checkedBytes(out), bytes);
    traffic.add(Traffic.Operation.ALL_TO_ALL, bytes, bytes * (size() - 1) / size());
    return begin(
        "all-to-all",
        () -> backend.alltoall_base(out, in, new LongVector(), new LongVector()),
        () -> {},
        out,
        in);
  }

  /// As [#allToAll(Tensor, Tensor)] with parts of unequal length along the first dimension.
  ///
  /// @param outSizes rows that arrive from each rank
  /// @param inSizes rows that go to each rank
  public void allToAll(Tensor out, Tensor in, long[] outSizes, long[] inSizes) {
    allToAllAsync(out, in, outSizes, inSizes).await();
  }

  public Pending allToAllAsync(Tensor out, Tensor in, long[] outSizes, long[] inSizes) {
    long bytes = checkedBytes(in);
    checkedBytes(out);
    long own = in.size(0) == 0 ? 0 : bytes / in.size(0) * inSizes[rank];
    traffic.add(Traffic.Operation.ALL_TO_ALL, bytes, bytes - own);
    return begin(
        "all-to-all",
        () -> backend.alltoall_base(out, in, new LongVector(outSizes), new LongVector(inSizes)),
        () -> {},
        out,
        in);
  }

  /// Copies `t` of rank `root` to all ranks, in place.
  public void broadcast(Tensor t, int root) {
    broadcastAsync(t, root).await();
  }

  public Pending broadcastAsync(Tensor t, int root) {
    checkPeer(root);
    long bytes = checkedBytes(t);
    traffic.add(Traffic.Operation.BROADCAST, bytes, rank == root && size() > 1 ? bytes : 0);
    return begin(
        "broadcast from rank " + root,
        () -> backend.broadcast(new TensorVector(t), new BroadcastOptions().rootRank(root)),
        () -> {},
        t);
  }

  /// Sends `t` to rank `to`; returns when the peer has taken it.
  ///
  /// @param tag tells apart messages between the same two ranks (Gloo only)
  public void send(Tensor t, int to, int tag) {
    sendAsync(t, to, tag).await();
  }

  public Pending sendAsync(Tensor t, int to, int tag) {
    checkPeer(to);
    long bytes = checkedBytes(t);
    traffic.add(Traffic.Operation.SEND, bytes, bytes);
    return begin(
        "send to rank " + to, () -> backend.send(new TensorVector(t), to, tag), () -> {}, t);
  }

  /// Receives into `t` what rank `from` sends.
  public void receive(Tensor t, int from, int tag) {
    receiveAsync(t, from, tag).await();
  }

  public Pending receiveAsync(Tensor t, int from, int tag) {
    checkPeer(from);
    traffic.add(Traffic.Operation.RECEIVE, checkedBytes(t), 0);
    return begin(
        "receive from rank " + from,
        () -> backend.recv(new TensorVector(t), from, tag),
        () -> {},
        t);
  }

  /// Waits until every rank is here.
  public void barrier() {
    traffic.add(Traffic.Operation.BARRIER, 0, 0);
    begin("barrier", backend::barrier, () -> {}).await();
  }

  private interface Start {
    Work work();
  }

  private Pending begin(String what, Start start, Runnable whenDone, Tensor... alive) {
    try (TensorScope scope = TensorScope.open()) {
      return new Pending(this, what, scope.adopt(start.work()), whenDone, alive);
    } catch (RuntimeException e) {
      throw e instanceof SpillwayException ? e : explain(what, e);
    }
  }

  private Runnable mean(Reduction reduction, Tensor t) {
    return reduction == Reduction.MEAN && kind == GroupBackend.GLOO
        ? () -> TensorScope.run(() -> t.div_(new Scalar((double) size())))
        : () -> {};
  }

  private ReduceOp operation(Reduction reduction) {
    return new ReduceOp(
        switch (reduction) {
          case SUM -> ReduceOp.RedOpType.SUM;
          // Gloo has no average; the sum is divided afterwards
          case MEAN -> kind == GroupBackend.NCCL ? ReduceOp.RedOpType.AVG : ReduceOp.RedOpType.SUM;
          case MIN -> ReduceOp.RedOpType.MIN;
          case MAX -> ReduceOp.RedOpType.MAX;
        });
  }

  private long checkedBytes(Tensor t) {
    if (!t.is_contiguous()) {
      throw new IllegalArgumentException(
          "a tensor of shape "
              + java.util.Arrays.toString(Tensors.shape(t))
              + " has gaps; call contiguous() before it is exchanged");
    }
    if (t.is_cuda() != (kind == GroupBackend.NCCL)) {
      throw new IllegalArgumentException(
          kind + " cannot exchange a tensor on " + (t.is_cuda() ? "a GPU" : "the CPU"));
    }
    return t.numel() * t.element_size();
  }

  private static void checkSize(String what, long bytes, long wanted) {
    if (bytes != wanted) {
      throw new IllegalArgumentException(
          what + " has " + bytes + " bytes, " + wanted + " are needed");
    }
  }

  private void checkPeer(int peer) {
    if (peer < 0 || peer >= size()) {
      throw new IllegalArgumentException("rank " + peer + " is not one of the " + size());
    }
  }

  /// Turns a native failure into words.
  SpillwayException explain(String what, RuntimeException e) {
    broken = true;
    String native_ = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    String lower = native_.toLowerCase(java.util.Locale.ROOT);
    String why;
    if (lower.contains("timed out") || lower.contains("timeout")) {
      why =
          "it waited longer than "
              + options.timeout().toMillis() / 1000.0
              + " s; a peer hangs, died, or did not call the same operation";
    } else if (lower.contains("closed") || lower.contains("reset") || lower.contains("broken")) {
      why = "the connection to a peer was lost, so another rank ended; look at its last lines";
    } else {
      why = "the backend refused";
    }
    return new SpillwayException(
        ErrorCode.NOT_AVAILABLE,
        "rank "
            + ranks.get(rank)
            + " of group "
            + name
            + " "
            + ranks
            + ": "
            + what
            + " failed: "
            + why
            + " ("
            + native_.strip()
            + ")",
        e);
  }

  /// Leaves the group. Ranks that still have work to exchange should meet at a [#barrier] first.
  @Override
  public void close() {
    if (kind == GroupBackend.NCCL) {
      try {
        if (broken) {
          backend.abort();
        } else {
          backend.shutdown(); // else NCCL warns at exit that its communicators leak
        }
      } catch (RuntimeException e) {
        System.err.println("spillway: " + explain("leaving", e).getMessage());
      }
    }
    held.close();
    if (name.equals("world")) {
      connection.close();
    }
  }
}
