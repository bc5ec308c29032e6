package io.spillway.longcontext;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
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
  /// @param neighbours how much the best of an entry and the two on each side counts beside its own
  ///   score, 0 to 1: an answer of several tokens is worth nothing with one of them gone
  ///   **Source:** Locret (arXiv 2410.01805); neighbours are ours, 0 is as published.
  record Locret(double stabilizerShare, double neighbours) implements Policy {
    /// With the usual weight of neighbours.
    public Locret(double stabilizerShare) {
      this(stabilizerShare, NEIGHBOURS);
    }

    @Override
    public String label() {
      return neighbours > 0 ? "locret" : "locret-plain";
    }
  }

  /// Locret that knows what is asked: the question's queries, computed before the text, raise the
  /// scores of what they find in each chunk.
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

  /// Everything is kept outside the device's memory in blocks; each chunk and each step fetches the
  /// blocks whose representatives match its queries.
  ///
  /// @param block entries in a block
  /// @param representatives keys that stand for a block **Source:** Xiao et al., InfLLM.
  record InfLlm(int block, int representatives) implements Policy {
    /// Entries of a block where nothing else is said.
    static final int BLOCK = 16;

    public InfLlm {
      if (block < 1 || block > 4096 || representatives < 1 || representatives > block) {
        throw SpillwayException.badInput(
            "infllm blocks of %d entries with %d representatives are out of range; 1 to 4096"
                + " entries and at most as many representatives",
            block, representatives);
      }
    }

    @Override
    public String label() {
      return block == BLOCK ? "infllm" : "infllm:" + block;
    }
  }

  /// A policy with one budget across the heads of a layer, or with entries that leave merged
  /// instead of lost. On the command line `snapkv+ada`, `locret+merge`, `h2o+ada:0.5+merge:0.1`.
  ///
  /// @param headFloor share of the budget that every head keeps; the rest goes to the heads with
  ///   the best entries, 1 for equal heads **Source:** Feng et al., Ada-KV (arXiv 2407.11550).
  /// @param mergedShare share of the budget that holds merged entries, 0 for none **Source:** Cai
  ///   et al., LoCoCo (arXiv 2406.05317); its convolution is learned, this one is a fixed kernel.
  record Wrapped(Policy inner, double headFloor, double mergedShare) implements Policy {
    static final double HEAD_FLOOR = 0.2;
    static final double MERGED_SHARE = 0.125;

    public Wrapped {
      if (inner instanceof Wrapped) {
        throw new IllegalArgumentException("a wrapped policy in another");
      }
      if (!(headFloor >= 0 && headFloor <= 1)) {
        throw SpillwayException.badInput(
            "the share of each head is %s in '+ada:%s', it must be from 0 to 1",
            headFloor, headFloor);
      }
      if (!(mergedShare >= 0 && mergedShare <= 0.9)) {
        throw SpillwayException.badInput(
            "the share of merged entries is %s in '+merge:%s', it must be from 0 to 0.9",
            mergedShare, mergedShare);
      }
      if (!inner.evicts()) {
        throw SpillwayException.badInput(
            "the policy %s evicts nothing, so +ada and +merge have nothing to do; choose one that"
                + " evicts, such as locret",
            inner.label());
      }
      if (inner instanceof Oracle) {
        throw SpillwayException.badInput("the policy oracle takes no +ada and no +merge");
      }
      if (headFloor < 1
          && (inner instanceof StreamingLlm || inner instanceof SirLlm || inner instanceof Tova)) {
        throw SpillwayException.badInput(
            "the policy %s gives all heads the same scores, so +ada has nothing to choose by; use"
                + " locret, h2o, snapkv, expected or random",
            inner.label());
      }
    }

    @Override
    public String label() {
      return inner.label()
          + suffix("+ada", headFloor, 1, HEAD_FLOOR)
          + suffix("+merge", mergedShare, 0, MERGED_SHARE);
    }

    private static String suffix(String name, double value, double none, double usual) {
      return value == none ? "" : value == usual ? name : name + ":" + value;
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

  /// The usual share of the budget that the newest entries hold between chunks. The paper has 0.4;
  /// what they hold is lost to what was read before.
  double STABILIZER = 0.2;

  /// The usual weight of an entry's neighbours under retaining heads.
  double NEIGHBOURS = 0.5;

  /// Every policy with its usual settings.
  List<Supplier<Policy>> NAMED =
      List.of(
          Full::new,
          () -> new Locret(STABILIZER),
          () -> new Locret(STABILIZER, 0),
          () -> new LocretQuery(STABILIZER),
          HeavyHitters::new,
          () -> new SnapKv(32, 5),
          () -> new SnapKvWhole(32, 5),
          StreamingLlm::new,
          () -> new SirLlm(0.25),
          Tova::new,
          ExpectedAttention::new,
          () -> new InfLlm(InfLlm.BLOCK, 4),
          () -> new Random(1),
          () -> new Oracle(STABILIZER));

  /// The names on the command line.
  static List<String> labels() {
    return NAMED.stream().map(policy -> policy.get().label()).toList();
  }

  /// The policy of that name; `infllm:BLOCK` sets the entries of a block, and `+ada[:FLOOR]` and
  /// `+merge[:SHARE]` may follow any that evicts, see [Wrapped].
  ///
  /// **Errors:** an unknown name or suffix, with the nearest known one.
  static Policy named(String label) {
    String[] parts = label.split("\\+", -1);
    Policy base = base(parts[0]);
    double floor = 1;
    double merged = 0;
    for (int i = 1; i < parts.length; i++) {
      String name = parts[i].split(":", 2)[0];
      switch (name) {
        case "ada" -> floor = number(parts[i], Wrapped.HEAD_FLOOR);
        case "merge" -> merged = number(parts[i], Wrapped.MERGED_SHARE);
        default ->
            throw SpillwayException.badInput(
                "unknown wrapper '+%s' in policy '%s', %s",
                name, label, Nearest.hint(name, List.of("ada", "merge")));
      }
    }
    return parts.length == 1 ? base : new Wrapped(base, floor, merged);
  }

  private static Policy base(String label) {
    if (label.startsWith("infllm:")) {
      double block = number(label, InfLlm.BLOCK);
      if (block != Math.rint(block)) {
        throw SpillwayException.badInput("'%s' must be a whole number of entries", label);
      }
      return new InfLlm((int) Math.min(block, 1e6), (int) Math.max(1, Math.min(4, block)));
    }
    for (Supplier<Policy> policy : NAMED) {
      if (policy.get().label().equals(label)) {
        return policy.get();
      }
    }
    throw SpillwayException.badInput(
        "unknown policy '%s', %s", label, Nearest.hint(label, labels()));
  }

  private static double number(String part, double usual) {
    int colon = part.indexOf(':');
    if (colon < 0) {
      return usual;
    }
    try {
      return Double.parseDouble(part.substring(colon + 1));
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput(
          "'%s' needs a number after the colon, such as %s:%s",
          part, part.substring(0, colon), usual);
    }
  }

  /// What scores the entries, without wrappers.
  default Policy base() {
    return this instanceof Wrapped wrapped ? wrapped.inner() : this;
  }

  /// How much the best of an entry's neighbours counts beside its own score, 0 to 1.
  default double neighbours() {
    if (base() instanceof Locret locret) {
      return locret.neighbours();
    }
    return base() instanceof LocretQuery ? NEIGHBOURS : 0;
  }

  /// Entries of the queries that vote, which stay whatever the budget; 0 where none vote.
  default int votingWindow() {
    if (base() instanceof SnapKv snapKv) {
      return snapKv.window();
    }
    return base() instanceof SnapKvWhole snapKv ? snapKv.window() : 0;
  }

  /// Share of the budget that every head keeps, 1 where heads are equal.
  default double headFloor() {
    return this instanceof Wrapped wrapped ? wrapped.headFloor() : 1;
  }

  /// Entries of a budget that hold merged ones.
  default int mergedSlots(int budget, int sinks) {
    return this instanceof Wrapped wrapped
        ? Math.max(
            0, Math.min(budget - sinks - 1, (int) Math.round(wrapped.mergedShare() * budget)))
        : 0;
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
          case Wrapped wrapped -> (double) wrapped.inner().stabilizer(budget) / budget;
        };
    return (int) Math.round(share * budget);
  }

  /// Whether the newest entries stay protected after the last chunk as well.
  default boolean keepsRecentAtEnd() {
    return base() instanceof HeavyHitters
        || base() instanceof SirLlm
        || base() instanceof ExpectedAttention;
  }

  /// Whether scores come from trained heads.
  default boolean needsHeads() {
    return base() instanceof Locret || base() instanceof LocretQuery;
  }

  /// Whether the budget holds while a prompt is read.
  default boolean evicts() {
    return !(base() instanceof Full || base() instanceof InfLlm);
  }
}
