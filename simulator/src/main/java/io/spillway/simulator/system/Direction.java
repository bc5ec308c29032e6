package io.spillway.simulator.system;

import io.spillway.platform.yaml.Default;

/// Predicts whether a conditional branch is taken.
public sealed interface Direction {
  /// Local and global counters and a chooser between them, after the Alpha 21264 as gem5 builds it.
  ///
  /// @param localHistories entries of the table of local histories
  /// @param localCounters counters that a local history selects
  /// @param globalCounters counters that the global history selects
  /// @param choiceCounters counters of the chooser
  /// @param localBits width of a local counter; global and choice likewise
  record Tournament(
      @Default("2048") int localHistories,
      @Default("2048") int localCounters,
      @Default("8192") int globalCounters,
      @Default("8192") int choiceCounters,
      @Default("2") int localBits,
      @Default("2") int globalBits,
      @Default("2") int choiceBits)
      implements Direction {
    public Tournament {
      Require.powerOfTwo("predictor local_histories", localHistories);
      Require.powerOfTwo("predictor local_counters", localCounters);
      Require.powerOfTwo("predictor global_counters", globalCounters);
      Require.powerOfTwo("predictor choice_counters", choiceCounters);
      Require.between("predictor local_bits", localBits, 1, 7);
      Require.between("predictor global_bits", globalBits, 1, 7);
      Require.between("predictor choice_bits", choiceBits, 1, 7);
    }
  }

  /// One counter per branch address.
  record Bimodal(@Default("4096") int counters, @Default("2") int bits) implements Direction {
    public Bimodal {
      Require.powerOfTwo("predictor counters", counters);
      Require.between("predictor bits", bits, 1, 7);
    }
  }

  /// Counters selected by address and global history, exclusive or.
  record Gshare(@Default("8192") int counters, @Default("2") int bits) implements Direction {
    public Gshare {
      Require.powerOfTwo("predictor counters", counters);
      Require.between("predictor bits", bits, 1, 7);
    }
  }

  /// Tagged tables with geometrically longer histories over a bimodal base.
  ///
  /// **Source:** Seznec and Michaud, A case for (partially) tagged geometric history length branch
  /// prediction, JILP 2006.
  ///
  /// @param tables tagged tables
  /// @param entries entries of each
  /// @param tagBits width of a tag
  /// @param shortest history of the first table
  /// @param longest history of the last table
  record Tage(
      @Default("7") int tables,
      @Default("1024") int entries,
      @Default("9") int tagBits,
      @Default("5") int shortest,
      @Default("130") int longest,
      @Default("8192") int base)
      implements Direction {
    public Tage {
      Require.between("predictor tables", tables, 1, 16);
      Require.powerOfTwo("predictor entries", entries);
      Require.between("predictor tag_bits", tagBits, 4, 16);
      Require.between("predictor shortest", shortest, 1, 64);
      Require.between("predictor longest", longest, shortest, 512);
      Require.powerOfTwo("predictor base", base);
    }
  }
}
