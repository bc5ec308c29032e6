package io.spillway.planner.simulate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Plays one pipeline's schedule event by event: 1F1B, or its interleaved form when stages hold
/// several chunks of layers.
///
/// An operation starts when its stage is free and its input has arrived. With blocking sends the
/// stage waits until its output has left, as Megatron-LM does in plain 1F1B; otherwise sending goes
/// on beside the next operation, one message at a time for each link and direction.
///
/// **Source:** the order of operations follows Narayanan et al., SC 2021, section 2.2.
public final class PipelineSimulator {
  /// What one pipeline costs. Seconds everywhere.
  ///
  /// **Shapes:** `forward` and `backward` are [chunk * stages + stage]; `sendForward[x]` is from
  /// stage x to x + 1 (the last entry: from the last stage back to the first, used by chunks), and
  /// `sendBackward[x]` from stage x to x - 1 (entry 0: to the last stage).
  public record Pipeline(
      int stages,
      int chunks,
      int microBatches,
      double[] forward,
      double[] backward,
      double[] sendForward,
      double[] sendBackward,
      boolean blockingSends) {
    public Pipeline {
      if (forward.length != stages * chunks || backward.length != stages * chunks) {
        throw new IllegalArgumentException("costs of " + forward.length + " chunks");
      }
      if (sendForward.length != stages || sendBackward.length != stages) {
        throw new IllegalArgumentException("sends of " + sendForward.length + " stages");
      }
      if (chunks > 1 && microBatches % stages != 0) {
        throw new IllegalArgumentException(
            microBatches + " micro-batches cannot be interleaved over " + stages + " stages");
      }
    }

    /// A plain pipeline without chunks.
    public static Pipeline plain(
        int microBatches, double[] forward, double[] backward, double[] send, boolean blocking) {
      double[] back = new double[send.length];
      for (int x = 1; x < send.length; x++) {
        back[x] = send[x - 1];
      }
      return new Pipeline(forward.length, 1, microBatches, forward, backward, send, back, blocking);
    }
  }

  /// One operation of the timeline.
  public record Operation(
      int stage, int chunk, int microBatch, boolean forward, double start, double end) {}

  /// The outcome.
  ///
  /// @param finish when each stage ended its last backward pass
  /// @param lastBackward the time of each stage's last backward pass, which reduction may overlap
  /// @param operations all operations if they were asked for, by their end
  public record Timeline(double[] finish, double[] lastBackward, List<Operation> operations) {
    /// When the last stage of all was done.
    public double end() {
      return Arrays.stream(finish).max().orElse(0);
    }
  }

  private final Pipeline line;
  private final int p;
  private final int v;
  private final int n;
  private final double[] arrivedForward;
  private final double[] arrivedBackward;
  private final double[] free;
  private final double[] linkForward;
  private final double[] linkBackward;
  private final double[] lastBackward;
  private final int[] next;
  private final int[] warmup;
  private final List<Operation> operations = new ArrayList<>();
  private final boolean record;

  private PipelineSimulator(Pipeline line, boolean record) {
    this.line = line;
    this.record = record;
    p = line.stages();
    v = line.chunks();
    n = line.microBatches();
    arrivedForward = new double[p * v * n];
    arrivedBackward = new double[p * v * n];
    Arrays.fill(arrivedForward, -1);
    Arrays.fill(arrivedBackward, -1);
    for (int m = 0; m < n; m++) {
      arrivedForward[index(0, 0, m)] = 0;
    }
    free = new double[p];
    linkForward = new double[p];
    linkBackward = new double[p];
    lastBackward = new double[p];
    next = new int[p];
    warmup = new int[p];
    for (int x = 0; x < p; x++) {
      int plain = p - x - 1;
      warmup[x] = Math.min(n * v, v == 1 ? plain : n == p ? n * v : 2 * plain + (v - 1) * p);
    }
  }

  /// Plays the schedule.
  public static Timeline run(Pipeline line) {
    return new PipelineSimulator(line, false).play();
  }

  /// Plays the schedule and keeps every operation.
  public static Timeline trace(Pipeline line) {
    return new PipelineSimulator(line, true).play();
  }

  private Timeline play() {
    // a stage waits in the queue when an input of its may have arrived
    int[] queue = new int[p];
    boolean[] queued = new boolean[p];
    int head = 0;
    int size = 0;
    for (int x = 0; x < p; x++) {
      queue[size++] = x;
      queued[x] = true;
    }
    int done = 0;
    while (size > 0) {
      int x = queue[head];
      head = (head + 1) % p;
      size--;
      queued[x] = false;
      int before = next[x];
      while (next[x] < 2 * n * v && step(x)) {
        done++;
      }
      if (next[x] > before) {
        for (int neighbour : new int[] {(x + 1) % p, (x + p - 1) % p}) {
          if (!queued[neighbour]) {
            queued[neighbour] = true;
            queue[(head + size++) % p] = neighbour;
          }
        }
      }
    }
    if (done != 2 * n * v * p) {
      throw new IllegalStateException("the schedule of " + p + " stages stood still");
    }
    operations.sort(java.util.Comparator.comparingDouble(Operation::end));
    return new Timeline(free.clone(), lastBackward.clone(), List.copyOf(operations));
  }

  /// Runs the next operation of stage `x` if its input has arrived.
  private boolean step(int x) {
    int k = next[x];
    int steady = k - warmup[x];
    int forwards = n * v - warmup[x];
    boolean forward = steady < 0 || steady < 2 * forwards && steady % 2 == 0;
    int order;
    if (forward) {
      order = steady < 0 ? k : warmup[x] + steady / 2;
    } else {
      order = steady < 2 * forwards ? steady / 2 : steady - forwards;
    }
    int group = order / (p * v);
    int chunk = v == 1 ? 0 : order % (p * v) / p;
    int micro = v == 1 ? order : group * p + order % p;
    if (!forward) {
      chunk = v - 1 - chunk;
    }
    int at = index(x, chunk, micro);
    double arrival = forward ? arrivedForward[at] : arrivedBackward[at];
    if (arrival < 0) {
      return false;
    }
    double cost = forward ? line.forward()[chunk * p + x] : line.backward()[chunk * p + x];
    double start = Math.max(free[x], arrival);
    double end = start + cost;
    free[x] = end;
    next[x]++;
    if (record) {
      operations.add(new Operation(x, chunk, micro, forward, start, end));
    }
    if (forward) {
      sendForward(x, chunk, micro, end);
    } else {
      lastBackward[x] = cost;
      sendBackward(x, chunk, micro, end);
    }
    return true;
  }

  private void sendForward(int x, int chunk, int micro, double end) {
    if (x == p - 1 && chunk == v - 1) {
      arrivedBackward[index(x, chunk, micro)] = end;
      return;
    }
    double begin = Math.max(end, linkForward[x]);
    double arrival = begin + line.sendForward()[x];
    linkForward[x] = arrival;
    if (line.blockingSends()) {
      free[x] = arrival;
    }
    int to = (x + 1) % p;
    arrivedForward[index(to, x == p - 1 ? chunk + 1 : chunk, micro)] = arrival;
  }

  private void sendBackward(int x, int chunk, int micro, double end) {
    if (x == 0 && chunk == 0) {
      return;
    }
    double begin = Math.max(end, linkBackward[x]);
    double arrival = begin + line.sendBackward()[x];
    linkBackward[x] = arrival;
    if (line.blockingSends()) {
      free[x] = arrival;
    }
    int to = (x + p - 1) % p;
    arrivedBackward[index(to, x == 0 ? chunk - 1 : chunk, micro)] = arrival;
  }

  private int index(int stage, int chunk, int micro) {
    return (chunk * p + stage) * n + micro;
  }
}
