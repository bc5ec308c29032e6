package io.spillway.diffusion;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.util.List;
import java.util.Locale;

/// How the ranks of one guidance branch share one image.
public sealed interface Strategy {
  /// One device does everything.
  record Single() implements Strategy {}

  /// Each rank draws its strip as if it were alone; nothing is exchanged but the result.
  record NaivePatches() implements Strategy {}

  /// Displaced patch parallelism: other strips' activations come from the step before.
  ///
  /// @param sync what is refreshed when
  /// @param extrapolate whether stale keys and values are continued by their last change (ours)
  ///   **Source:** Li et al., "DistriFusion", section 4.
  record DistriFusion(Sync sync, boolean extrapolate) implements Strategy {}

  /// Partially conditioned patch parallelism: as DistriFusion, but a strip sees only the nearest
  /// tokens of its two neighbours.
  ///
  /// @param conditioning share p of a neighbour's strip that is seen, 0 to 1
  /// @param pool 0, or how many of the tokens outside are averaged into one key (ours)
  /// @param extrapolate whether stale keys and values are continued by their last change (ours)
  ///   **Source:** "Partially Conditioned Patch Parallelism for Accelerated Diffusion Model
  ///   Inference", section 3.
  record Pcpp(double conditioning, int pool, boolean extrapolate) implements Strategy {
    public Pcpp {
      if (!(conditioning >= 0 && conditioning <= 1)) {
        throw SpillwayException.badInput(
            "conditioning %s lies outside [0, 1], the share of a neighbour's strip", conditioning);
      }
      if (pool < 0 || pool == 1 || pool > 1024) {
        throw SpillwayException.badInput(
            "pool %d: 0 for none, or 2 to 1024 tokens in one pooled key", pool);
      }
    }
  }

  /// Displaced strips that keep every token's keys and values from the warm-up on and renew some of
  /// them in each step, in turn, by sending their layer's input, half as much (ours).
  ///
  /// @param share of a strip's tokens that are sent to every rank in a step, above 0 to 1
  record Turns(double share) implements Strategy {
    /// What `turns` alone means.
    static final double SHARE = 0.125;

    public Turns {
      if (!(share > 0 && share <= 1)) {
        throw SpillwayException.badInput(
            "share %s lies outside (0, 1], the part of a strip's tokens that is renewed in a step",
            share);
      }
    }

    /// Tokens of a strip that are renewed in a step.
    public int renewed(int tokens) {
      return (int) Math.min(tokens, Math.ceil(share * tokens - 1e-9));
    }
  }

  /// Exact attention over all strips: heads are dealt out by all-to-all among `ulysses` ranks, keys
  /// and values go round a ring of `ring` such groups.
  ///
  /// **Source:** Jacobs et al., "DeepSpeed Ulysses"; Liu et al., "Ring Attention"; their mesh: Fang
  /// and Zhao, "USP".
  record SequenceParallel(int ulysses, int ring) implements Strategy {
    public SequenceParallel {
      if (ulysses < 1 || ring < 1) {
        throw SpillwayException.badInput(
            "mesh of %d x %d ranks: both must be at least 1", ulysses, ring);
      }
    }
  }

  /// The blocks are split into stages, one a rank, through which patches flow; a patch sees the
  /// others' keys and values of this step where they passed already, else of the step before.
  ///
  /// @param patches how many patches, 0 for as many as ranks **Source:** Fang et al., "PipeFusion".
  record PipeFusion(int patches) implements Strategy {
    public PipeFusion {
      if (patches < 0) {
        throw SpillwayException.badInput("%d patches: 0 (as ranks) or more", patches);
      }
    }
  }

  /// Every rank holds some heads and hidden units of each layer; partial products are summed.
  ///
  /// **Source:** Shoeybi et al., "Megatron-LM".
  record TensorParallel() implements Strategy {}

  /// DistriFusion's ways to refresh what other ranks computed after the warm-up.
  enum Sync {
    /// Group statistics: the stale mean of all, corrected by the own change.
    CORRECTED_ASYNC_GN,
    /// Group statistics: stale ones of the others with the own fresh ones.
    STALE_GN,
    /// Group statistics are exchanged fresh in every layer.
    SYNC_GN,
    /// Group statistics of the own strip alone.
    SEPARATE_GN,
    /// Everything is exchanged fresh; exact.
    FULL_SYNC,
    /// Nothing is exchanged after the warm-up.
    NO_SYNC
  }

  List<String> NAMES =
      List.of(
          "single",
          "naive",
          "distrifusion",
          "distrifusion-x",
          "pcpp",
          "pcpp-x",
          "pcpp-pool",
          "pcpp-pool-x",
          "turns",
          "ulysses",
          "ring",
          "mesh",
          "pipefusion",
          "tensor");

  /// Reads a strategy's name. `-x` adds extrapolation, `-pool` pooled far keys; `turns:0.2` renews
  /// a fifth of a strip's tokens in a step.
  ///
  /// @param ranks of one guidance branch
  /// @param conditioning p of PCPP
  /// @param sync mode of DistriFusion
  static Strategy named(String text, int ranks, double conditioning, int pool, Sync sync) {
    String name = text.strip().toLowerCase(Locale.ROOT);
    if (name.startsWith("turns:")) {
      return new Turns(share(name));
    }
    return switch (name) {
      case "single" -> new Single();
      case "naive" -> new NaivePatches();
      case "distrifusion" -> new DistriFusion(sync, false);
      case "distrifusion-x" -> new DistriFusion(sync, true);
      case "pcpp" -> new Pcpp(conditioning, 0, false);
      case "pcpp-x" -> new Pcpp(conditioning, 0, true);
      case "pcpp-pool" -> new Pcpp(conditioning, pool, false);
      case "pcpp-pool-x" -> new Pcpp(conditioning, pool, true);
      case "turns" -> new Turns(Turns.SHARE);
      case "ulysses" -> new SequenceParallel(ranks, 1);
      case "ring" -> new SequenceParallel(1, ranks);
      case "mesh" -> {
        int ulysses = 1;
        while (ulysses * ulysses < ranks) {
          ulysses *= 2;
        }
        yield new SequenceParallel(ulysses, Math.max(1, ranks / ulysses));
      }
      case "pipefusion" -> new PipeFusion(0);
      case "tensor" -> new TensorParallel();
      default ->
          throw SpillwayException.badInput(
              "strategy '%s' is unknown, %s", text, Nearest.hint(name, NAMES));
    };
  }

  private static double share(String name) {
    try {
      return Double.parseDouble(name.substring("turns:".length()));
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput(
          "strategy '%s': turns takes the share of tokens renewed in a step, as in turns:0.15",
          name);
    }
  }

  /// The name that [#named] reads.
  default String label() {
    return switch (this) {
      case Single _ -> "single";
      case NaivePatches _ -> "naive";
      case DistriFusion(Sync sync, boolean x) ->
          "distrifusion"
              + (x ? "-x" : "")
              + (sync == Sync.CORRECTED_ASYNC_GN ? "" : ":" + sync.name().toLowerCase(Locale.ROOT));
      case Pcpp(double p, int pool, boolean x) ->
          "pcpp" + (pool > 0 ? "-pool" : "") + (x ? "-x" : "") + ":" + p;
      case Turns(double share) -> "turns:" + share;
      case SequenceParallel(int u, int r) ->
          r == 1 ? "ulysses" : u == 1 ? "ring" : "mesh:" + u + "x" + r;
      case PipeFusion _ -> "pipefusion";
      case TensorParallel _ -> "tensor";
    };
  }

  /// Whether the image equals that of one device up to rounding.
  default boolean exact() {
    return switch (this) {
      case Single _, SequenceParallel _, TensorParallel _ -> true;
      case DistriFusion(Sync sync, boolean _) -> sync == Sync.FULL_SYNC;
      case NaivePatches _, Pcpp _, Turns _, PipeFusion _ -> false;
    };
  }
}
