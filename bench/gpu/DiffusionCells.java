import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import java.util.ArrayList;
import java.util.List;

/// What DiffusionQuality measures, the most telling cells first, so that a run that ends early has them.
final class DiffusionCells {
  /// One cell of the tables.
  ///
  /// @param table front: all strategies about 8 ranks and 25 steps; grid: other ranks and steps; exact: those that equal
  ///   one device; sync: DistriFusion's modes; p, pool, warm-up: ablations
  /// @param images how many
  /// @param shown whether the contact sheet has it
  record Cell(String table, String name, Strategy strategy, int ranks, int steps, int warmup, int images, boolean shown) {
    /// What a later run knows it by.
    String key() {
      return key(name, ranks, steps, warmup);
    }

    static String key(String name, int ranks, int steps, int warmup) {
      return name + "/" + ranks + "/" + steps + "/" + warmup;
    }
  }

  private record Named(String name, Strategy strategy) {}

  private static final int WARMUP = 4;
  private static final Named PAPERS = pcpp(0.3, 0, false);
  private static final Named DISTRIFUSION = distrifusion(Sync.CORRECTED_ASYNC_GN, false);

  private final boolean unet;
  private final List<Cell> cells = new ArrayList<>();

  private DiffusionCells(boolean unet) {
    this.unet = unet;
  }

  private static Named pcpp(double p, int pool, boolean extrapolate) {
    return new Named(
        "pcpp p=" + p + (pool > 0 ? " pool=" + pool : "") + (extrapolate ? " x" : ""),
        new Strategy.Pcpp(p, pool, extrapolate));
  }

  private static Named distrifusion(Sync sync, boolean extrapolate) {
    String mode = sync == Sync.CORRECTED_ASYNC_GN ? "" : " " + sync.name().toLowerCase(java.util.Locale.ROOT);
    return new Named("distrifusion" + mode + (extrapolate ? " x" : ""), new Strategy.DistriFusion(sync, extrapolate));
  }

  private static Named turns(double share) {
    return new Named("turns " + share, new Strategy.Turns(share));
  }

  /// @param most a bound on a cell's images, 0 for none
  static List<Cell> of(boolean unet, int most) {
    DiffusionCells all = new DiffusionCells(unet);
    all.lay();
    return all.cells.stream()
        .map(c -> most == 0 ? c
            : new Cell(c.table, c.name, c.strategy, c.ranks, c.steps, c.warmup, Math.min(most, c.images), c.shown))
        .toList();
  }

  private void lay() {
    // a strategy on every rank count and step count, the paper's own setting first
    List<Named> everywhere =
        List.of(PAPERS, turns(0.125), DISTRIFUSION, pcpp(0.18, 32, false), pcpp(0.3, 4, false), pcpp(0, 16, false),
            new Named("pipefusion", new Strategy.PipeFusion(0)), new Named("naive", new Strategy.NaivePatches()),
            pcpp(0.3, 4, true), distrifusion(Sync.CORRECTED_ASYNC_GN, true), distrifusion(Sync.NO_SYNC, false));
    int many = unet ? 128 : 256;
    everywhere.forEach(s -> add("front", s, 8, 25, WARMUP, many, !s.name.contains("no_sync")));
    for (double share : new double[] {0.0625, 0.25, 0.5}) {
      add("front", turns(share), 8, 25, WARMUP, many, share < 0.1);
    }
    for (double[] at : new double[][] {{0.2, 32}, {0.15, 32}, {0, 4}}) {
      add("front", pcpp(at[0], (int) at[1], false), 8, 25, WARMUP, many, false);
    }
    syncModes(8);
    grid(everywhere, 25, many);
    exact(25, 32);
    grid(everywhere, 10, 128);
    ablations();
    grid(everywhere, 50, 128);
    syncModes(4);
    syncModes(2);
    exact(10, 16);
    exact(50, 16);
  }

  private void grid(List<Named> strategies, int steps, int images) {
    for (int ranks : List.of(8, 4, 2)) {
      strategies.forEach(s -> add("grid", s, ranks, steps, WARMUP, images, false));
    }
  }

  /// Modes that differ where there is group norm, which a DiT has not.
  private void syncModes(int ranks) {
    if (unet) {
      for (Sync sync : List.of(Sync.STALE_GN, Sync.SYNC_GN, Sync.SEPARATE_GN)) {
        add("sync", distrifusion(sync, false), ranks, 25, WARMUP, 128, false);
      }
    }
  }

  /// They equal one device, which few images show.
  private void exact(int steps, int images) {
    for (int ranks : List.of(8, 4, 2)) {
      add("exact", new Named("ulysses", new Strategy.SequenceParallel(ranks, 1)), ranks, steps, WARMUP, images, false);
      add("exact", new Named("ring", new Strategy.SequenceParallel(1, ranks)), ranks, steps, WARMUP, images, false);
      if (ranks > 2) {
        add("exact", new Named("mesh", new Strategy.SequenceParallel(ranks / 2, 2)), ranks, steps, WARMUP, images, false);
      }
      add("exact", new Named("tensor", new Strategy.TensorParallel()), ranks, steps, WARMUP, images, false);
      add("exact", distrifusion(Sync.FULL_SYNC, false), ranks, steps, WARMUP, images, false);
    }
  }

  private void ablations() {
    for (double p : new double[] {0, 1, 0.1, 0.5, 0.2, 0.75}) {
      add("p", pcpp(p, 0, false), 8, 25, WARMUP, 128, false);
    }
    for (int warmup : new int[] {0, 1, 2, 8, 12}) {
      for (Named s : List.of(PAPERS, turns(0.125), DISTRIFUSION, pcpp(0.18, 32, false))) {
        add("warm-up", s, 8, 25, warmup, 128, false);
      }
    }
    for (int pool : new int[] {8, 32, 2}) {
      for (double p : new double[] {0, 0.1, 0.3}) {
        add("pool", pcpp(p, pool, false), 8, 25, WARMUP, 128, false);
      }
    }
  }

  private void add(String table, Named s, int ranks, int steps, int warmup, int images, boolean shown) {
    boolean possible = !unet || !(s.strategy instanceof Strategy.PipeFusion); // a UNet is no chain of equal blocks
    Cell cell = new Cell(table, s.name, s.strategy, ranks, steps, warmup, images, shown);
    if (possible && cells.stream().noneMatch(c -> c.key().equals(cell.key()))) {
      cells.add(cell);
    }
  }
}
