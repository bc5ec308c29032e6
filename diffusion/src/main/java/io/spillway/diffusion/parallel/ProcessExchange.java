package io.spillway.diffusion.parallel;

import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.pytorch.Tensor;

/// Ranks that are processes, over Gloo or NCCL.
public final class ProcessExchange implements Exchange {
  private final ProcessGroup group;
  private final AtomicLong received;
  private final Map<List<List<Integer>>, ProcessExchange> splits = new HashMap<>();
  private final Map<Integer, Integer> sends = new HashMap<>();
  private final Map<Integer, Integer> receives = new HashMap<>();

  /// Exchanges over `group`; closing this closes it. Groups split from it are made once for each
  /// partition and live as long: connecting costs more than many images.
  public ProcessExchange(ProcessGroup group) {
    this(group, new AtomicLong());
  }

  private ProcessExchange(ProcessGroup group, AtomicLong received) {
    this.group = group;
    this.received = received;
  }

  /// Counts what arrived once it is there.
  private Pending counting(io.spillway.tensor.group.Pending pending, long bytes) {
    return () -> {
      pending.await();
      received.addAndGet(bytes);
    };
  }

  private static long bytes(Tensor t) {
    return t.numel() * t.element_size();
  }

  @Override
  public int rank() {
    return group.rank();
  }

  @Override
  public int size() {
    return group.size();
  }

  @Override
  public Pending allGather(Tensor mine, Tensor all) {
    // Gloo wants both flat: it cuts the output along its first axis
    return counting(
        group.allGatherAsync(all.view(-1), mine.contiguous().view(-1)), bytes(mine) * (size() - 1));
  }

  @Override
  public Pending send(Tensor data, int to) {
    return group.sendAsync(data, to, sends.merge(to, 1, Integer::sum))::await;
  }

  @Override
  public Pending receive(Tensor into, int from) {
    return counting(
        group.receiveAsync(into, from, receives.merge(from, 1, Integer::sum)), bytes(into));
  }

  @Override
  public Pending allToAll(Tensor parts, Tensor into) {
    return counting(group.allToAllAsync(into, parts), bytes(parts) * (size() - 1) / size());
  }

  @Override
  public Pending allToAll(Tensor parts, long[] counts, Tensor into, long[] intoCounts) {
    return counting(group.allToAllAsync(into, parts, intoCounts, counts), bytes(into));
  }

  @Override
  public Pending allReduce(Tensor data) {
    return counting(
        group.allReduceAsync(data, Reduction.SUM), 2 * bytes(data) * (size() - 1) / size());
  }

  @Override
  public Exchange split(List<List<Integer>> partition) {
    return splits.computeIfAbsent(
        partition.stream().map(List::copyOf).toList(),
        p -> new ProcessExchange(group.split(p), received));
  }

  @Override
  public Traffic traffic() {
    return new Traffic(group.traffic().sentBytes(), received.get());
  }

  @Override
  public boolean onDevice() {
    return group.kind() == GroupBackend.NCCL;
  }

  @Override
  public void close() {
    splits.values().forEach(ProcessExchange::close);
    splits.clear();
    group.close();
  }
}
