package io.spillway.simulator.timing;

import java.util.Arrays;

/// Predicts which store a load or store has to wait for.
///
/// **Source:** Chrysos and Emer, Memory dependence prediction using store sets, ISCA 1998.
final class StoreSets {
  private static final int NONE = -1;

  private final int mask;
  private final int clearAfter;
  private final int[] setOf;
  private final long[] lastStore;
  private int accesses;

  /// @param entries entries of both tables
  /// @param clearAfter memory instructions after which all is forgotten
  StoreSets(int entries, int clearAfter) {
    this.mask = entries - 1;
    this.clearAfter = clearAfter;
    setOf = new int[entries];
    Arrays.fill(setOf, NONE);
    lastStore = new long[entries];
    Arrays.fill(lastStore, NONE);
  }

  private int index(long pc) {
    return (int) (pc >>> 2) & mask;
  }

  /// The number of the store to wait for, or -1.
  long waitsFor(long pc) {
    if (++accesses >= clearAfter) {
      accesses = 0;
      Arrays.fill(setOf, NONE);
      Arrays.fill(lastStore, NONE);
    }
    int set = setOf[index(pc)];
    return set == NONE ? NONE : lastStore[set];
  }

  private final long[] pcOf = new long[1 << 12];

  /// A store of a set is on its way.
  void fetched(long pc, long store) {
    pcOf[(int) store & pcOf.length - 1] = pc;
    int set = setOf[index(pc)];
    if (set != NONE) {
      lastStore[set] = store;
    }
  }

  /// A load passed `store`: both belong to one set from now on.
  void violation(long loadPc, long store) {
    long storePc = pcOf[(int) store & pcOf.length - 1];
    int load = setOf[index(loadPc)];
    int other = setOf[index(storePc)];
    int set;
    if (load == NONE && other == NONE) {
      set = index(loadPc);
    } else if (load == NONE) {
      set = other;
    } else if (other == NONE) {
      set = load;
    } else {
      set = Math.min(load, other);
    }
    setOf[index(loadPc)] = set;
    setOf[index(storePc)] = set;
    lastStore[set] = Math.max(lastStore[set], store);
  }
}
