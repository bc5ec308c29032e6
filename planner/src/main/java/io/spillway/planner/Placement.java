package io.spillway.planner;

import io.spillway.platform.SpillwayException;
import java.util.Arrays;

/// Which accelerator takes which rank. Ranks follow Megatron's order tp-cp-ep-dp-pp: `rank = tp +
/// TP * (cp + CP * (dp + DP * pp))`.
public final class Placement {
  private final int[] gpuOfRank;

  private Placement(int[] gpuOfRank) {
    this.gpuOfRank = gpuOfRank;
  }

  /// Rank `r` on accelerator `r`.
  public static Placement identity(int gpus) {
    int[] same = new int[gpus];
    Arrays.setAll(same, i -> i);
    return new Placement(same);
  }

  /// **Errors:** not a permutation.
  public static Placement of(int[] gpuOfRank) {
    boolean[] seen = new boolean[gpuOfRank.length];
    for (int gpu : gpuOfRank) {
      if (gpu < 0 || gpu >= seen.length || seen[gpu]) {
        throw SpillwayException.badInput(
            "a placement must name each of %d accelerators once; %d is wrong", seen.length, gpu);
      }
      seen[gpu] = true;
    }
    return new Placement(gpuOfRank.clone());
  }

  public int size() {
    return gpuOfRank.length;
  }

  public int gpu(int rank) {
    return gpuOfRank[rank];
  }

  /// The accelerator at a place of the grid.
  public int gpu(Parallel cut, int tp, int cp, int dp, int pp) {
    return gpuOfRank[rank(cut, tp, cp, dp, pp)];
  }

  /// Megatron's rank of a place of the grid.
  public static int rank(Parallel cut, int tp, int cp, int dp, int pp) {
    return tp + cut.tp() * (cp + cut.cp() * (dp + cut.dp() * pp));
  }

  public int[] toArray() {
    return gpuOfRank.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Placement p && Arrays.equals(p.gpuOfRank, gpuOfRank);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(gpuOfRank);
  }

  @Override
  public String toString() {
    return Arrays.toString(gpuOfRank);
  }
}
