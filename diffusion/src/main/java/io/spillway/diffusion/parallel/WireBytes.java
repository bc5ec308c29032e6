package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.model.Site;
import java.util.List;

/// The bytes that one rank receives in one displaced (or exact) step, from the shapes alone. Tests
/// hold it against what the exchange counts.
///
/// @param ranks of one guidance branch
/// @param batch samples in a forward pass, both branches counted when they share it
/// @param images samples whose prediction is gathered
/// @param numberBytes of an activation: 2 for half precision, 4 for single
public record WireBytes(Strategy strategy, int ranks, int batch, int images, int numberBytes) {
  private static final int MOMENT_BYTES = 4;

  /// Bytes received by `rank` in one step over `sites`.
  public long received(List<Site> sites, int rank) {
    return sites.stream().mapToLong(s -> received(s, rank)).sum();
  }

  /// The most that any rank receives.
  public long mostReceived(List<Site> sites) {
    long most = 0;
    for (int r = 0; r < ranks; r++) {
      most = Math.max(most, received(sites, r));
    }
    return most;
  }

  private long received(Site site, int rank) {
    if (ranks == 1) {
      return 0;
    }
    return switch (strategy) {
      case Strategy.Single _ -> 0;
      case Strategy.NaivePatches _ -> output(site);
      case Strategy.DistriFusion(Sync sync, boolean _) -> distriFusion(site, sync);
      case Strategy.Pcpp p -> partial(site, rank, p);
      case Strategy.Turns t -> turns(site, rank, t);
      case Strategy.SequenceParallel mesh -> exact(site, rank, mesh);
      case Strategy.TensorParallel _ ->
          site instanceof Site.Sum(String _, int tokens, int width)
              ? 2L * (ranks - 1) * batch * tokens * width * numberBytes / ranks
              : 0;
      case Strategy.PipeFusion _ -> pipeline(site, rank);
    };
  }

  private long output(Site site) {
    return site instanceof Site.Output(int channels, int rows, int columns)
        ? (long) (ranks - 1) * images * channels * (rows / ranks) * columns * numberBytes
        : 0;
  }

  private long distriFusion(Site site, Sync sync) {
    if (sync == Sync.NO_SYNC) {
      return output(site);
    }
    return switch (site) {
      case Site.Attention(String _, int tokens, int width) ->
          (ranks - 1L) * batch * (tokens / ranks) * 2 * width * numberBytes;
      case Site.Convolution(String _, int channels, int _, int columns, int padding, int _) ->
          (ranks - 1L) * 2 * batch * channels * padding * columns * numberBytes;
      case Site.Norm(String _, int groups) ->
          sync == Sync.SEPARATE_GN ? 0 : (ranks - 1L) * 2 * batch * groups * MOMENT_BYTES;
      case Site.Sum _ -> 0;
      case Site.Output _ -> output(site);
    };
  }

  private long partial(Site site, int rank, Strategy.Pcpp p) {
    return switch (site) {
      case Site.Attention(String _, int tokens, int width) ->
          (long) new Reach(rank, ranks, tokens / ranks, p.conditioning(), p.pool()).slots()
              * batch
              * 2
              * width
              * numberBytes;
      case Site.Convolution c -> halos(c, rank);
      case Site.Norm _ -> distriFusion(site, Sync.CORRECTED_ASYNC_GN);
      case Site.Sum _ -> 0;
      case Site.Output _ -> output(site);
    };
  }

  private long turns(Site site, int rank, Strategy.Turns t) {
    return switch (site) {
      case Site.Attention(String _, int tokens, int width) ->
          (ranks - 1L) * batch * t.renewed(tokens / ranks) * width * numberBytes;
      case Site.Convolution c -> halos(c, rank);
      case Site.Norm _ -> distriFusion(site, Sync.CORRECTED_ASYNC_GN);
      case Site.Sum _ -> 0;
      case Site.Output _ -> output(site);
    };
  }

  private long halos(Site.Convolution c, int rank) {
    int sides = (rank > 0 ? 1 : 0) + (rank < ranks - 1 && c.stride() == 1 ? 1 : 0);
    return (long) sides * batch * c.channels() * c.padding() * c.columns() * numberBytes;
  }

  /// Bytes of one activation of a rank's strip at an attention, 0 elsewhere.
  public long stripBytes(Site site) {
    return site instanceof Site.Attention(String _, int tokens, int width)
        ? (long) batch * (tokens / ranks) * width * numberBytes
        : 0;
  }

  private long exact(Site site, int rank, Strategy.SequenceParallel mesh) {
    return switch (site) {
      case Site.Attention _ -> {
        long strip = stripBytes(site);
        long heads = strip * 4 * (mesh.ulysses() - 1) / mesh.ulysses();
        yield heads + (mesh.ring() - 1L) * 2 * strip;
      }
      case Site.Convolution c -> halos(c, rank);
      case Site.Norm _ -> distriFusion(site, Sync.CORRECTED_ASYNC_GN);
      case Site.Sum _ -> 0;
      case Site.Output _ -> output(site);
    };
  }

  /// Tokens arrive from the stage before, patch by patch; the first stage gets the image back.
  private long pipeline(Site site, int rank) {
    return switch (site) {
      case Site.Output(int channels, int rows, int columns) ->
          rank == 0 ? (long) images * channels * rows * columns * numberBytes : 0;
      case Site.Attention(String layer, int tokens, int width) ->
          rank > 0 && layer.contains(".0.") ? (long) batch * tokens * width * numberBytes : 0;
      case Site.Convolution _, Site.Norm _, Site.Sum _ -> 0;
    };
  }
}
