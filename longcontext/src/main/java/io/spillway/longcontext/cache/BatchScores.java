package io.spillway.longcontext.cache;

import io.spillway.longcontext.Policy;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// What each entry of many prompts is worth: the policies' scores with a batch dimension in front.
/// [Session] holds the same rules for one sequence.
///
/// **Shapes:** scores `[batch, kvHeads, entries]` f32.
abstract class BatchScores {
  final DecoderConfig config;

  BatchScores(DecoderConfig config) {
    this.config = config;
  }

  /// Scores of new entries.
  ///
  /// @param seen tokens before them
  Tensor entered(int layer, Decoder.Qkv qkv, int seen) {
    Tensor key = qkv.key();
    return torch.zeros(
        new long[] {key.size(0), key.size(1), key.size(2)},
        Tensors.to(key.narrow(0, 0, 1).narrow(2, 0, 1), DType.F32).options());
  }

  /// The new queries have looked at all entries; writes into `scores`.
  ///
  /// @param query rotated
  /// @param key rotated
  void attended(Tensor scores, Tensor query, Tensor key, Tensor value) {}

  boolean needsLogits() {
    return false;
  }

  /// How surprising the tokens `ids` were, `[batch, tokens]`.
  ///
  /// @param before logits before the first of them, null when nothing was read
  /// @param after logits after each of them
  Tensor surprise(@Nullable Tensor before, Tensor after, Tensor ids) {
    throw new IllegalStateException("this policy asks for no logits");
  }

  static BatchScores of(
      Policy policy,
      DecoderConfig config,
      @Nullable RetainingHeads heads,
      Tensor @Nullable [] importance) {
    return switch (policy) {
      case Policy.Full full -> new None(config);
      case Policy.InfLlm infLlm ->
          throw new IllegalArgumentException("InfLLM keeps everything; read it with a session");
      case Policy.Wrapped wrapped ->
          throw new IllegalArgumentException("wrapped policies are read with a session");
      case Policy.Locret locret -> new Heads(config, required(heads, policy));
      case Policy.LocretQuery query -> new Heads(config, required(heads, policy));
      case Policy.HeavyHitters hitters -> new Attention(config, Integer.MAX_VALUE, 1, true, false);
      case Policy.SnapKv snap -> new Attention(config, snap.window(), snap.pool(), false, false);
      case Policy.SnapKvWhole snap ->
          new Attention(config, snap.window(), snap.pool(), false, false);
      case Policy.Tova tova -> new Attention(config, 1, 1, false, true);
      case Policy.ExpectedAttention expected -> new Expected(config);
      case Policy.StreamingLlm streaming -> new Newest(config);
      case Policy.SirLlm sirLlm -> new Surprise(config);
      case Policy.Random random -> new Chance(config, random.seed());
      case Policy.Oracle oracle -> {
        if (importance == null) {
          throw SpillwayException.badInput(
              "the policy oracle needs the true answer; it works in evaluations only");
        }
        yield new Known(config, importance);
      }
    };
  }

  private static RetainingHeads required(@Nullable RetainingHeads heads, Policy policy) {
    if (heads == null) {
      throw SpillwayException.badInput(
          "the policy %s needs trained heads; give --heads FILE (made by retain train)",
          policy.label());
    }
    return heads;
  }

  private static final class None extends BatchScores {
    None(DecoderConfig config) {
      super(config);
    }
  }

  private static final class Heads extends BatchScores {
    private final RetainingHeads heads;

    Heads(DecoderConfig config, RetainingHeads heads) {
      super(config);
      this.heads = heads;
    }

    @Override
    Tensor entered(int layer, Decoder.Qkv qkv, int seen) {
      long batch = qkv.key().size(0);
      long tokens = qkv.key().size(2);
      Decoder.Qkv row = new Decoder.Qkv(row(qkv.query()), row(qkv.key()), row(qkv.value()));
      return heads.score(layer, row).reshape(config.kvHeads(), batch, tokens).transpose(0, 1);
    }

    /// All prompts' tokens as those of one: `[1, heads, batch * tokens, headDim]`.
    private static Tensor row(Tensor x) {
      return x.transpose(0, 1).reshape(1, x.size(1), x.size(0) * x.size(2), x.size(3));
    }
  }

  private static final class Newest extends BatchScores {
    Newest(DecoderConfig config) {
      super(config);
    }

    @Override
    Tensor entered(int layer, Decoder.Qkv qkv, int seen) {
      Tensor scores = super.entered(layer, qkv, seen);
      long added = scores.size(2);
      return scores.add_(
          torch.arange(
              new Scalar((double) seen), new Scalar((double) seen + added), scores.options()));
    }
  }

  private static final class Chance extends BatchScores {
    private final RandomGenerator random;

    Chance(DecoderConfig config, long seed) {
      super(config);
      this.random = new Seeds(seed).stream("policy");
    }

    @Override
    Tensor entered(int layer, Decoder.Qkv qkv, int seen) {
      Tensor scores = super.entered(layer, qkv, seen);
      float[] values = new float[(int) scores.numel()];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat();
      }
      return scores.copy_(Tensors.of(values, scores.size(0), scores.size(1), scores.size(2)));
    }
  }

  private static final class Known extends BatchScores {
    private final Tensor[] importance;

    Known(DecoderConfig config, Tensor[] importance) {
      super(config);
      this.importance = importance;
    }

    @Override
    Tensor entered(int layer, Decoder.Qkv qkv, int seen) {
      Tensor scores = super.entered(layer, qkv, seen);
      long known = Math.min(scores.size(2), Math.max(0, importance[layer].size(2) - seen));
      if (known > 0) { // answer tokens have no label
        scores.narrow(2, 0, known).copy_(importance[layer].narrow(2, seen, known));
      }
      return scores;
    }
  }

  private static final class Surprise extends BatchScores {
    Surprise(DecoderConfig config) {
      super(config);
    }

    @Override
    boolean needsLogits() {
      return true;
    }

    @Override
    Tensor surprise(@Nullable Tensor before, Tensor after, Tensor ids) {
      long tokens = ids.size(1);
      Tensor out = torch.zeros(new long[] {ids.size(0), tokens}, after.options());
      if (before != null) {
        out.narrow(1, 0, 1)
            .copy_(torch.log_softmax(before, 1).gather(1, ids.narrow(1, 0, 1)).neg_());
      }
      if (tokens > 1) {
        Tensor chance =
            torch
                .log_softmax(after.narrow(1, 0, tokens - 1), 2)
                .gather(2, ids.narrow(1, 1, tokens - 1).unsqueeze(2))
                .squeeze(2);
        out.narrow(1, 1, tokens - 1).copy_(chance.neg_());
      }
      return out;
    }
  }

  private static final class Attention extends BatchScores {
    private final int window;
    private final int pool;
    private final boolean adds;
    private final boolean shared;

    Attention(DecoderConfig config, int window, int pool, boolean adds, boolean shared) {
      super(config);
      this.window = window;
      this.pool = pool;
      this.adds = adds;
      this.shared = shared;
    }

    @Override
    void attended(Tensor scores, Tensor query, Tensor key, Tensor value) {
      long batch = query.size(0);
      long tokens = query.size(2);
      long count = Math.min(tokens, window);
      long length = key.size(2);
      Tensor q =
          Tensors.to(query.narrow(2, tokens - count, count), DType.F32)
              .reshape(batch, config.kvHeads(), config.groupSize() * count, config.headDim());
      Tensor products =
          q.matmul(Tensors.to(key, DType.F32).transpose(2, 3))
              .mul_(new Scalar(1 / Math.sqrt(config.headDim())))
              .view(batch, config.kvHeads(), config.groupSize(), count, length);
      Tensor hidden =
          torch.triu(
              torch.full(
                  new long[] {count, length},
                  new Scalar(Double.NEGATIVE_INFINITY),
                  products.options()),
              length - count + 1);
      Tensor received = torch.softmax(products.add_(hidden), -1).sum(new long[] {2, 3});
      if (shared) {
        received = received.mean(new long[] {1}).unsqueeze(1).expand_as(scores);
      }
      if (pool > 1) {
        received =
            torch.avg_pool1d(
                received, new long[] {pool}, new long[] {1}, new long[] {pool / 2}, false, false);
      }
      if (adds) {
        scores.add_(received);
      } else {
        scores.copy_(received);
        // the voting queries themselves stay
        scores.narrow(2, length - count, count).fill_(new Scalar(1e9));
      }
    }
  }

  private static final class Expected extends BatchScores {
    private static final int AHEAD = 256;

    Expected(DecoderConfig config) {
      super(config);
    }

    @Override
    void attended(Tensor scores, Tensor query, Tensor key, Tensor value) {
      long batch = query.size(0);
      long tokens = Math.min(query.size(2), AHEAD);
      Tensor q =
          Tensors.to(query.narrow(2, query.size(2) - tokens, tokens), DType.F32)
              .reshape(batch, config.kvHeads(), config.groupSize(), tokens, config.headDim());
      Tensor mean = q.mean(new long[] {3}); // [batch, kvHeads, group, headDim]
      Tensor spread = q.sub(mean.unsqueeze(3)).square().mean(new long[] {3});
      Tensor k = Tensors.to(key, DType.F32).transpose(2, 3);
      double scale = 1 / Math.sqrt(config.headDim());
      Tensor exponent =
          mean.matmul(k)
              .mul_(new Scalar(scale))
              .add_(spread.matmul(k.square()).mul_(new Scalar(scale * scale / 2)));
      Tensor share = torch.softmax(exponent, -1).mean(new long[] {2});
      Tensor size = Tensors.to(value, DType.F32).square().sum(new long[] {3}).sqrt();
      scores.copy_(share.mul(size));
    }
  }
}
