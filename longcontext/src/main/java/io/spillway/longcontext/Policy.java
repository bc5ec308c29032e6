package io.spillway.longcontext;

import java.util.List;
import java.util.function.Supplier;

/// What decides which cache entries stay. A further policy is one record here, one case in
/// [io.spillway.longcontext.cache.Scorer#of] and one row in [#NAMED].
public sealed interface Policy {
  /// The name on the command line.
  String label();

  /// Nothing is forgotten.
  record Full() implements Policy {
    @Override
    public String label() {
      return "full";
    }
  }

  /// Trained retaining heads score every entry once, when it enters.
  ///
  /// @param stabilizerShare share of the budget that the newest entries hold between chunks
  ///   **Source:** Locret (arXiv 2410.01805).
  record Locret(double stabilizerShare) implements Policy {
    @Override
    public String label() {
      return "locret";
    }
  }

  /// Locret that reads the question before the text, so that scores know what is asked.
  record LocretQuery(double stabilizerShare) implements Policy {
    @Override
    public String label() {
      return "locret-q";
    }
  }

  /// H2O: attention that an entry received so far, summed; half of the budget is recent entries.
  ///
  /// **Source:** Zhang et al., Heavy-Hitter Oracle, in chunks.
  record HeavyHitters() implements Policy {
    @Override
    public String label() {
      return "h2o";
    }
  }

  /// Attention from the last queries of each chunk, smoothed over neighbours.
  ///
  /// @param window queries that vote
  /// @param pool width of the smoothing, odd **Source:** Li et al., SnapKV, in chunks.
  record SnapKv(int window, int pool) implements Policy {
    @Override
    public String label() {
      return "snapkv";
    }
  }

  /// SnapKV as published: the whole prompt with its question is read first, then all layers are cut
  /// to the budget. Memory grows with the prompt until then.
  record SnapKvWhole(int window, int pool) implements Policy {
    @Override
    public String label() {
      return "snapkv-whole";
    }
  }

  /// Attention sinks and the newest entries.
  record StreamingLlm() implements Policy {
    @Override
    public String label() {
      return "streaming";
    }
  }

  /// Tokens that the model found surprising.
  ///
  /// @param recentShare share of the budget for the newest entries
  record SirLlm(double recentShare) implements Policy {
    @Override
    public String label() {
      return "sirllm";
    }
  }

  /// Attention from the newest query, mean over heads.
  record Tova() implements Policy {
    @Override
    public String label() {
      return "tova";
    }
  }

  /// The attention that queries like those seen so far will give, times the value's length.
  record ExpectedAttention() implements Policy {
    @Override
    public String label() {
      return "expected";
    }
  }

  /// Everything is kept outside the budget in blocks; each chunk and each step fetches the blocks
  /// whose representatives match its queries.
  ///
  /// @param block entries in a block
  /// @param representatives keys that stand for a block **Source:** Xiao et al., InfLLM.
  record InfLlm(int block, int representatives) implements Policy {
    @Override
    public String label() {
      return "infllm";
    }
  }

  /// Random scores, fixed when an entry enters.
  record Random(long seed) implements Policy {
    @Override
    public String label() {
      return "random";
    }
  }

  /// The label that the retaining heads learn, computed with the true answer at hand: what a
  /// perfect head would score. Only inside the length where full attention works.
  record Oracle(double stabilizerShare) implements Policy {
    @Override
    public String label() {
      return "oracle";
    }
  }

  /// Every policy with its usual settings.
  List<Supplier<Policy>> NAMED =
      List.of(
          Full::new,
          () -> new Locret(0.4),
          () -> new LocretQuery(0.4),
          HeavyHitters::new,
          () -> new SnapKv(32, 5),
          () -> new SnapKvWhole(32, 5),
          StreamingLlm::new,
          () -> new SirLlm(0.25),
          Tova::new,
          ExpectedAttention::new,
          () -> new InfLlm(16, 4),
          () -> new Random(1),
          () -> new Oracle(0.4));

  /// The names on the command line.
  static List<String> labels() {
    return NAMED.stream().map(policy -> policy.get().label()).toList();
  }

  /// The policy of that name.
  ///
  /// **Errors:** an unknown name, with the nearest known one.
  static Policy named(String label) {
    for (Supplier<Policy> policy : NAMED) {
      if (policy.get().label().equals(label)) {
        return policy.get();
      }
    }
    throw io.spillway.platform.SpillwayException.badInput(
        "unknown policy '%s', %s", label, io.spillway.platform.Nearest.hint(label, labels()));
  }

  /// Entries that count as largest between chunks, of a budget.
  default int stabilizer(int budget) {
    double share =
        switch (this) {
          case Locret locret -> locret.stabilizerShare();
          case LocretQuery query -> query.stabilizerShare();
          case Oracle oracle -> oracle.stabilizerShare();
          case HeavyHitters hitters -> 0.5;
          case SirLlm sirLlm -> sirLlm.recentShare();
          case Full full -> 0;
          case SnapKv snapKv -> 0;
          case SnapKvWhole snapKv -> 0;
          case StreamingLlm streaming -> 0;
          case Tova tova -> 0;
          case ExpectedAttention expected -> 0.25;
          case InfLlm infLlm -> 0;
          case Random random -> 0;
        };
    return (int) Math.round(share * budget);
  }

  /// Whether the newest entries stay protected after the last chunk as well.
  default boolean keepsRecentAtEnd() {
    return this instanceof HeavyHitters
        || this instanceof SirLlm
        || this instanceof ExpectedAttention;
  }

  /// Whether scores come from trained heads.
  default boolean needsHeads() {
    return this instanceof Locret || this instanceof LocretQuery;
  }

  /// Whether the budget holds while a prompt is read.
  default boolean evicts() {
    return !(this instanceof Full || this instanceof InfLlm);
  }
}
