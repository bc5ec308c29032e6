package io.spillway.training.plan;

import io.spillway.training.plan.UpdateGraph.Dependency;
import io.spillway.training.plan.UpdateGraph.Task;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/// Runs the graph of an update with measured rates instead of memory: a small event simulation in
/// which each lane takes the ready task of the smallest priority, as the executor's lanes do.
///
/// **Units:** seconds.
///
/// **Source:** ours; the closed form is in [PerformanceModel].
public final class Predictor {
  private static final int STEPS = 6;

  /// What a plan costs.
  ///
  /// @param iterationSeconds one step in the steady state
  /// @param computeSeconds of which the device's passes
  /// @param timeline the steady-state steps, for drawing
  public record Prediction(double iterationSeconds, double computeSeconds, Timeline timeline) {
    /// Seconds of a step in which the device's passes wait for the optimizer.
    public double exposedSeconds() {
      return Math.max(0, iterationSeconds - computeSeconds);
    }
  }

  private final UpdateGraph graph;
  private final Workload workload;
  private final Rates rates;
  private final StateBytes bytes;
  private final boolean overlapsForward;

  private final List<Node> nodes = new ArrayList<>();
  private final Node[][] taskNodes;
  private final Node[] stepEnds = new Node[STEPS];

  private Predictor(
      UpdateGraph graph,
      Workload workload,
      Rates rates,
      StateBytes bytes,
      boolean overlapsForward) {
    this.graph = graph;
    this.workload = workload;
    this.rates = rates;
    this.bytes = bytes;
    this.overlapsForward = overlapsForward;
    taskNodes = new Node[STEPS][graph.tasks().size()];
  }

  /// Predicts one step of `workload` under `graph`.
  public static Prediction predict(
      UpdateGraph graph,
      Workload workload,
      Rates rates,
      StateBytes bytes,
      boolean overlapsForward) {
    return new Predictor(graph, workload, rates, bytes, overlapsForward).run();
  }

  private static final class Node {
    final Lane lane;
    final String label;
    final int step;
    final double seconds;
    final long priority;
    final List<Node> next = new ArrayList<>();
    int missing;
    double end = Double.NaN;

    Node(Lane lane, String label, int step, double seconds, long priority) {
      this.lane = lane;
      this.label = label;
      this.step = step;
      this.seconds = seconds;
      this.priority = priority;
    }

    void after(Node earlier) {
      earlier.next.add(this);
      missing++;
    }
  }

  private Prediction run() {
    Node last = null;
    for (int step = 0; step < STEPS; step++) {
      last = addStep(step, last);
      stepEnds[step] = last;
    }
    Timeline timeline = new Timeline();
    simulate(timeline);
    double iteration = (stepEnds[STEPS - 1].end - stepEnds[1].end) / (STEPS - 2);
    double hostMemory = hostMemorySeconds();
    return new Prediction(Math.max(iteration, hostMemory), workload.computeSeconds(), timeline);
  }

  /// Bytes that the update moves through host memory over its bandwidth.
  private double hostMemorySeconds() {
    double n = graph.subgroups().stream().mapToLong(Subgroup::size).sum();
    double perParameter =
        2.0 * bytes.state() * graph.share(Placement.STREAMED)
            + (2.0 * bytes.state() + bytes.gradient() * 2 + bytes.weight() * 2)
                * graph.share(Placement.CPU);
    return n * perParameter / rates.hostMemory();
  }

  /// Adds the passes and tasks of one step; returns its last backward pass.
  private Node addStep(int step, @org.jspecify.annotations.Nullable Node before) {
    List<Workload.Block> blocks = workload.blocks();
    List<Subgroup> subgroups = graph.subgroups();
    Node previous = before;
    Node backwardBegun = null;
    Node[] gradient = new Node[subgroups.size()];
    for (int batch = 0; batch < workload.microBatches(); batch++) {
      for (int b = 0; b < blocks.size(); b++) {
        Node forward = compute("F" + b, step, blocks.get(b).forwardSeconds(), previous);
        if (batch == 0 && step > 0) {
          waitForWeights(forward, step - 1, blocks.get(b), b == 0);
        }
        previous = forward;
        backwardBegun = forward;
      }
      for (int b = blocks.size() - 1; b >= 0; b--) {
        Workload.Block block = blocks.get(b);
        previous = compute("B" + b, step, block.backwardSeconds(), previous);
        if (batch == workload.microBatches() - 1) {
          for (Subgroup g : subgroups) {
            // later (earlier in the model) blocks overwrite: the last one to finish counts
            if (g.from() < block.to() && block.from() < g.to()) {
              gradient[g.index()] = previous;
            }
          }
        }
      }
    }
    addTasks(step, gradient, previous, backwardBegun);
    if (previous == null) {
      throw new IllegalStateException("a step without passes");
    }
    return previous;
  }

  private void waitForWeights(Node forward, int step, Workload.Block block, boolean first) {
    if (!overlapsForward) {
      if (first) {
        for (Node task : taskNodes[step]) {
          forward.after(task);
        }
      }
      return;
    }
    for (Subgroup g : graph.subgroups()) {
      if (g.from() < block.to() && block.from() < g.to()) {
        forward.after(taskNodes[step][graph.weightsReady(g.index())]);
      }
    }
  }

  private Node compute(
      String label, int step, double seconds, @org.jspecify.annotations.Nullable Node previous) {
    Node node = new Node(Lane.COMPUTE, label, step, seconds, nodes.size());
    nodes.add(node);
    if (previous != null) {
      node.after(previous);
    }
    return node;
  }

  private void addTasks(
      int step,
      Node[] gradient,
      @org.jspecify.annotations.Nullable Node backwardDone,
      @org.jspecify.annotations.Nullable Node backwardBegun) {
    if (backwardDone == null || backwardBegun == null) {
      throw new IllegalStateException("a step without passes");
    }
    // the scale is known when every norm is there, or at the end of the backward pass
    Node scale = new Node(Lane.COMPUTE, "", step, 0, -1);
    if (graph.options().eager()) {
      scale.after(backwardBegun);
    } else {
      scale.after(backwardDone);
    }
    nodes.add(scale);
    for (Task t : graph.tasks()) {
      Lane lane = t.kind().lane();
      if (!rates.duplex() && lane == Lane.DEVICE_TO_HOST) {
        lane = Lane.HOST_TO_DEVICE;
      }
      double seconds = rates.seconds(t.kind(), t.subgroup().size(), bytes) + rates.taskOverhead();
      Node node = new Node(lane, label(t), step, seconds, ((long) step << 32) + t.priority());
      nodes.add(node);
      taskNodes[step][t.id()] = node;
      for (Dependency d : t.dependencies()) {
        switch (d) {
          case Dependency.Task other -> node.after(taskNodes[step][other.id()]);
          case Dependency.PreviousTask other -> {
            if (step > 0) {
              node.after(taskNodes[step - 1][other.id()]);
            }
          }
          case Dependency.Gradient g -> node.after(gradient[g.subgroup()]);
          case Dependency.BackwardBegun _ -> node.after(backwardBegun);
          case Dependency.ScaleKnown _ -> node.after(scale);
        }
      }
      if (t.kind() == TaskKind.NORM) {
        scale.after(node);
      }
    }
  }

  /// The words at a task's span.
  public static String label(Task t) {
    return t.kind().name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ')
        + " "
        + t.subgroup().index();
  }

  private record Finish(double at, Node node) {}

  private void simulate(Timeline timeline) {
    int lanes = Lane.values().length;
    List<PriorityQueue<Node>> ready = new ArrayList<>();
    boolean[] busy = new boolean[lanes];
    for (int i = 0; i < lanes; i++) {
      ready.add(new PriorityQueue<>(Comparator.comparingLong((Node x) -> x.priority)));
    }
    PriorityQueue<Finish> running = new PriorityQueue<>(Comparator.comparingDouble(Finish::at));
    for (Node node : nodes) {
      if (node.missing == 0) {
        ready.get(node.lane.ordinal()).add(node);
      }
    }
    double now = 0;
    while (true) {
      for (int i = 0; i < lanes; i++) {
        while (!busy[i] && !ready.get(i).isEmpty()) {
          Node node = ready.get(i).remove();
          if (node.seconds > 0) {
            busy[i] = true;
            timeline.add(node.lane, node.label, node.step, now, now + node.seconds);
          }
          running.add(new Finish(now + node.seconds, node));
          if (node.seconds == 0) {
            break;
          }
        }
      }
      if (running.isEmpty()) {
        break;
      }
      Finish finish = running.remove();
      now = finish.at();
      Node done = finish.node();
      done.end = now;
      if (done.seconds > 0) {
        busy[done.lane.ordinal()] = false;
      }
      for (Node next : done.next) {
        if (--next.missing == 0) {
          ready.get(next.lane.ordinal()).add(next);
        }
      }
    }
    for (Node node : nodes) {
      if (Double.isNaN(node.end)) {
        throw new IllegalStateException("the graph has a cycle at " + node.label);
      }
    }
  }
}
