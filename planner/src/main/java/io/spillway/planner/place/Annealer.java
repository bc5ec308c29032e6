package io.spillway.planner.place;

import io.spillway.platform.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/// Simulated annealing over permutations of slots with five moves: reverse a segment, move one
/// block, swap two, move a segment, move it reversed. The cost changes with the touched links
/// alone.
///
/// **Source:** the moves are Pipette's; temperature, restarts and bookkeeping are ours.
public final class Annealer {
  /// The best permutation found and its cost.
  public record Result(int[] slotOfPosition, double cost, long moves) {}

  private static final int LONGEST_SEGMENT = 64;

  private final PlacementProblem problem;
  private final int dp;
  private final int pp;
  private final int[] slot;
  private final double[] pipeline;
  private final MaxTree pipelines;
  private final MaxTree rings;
  private final int[] saved;
  private final boolean[] dirtyPipeline;
  private final int[] dirty;

  private Annealer(PlacementProblem problem, int[] start) {
    this.problem = problem;
    dp = problem.dp;
    pp = problem.pp;
    slot = start.clone();
    saved = new int[start.length];
    pipeline = new double[dp];
    dirtyPipeline = new boolean[dp];
    dirty = new int[dp];
    pipelines = new MaxTree(dp);
    rings = new MaxTree(dp * pp);
    for (int z = 0; z < dp; z++) {
      for (int x = 0; x < pp; x++) {
        pipeline[z] += own(z + dp * x) + edge(z + dp * x);
        ring(z + dp * x);
      }
      pipelines.set(z, pipeline[z]);
    }
  }

  /// Anneals from the identity, from stages laid along each node, and from random starts.
  ///
  /// @param moves moves of one start
  public static Result search(PlacementProblem problem, Seeds seeds, int restarts, int moves) {
    return searchAll(problem, seeds, restarts, moves).stream()
        .min(java.util.Comparator.comparingDouble(Result::cost))
        .orElseThrow();
  }

  /// The result of every start.
  public static List<Result> searchAll(
      PlacementProblem problem, Seeds seeds, int restarts, int moves) {
    List<Result> results = new ArrayList<>();
    for (int r = 0; r < restarts; r++) {
      RandomGenerator random = seeds.stream("placement", r);
      Annealer annealer = new Annealer(problem, start(problem, r, random));
      results.add(annealer.anneal(random, problem.slots() < 2 ? 0 : moves));
    }
    return results;
  }

  private static int[] start(PlacementProblem problem, int restart, RandomGenerator random) {
    int size = problem.slots();
    int[] start = new int[size];
    if (restart == 1) {
      // neighbouring stages on neighbouring slots
      for (int z = 0; z < problem.dp; z++) {
        for (int x = 0; x < problem.pp; x++) {
          start[z + problem.dp * x] = z * problem.pp + x;
        }
      }
      return start;
    }
    Arrays.setAll(start, i -> i);
    if (restart >= 2) {
      for (int i = size - 1; i > 0; i--) {
        int j = random.nextInt(i + 1);
        int t = start[i];
        start[i] = start[j];
        start[j] = t;
      }
    }
    return start;
  }

  private Result anneal(RandomGenerator random, int moves) {
    double cost = cost();
    double bestCost = cost;
    int[] best = slot.clone();
    double first = 0.05;
    double last = 1e-5;
    for (int m = 0; m < moves; m++) {
      double temperature = first * Math.pow(last / first, (double) m / moves);
      int unit =
          problem.slotsPerNode > 1
                  && slot.length % problem.slotsPerNode == 0
                  && slot.length > problem.slotsPerNode
                  && random.nextBoolean()
              ? problem.slotsPerNode
              : 1;
      int[] range = propose(random, unit);
      double before = cost;
      update(range[0], range[1]);
      cost = cost();
      double worse = (cost - before) / Math.max(before, 1e-300);
      if (worse > 0 && random.nextDouble() >= Math.exp(-worse / temperature)) {
        swapSaved(range[0], range[1]);
        update(range[0], range[1]);
        cost = before;
      } else if (cost < bestCost - 1e-15) {
        bestCost = cost;
        System.arraycopy(slot, 0, best, 0, best.length);
      }
    }
    return new Result(best, problem.cost(best), moves);
  }

  double cost() {
    return pipelines.max() + (dp > 1 ? rings.max() : 0);
  }

  int[] permutation() {
    return slot.clone();
  }

  static Annealer at(PlacementProblem problem, int[] start) {
    return new Annealer(problem, start);
  }

  /// Makes one random move; the old content of the returned range [from, to) is in `saved`.
  int[] propose(RandomGenerator random, int unit) {
    int units = slot.length / unit;
    int a = random.nextInt(units);
    int b = random.nextInt(units - 1);
    if (b >= a) {
      b++;
    }
    int low = Math.min(a, b);
    int high = Math.min(Math.max(a, b), low + Math.max(1, LONGEST_SEGMENT / unit));
    int from = low * unit;
    int to = (high + 1) * unit;
    System.arraycopy(slot, from, saved, from, to - from);
    int length = high - low + 1;
    switch (random.nextInt(5)) {
      case 0 -> {
        for (int i = 0; i < length; i++) {
          copy(unit, high - i, low + i);
        }
      }
      case 1 -> {
        boolean up = random.nextBoolean();
        for (int i = 0; i < length; i++) {
          copy(unit, low + Math.floorMod(i + (up ? 1 : -1), length), low + i);
        }
      }
      case 2 -> {
        copy(unit, low, high);
        copy(unit, high, low);
      }
      case 3 -> {
        int shift = 1 + random.nextInt(length - 1);
        for (int i = 0; i < length; i++) {
          copy(unit, low + (i + shift) % length, low + i);
        }
      }
      default -> {
        // the segment [0, cut) goes behind the rest, reversed
        int cut = 1 + random.nextInt(length - 1);
        for (int i = 0; i < length; i++) {
          int source = i < length - cut ? cut + i : length - 1 - i;
          copy(unit, low + source, low + i);
        }
      }
    }
    return new int[] {from, to};
  }

  private void copy(int unit, int fromUnit, int toUnit) {
    System.arraycopy(saved, fromUnit * unit, slot, toUnit * unit, unit);
  }

  private void swapSaved(int from, int to) {
    for (int i = from; i < to; i++) {
      int t = slot[i];
      slot[i] = saved[i];
      saved[i] = t;
    }
  }

  /// Brings sums and trees up to date after positions [from, to) went from `saved` to `slot`.
  void update(int from, int to) {
    int dirtyCount = 0;
    for (int i = from; i < to; i++) {
      if (slot[i] == saved[i]) {
        continue;
      }
      int z = i % dp;
      int x = i / dp;
      if (!dirtyPipeline[z]) {
        dirtyPipeline[z] = true;
        dirty[dirtyCount++] = z;
      }
      pipeline[z] += problem.arithmetic[slot[i]] - problem.arithmetic[saved[i]];
      if (x + 1 < pp) {
        pipeline[z] += edge(i) - oldEdge(i, from, to);
      }
      // the edge before counts here only if its own first end did not change
      if (x > 0 && (i - dp < from || slot[i - dp] == saved[i - dp])) {
        pipeline[z] += edge(i - dp) - oldEdge(i - dp, from, to);
      }
      ring(i);
      ring(z == 0 ? i + dp - 1 : i - 1);
    }
    for (int k = 0; k < dirtyCount; k++) {
      dirtyPipeline[dirty[k]] = false;
      pipelines.set(dirty[k], pipeline[dirty[k]]);
    }
  }

  private double own(int i) {
    return problem.arithmetic[slot[i]];
  }

  private double edge(int i) {
    return i + dp < slot.length ? problem.message[slot[i]][slot[i + dp]] : 0;
  }

  private double oldEdge(int i, int from, int to) {
    int a = i >= from && i < to ? saved[i] : slot[i];
    int b = i + dp >= from && i + dp < to ? saved[i + dp] : slot[i + dp];
    return problem.message[a][b];
  }

  private void ring(int i) {
    if (dp > 1) {
      int next = i % dp == dp - 1 ? i - dp + 1 : i + 1;
      rings.set(i, problem.reduceBytes[i / dp] * problem.inverseRate[slot[i]][slot[next]]);
    }
  }
}
