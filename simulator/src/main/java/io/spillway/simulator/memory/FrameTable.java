package io.spillway.simulator.memory;

import java.util.Arrays;

/// Physical page frames, handed out in the order in which pages are first touched or reserved.
///
/// Caches and DRAM banks see physical addresses, so that two runs of one program meet the same
/// conflicts. A small direct-mapped cache of translations keeps the common case short; translation
/// itself costs no time.
public final class FrameTable {
  private static final int PAGE_BITS = 12;
  private static final int FAST = 1024;

  private final long[] fastPage = new long[FAST];
  private final long[] fastFrame = new long[FAST];
  private long[] pages = new long[1 << 12];
  private long[] frames = new long[1 << 12];
  private int used;
  private long nextFrame;

  public FrameTable() {
    Arrays.fill(fastPage, -1);
    Arrays.fill(pages, -1);
  }

  /// Gives the pages of `[address, address + bytes)` neighbouring frames, as a loader does.
  public void reserve(long address, long bytes) {
    for (long page = address >>> PAGE_BITS;
        page <= (address + Math.max(1, bytes) - 1) >>> PAGE_BITS;
        page++) {
      frame(page);
    }
  }

  /// The physical address of a virtual one.
  public long physical(long address) {
    long page = address >>> PAGE_BITS;
    int slot = (int) page & (FAST - 1);
    long frame;
    if (fastPage[slot] == page) {
      frame = fastFrame[slot];
    } else {
      frame = frame(page);
      fastPage[slot] = page;
      fastFrame[slot] = frame;
    }
    return frame << PAGE_BITS | (address & ((1 << PAGE_BITS) - 1));
  }

  private long frame(long page) {
    int mask = pages.length - 1;
    int i = (int) (page * 0x9E3779B97F4A7C15L >>> 32) & mask;
    while (pages[i] != -1) {
      if (pages[i] == page) {
        return frames[i];
      }
      i = (i + 1) & mask;
    }
    pages[i] = page;
    frames[i] = nextFrame++;
    if (++used * 2 > pages.length) {
      grow();
    }
    return nextFrame - 1;
  }

  private void grow() {
    long[] oldPages = pages;
    long[] oldFrames = frames;
    pages = new long[oldPages.length * 2];
    frames = new long[oldPages.length * 2];
    Arrays.fill(pages, -1);
    int mask = pages.length - 1;
    for (int j = 0; j < oldPages.length; j++) {
      if (oldPages[j] != -1) {
        int i = (int) (oldPages[j] * 0x9E3779B97F4A7C15L >>> 32) & mask;
        while (pages[i] != -1) {
          i = (i + 1) & mask;
        }
        pages[i] = oldPages[j];
        frames[i] = oldFrames[j];
      }
    }
  }
}
