package io.spillway.diffusion.parallel;

import java.util.ArrayList;
import java.util.List;

/// Which tokens of another strip a rank gets under partial conditioning: from a neighbour the
/// nearest ones one by one, of everything else averages of `pool` tokens.
///
/// The strips i - 1 and i + 1 are seen from S (i - p) to S (i + 1 + p) of S tokens a strip.
///
/// @param rank the one that sees
/// @param ranks how many there are
/// @param tokens S
/// @param conditioning p
/// @param pool 0 for none
record Reach(int rank, int ranks, int tokens, double conditioning, int pool) {
  /// One run of tokens of another strip.
  ///
  /// @param from the rank whose tokens they are
  /// @param nearBegin first token that is seen by itself
  /// @param nearCount how many are
  /// @param farBegin first token that is averaged
  /// @param farCount how many are
  record Part(int from, int nearBegin, int nearCount, int farBegin, int farCount) {}

  /// Tokens of a neighbour that are seen by themselves.
  int near() {
    return (int) Math.min(tokens, Math.ceil(conditioning * tokens - 1e-9));
  }

  /// What comes from each other rank, in order of rank; ranks that send nothing are left out.
  List<Part> parts() {
    List<Part> parts = new ArrayList<>();
    for (int r = 0; r < ranks; r++) {
      if (r == rank) {
        continue;
      }
      int near = Math.abs(r - rank) == 1 ? near() : 0;
      int far = pool == 0 ? 0 : tokens - near;
      // above, the nearest tokens are the last of the strip; below, the first
      Part part =
          r < rank ? new Part(r, tokens - near, near, 0, far) : new Part(r, 0, near, near, far);
      if (near + far > 0) {
        parts.add(part);
      }
    }
    return parts;
  }

  /// Averages that `count` tokens make.
  int pooled(int count) {
    return pool == 0 ? 0 : (count + pool - 1) / pool;
  }

  /// Keys that one part brings.
  int slots(Part part) {
    return part.nearCount() + pooled(part.farCount());
  }

  /// Keys that arrive from all other ranks.
  int slots() {
    return parts().stream().mapToInt(this::slots).sum();
  }
}
