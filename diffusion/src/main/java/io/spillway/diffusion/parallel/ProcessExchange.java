package io.spillway.diffusion.parallel;

import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import io.spillway.tensor.group.Traffic.Operation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// Ranks that are processes, over Gloo or NCCL.
public final class ProcessExchange implements Exchange {
  private final ProcessGroup group;
  private final Map<Integer, Integer> sends = new HashMap<>();
  private final Map<Integer, Integer> receives = new HashMap<>();

  /// Exchanges over `group`, which stays the caller's to close.
  public ProcessExchange(ProcessGroup group) {
    this.group = group;
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
    return group.allGatherAsync(all, mine.contiguous())::await;
  }

  @Override
  public Pending send(Tensor data, int to) {
    return group.sendAsync(data, to, sends.merge(to, 1, Integer::sum))::await;
  }

  @Override
  public Pending receive(Tensor into, int from) {
    return group.receiveAsync(into, from, receives.merge(from, 1, Integer::sum))::await;
  }

  @Override
  public Pending allToAll(Tensor parts, Tensor into) {
    return group.allToAllAsync(into, parts)::await;
  }

  @Override
  public Pending allReduce(Tensor data) {
    return group.allReduceAsync(data, Reduction.SUM)::await;
  }

  @Override
  public Exchange split(List<List<Integer>> partition) {
    return new ProcessExchange(group.split(partition));
  }

  @Override
  public Traffic traffic() {
    long sent = group.traffic().sentBytes();
    // collectives receive as much as they send, messages are counted where they arrive
    long received =
        sent
            - group.traffic().of(Operation.SEND).sentBytes()
            + group.traffic().of(Operation.RECEIVE).payloadBytes();
    return new Traffic(sent, received);
  }

  @Override
  public boolean onDevice() {
    return group.kind() == GroupBackend.NCCL;
  }

  @Override
  public void close() {
    group.close();
  }
}
