package io.spillway.planner.measure;

import io.spillway.platform.Progress;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.group.ProcessGroup;
import io.spillway.tensor.group.Reduction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/// Measures every link of a job by a tournament: in each of n - 1 rounds the processes form
/// disjoint pairs that measure at the same time, so n processes need n - 1 rounds instead of n(n -
/// 1)/2.
///
/// In a pair one side sends a message of the size and the other answers with four bytes; half of a
/// four-byte round trip is taken off. The median of the repetitions counts.
///
/// **Source:** the disjoint pairs are those of the Pipette authors' profiler; sizes, directions and
/// the small answer are ours.
public final class LinkProfiler {
  private static final int TAG = 900_000;

  private final ProcessGroup world;
  private final ComputeDevice device;
  private final List<Long> sizes;
  private final double secondsEach;

  /// @param device where messages lie: CPU for Gloo, a GPU for NCCL
  /// @param sizes message sizes in bytes, rising, multiples of 4
  /// @param secondsEach about how long one size of one direction may take
  public LinkProfiler(
      ProcessGroup world, ComputeDevice device, List<Long> sizes, double secondsEach) {
    this.world = world;
    this.device = device;
    this.sizes = List.copyOf(sizes);
    this.secondsEach = secondsEach;
  }

  /// Pairs of one round; with an odd number of processes one of them rests (its partner is -1).
  static int[] partners(int round, int n) {
    int even = n + n % 2;
    int[] partner = new int[n];
    Arrays.fill(partner, -1);
    int[] seat = new int[even];
    // the circle method: the last one stays, the others move on by one each round
    for (int i = 0; i < even - 1; i++) {
      seat[i] = (i + round) % (even - 1);
    }
    seat[even - 1] = even - 1;
    for (int i = 0; i < even / 2; i++) {
      int a = seat[i];
      int b = seat[even - 1 - i];
      if (a < n && b < n) {
        partner[a] = b;
        partner[b] = a;
      }
    }
    return partner;
  }

  /// Measures; every process gets the whole profile.
  public LinkProfile run(Progress progress) {
    int n = world.size();
    double[] mine = new double[n * sizes.size()];
    int rounds = n + n % 2 - 1;
    try (Progress.Task task = progress.start("links", rounds)) {
      for (int round = 0; round < rounds; round++) {
        world.barrier();
        int peer = partners(round, n)[world.rank()];
        if (peer >= 0) {
          double[] times = pair(peer);
          System.arraycopy(times, 0, mine, peer * sizes.size(), sizes.size());
        }
        task.advance(1);
      }
    }
    return gather(mine);
  }

  /// Times of messages from this process to `peer`.
  private double[] pair(int peer) {
    double[] times = new double[sizes.size()];
    boolean first = world.rank() < peer;
    double latency = 0;
    for (int direction = 0; direction < 2; direction++) {
      boolean sender = first == (direction == 0);
      double[] small = exchange(peer, sender, 4, 0.05);
      latency = sender ? median(small) / 2 : latency;
      for (int i = 0; i < sizes.size(); i++) {
        double[] all = exchange(peer, sender, sizes.get(i), secondsEach);
        if (sender) {
          times[i] = Math.max(1e-9, median(all) - latency);
        }
      }
    }
    return times;
  }

  /// Round trips of a message one way and four bytes back; their times matter on the sender.
  private double[] exchange(int peer, boolean sender, long bytes, double budget) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor message = scope.adopt(Tensors.empty(DType.F32, device, bytes / 4));
      Tensor answer = scope.adopt(Tensors.empty(DType.F32, device, 1));
      message.zero_();
      answer.zero_();
      double first = roundTrip(peer, sender, message, answer);
      first = Math.min(first, roundTrip(peer, sender, message, answer));
      // the sender decides how often; the other side is told by the answer's counterpart
      Tensor count = scope.adopt(Tensors.empty(DType.I64, device, 1));
      if (sender) {
        count.fill_(
            new org.bytedeco.pytorch.Scalar(
                (double) Math.clamp(Math.round(budget / first), 3, 200)));
        world.send(count, peer, TAG);
      } else {
        world.receive(count, peer, TAG);
      }
      int repetitions = (int) Tensors.longs(count)[0];
      double[] times = new double[repetitions];
      for (int i = 0; i < repetitions; i++) {
        times[i] = roundTrip(peer, sender, message, answer);
      }
      return times;
    }
  }

  private double roundTrip(int peer, boolean sender, Tensor message, Tensor answer) {
    long begin = System.nanoTime();
    if (sender) {
      world.send(message, peer, TAG + 1);
      world.receive(answer, peer, TAG + 2);
    } else {
      world.receive(message, peer, TAG + 1);
      world.send(answer, peer, TAG + 2);
    }
    Devices.synchronize(device);
    return (System.nanoTime() - begin) / 1e9;
  }

  static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted.length % 2 == 1
        ? sorted[sorted.length / 2]
        : (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2;
  }

  private LinkProfile gather(double[] mine) {
    int n = world.size();
    int each = n * sizes.size();
    double[] all = new double[n * each];
    System.arraycopy(mine, 0, all, world.rank() * each, each);
    try (TensorScope scope = TensorScope.open()) {
      Tensor whole = scope.adopt(Tensors.to(Tensors.of(all, all.length), device));
      world.allReduce(whole, Reduction.SUM);
      double[] sums = Tensors.doubles(whole);
      List<double[][]> rows = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        double[][] row = new double[n][];
        for (int j = 0; j < n; j++) {
          int at = i * each + j * sizes.size();
          row[j] = Arrays.copyOfRange(sums, at, at + sizes.size());
        }
        rows.add(row);
      }
      return new LinkProfile(sizes, rows.toArray(double[][][]::new));
    }
  }
}
