package io.spillway.longcontext.cache;

import io.spillway.longcontext.Policy;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Writes into [LayerCache#scores] what each entry is worth; one for each sequence.
abstract class Scorer {
  /// Query rows whose attention is looked at at once.
  private static final int QUERIES = 256;

  /// New entries stand at the end of the layer's caches: one for all heads, or one for each.
  ///
  /// @param seen tokens of the sequence before them
  void entered(int layer, List<LayerCache> caches, Decoder.Qkv qkv, int added, int seen) {}

  /// The new queries have looked at a cache.
  ///
  /// @param query rotated, `[1, heads, tokens, headDim]`
  /// @param key rotated, `[1, kvHeads, length, headDim]`
  void attended(LayerCache cache, Tensor query, Tensor key) {}

  /// Whether [#predicted] needs the logits of every token.
  boolean needsLogits() {
    return false;
  }

  /// How surprising the last `surprise.length` tokens were.
  void predicted(LayerCache cache, Tensor surprise) {}

  static Scorer of(
      Policy policy,
      DecoderConfig config,
      @Nullable RetainingHeads heads,
      Tensor @Nullable [] importance) {
    return switch (policy) {
      case Policy.Wrapped wrapped -> of(wrapped.inner(), config, heads, importance);
      case Policy.Full full -> new None();
      case Policy.InfLlm infLlm -> new None();
      case Policy.Locret locret -> new Heads(required(heads, policy));
      case Policy.LocretQuery query -> new Heads(required(heads, policy));
      case Policy.HeavyHitters hitters -> new Attention(config, Integer.MAX_VALUE, 1, true, false);
      case Policy.SnapKv snapKv ->
          new Attention(config, snapKv.window(), snapKv.pool(), false, false);
      case Policy.SnapKvWhole snapKv ->
          new Attention(config, snapKv.window(), snapKv.pool(), false, false);
      case Policy.Tova tova -> new Attention(config, 1, 1, false, true);
      case Policy.ExpectedAttention expected -> new Expected(config);
      case Policy.StreamingLlm streaming -> new Newest();
      case Policy.SirLlm sirLlm -> new Surprise();
      case Policy.Random random -> new Chance(new Seeds(random.seed()).stream("policy"));
      case Policy.Oracle oracle -> {
        if (importance == null) {
          throw SpillwayException.badInput(
              "the policy oracle needs the true answer; it works in evaluations only");
        }
        yield new Known(importance);
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

  private static final class None extends Scorer {}

  /// Trained heads.
  private static final class Heads extends Scorer {
    private final RetainingHeads heads;

    Heads(RetainingHeads heads) {
      this.heads = heads;
    }

    @Override
    void entered(int layer, List<LayerCache> caches, Decoder.Qkv qkv, int added, int seen) {
      put(caches, heads.score(layer, qkv));
    }
  }

  /// Scores of the newest entries, `[kvHeads, added]`, to the caches of the heads.
  private static void put(List<LayerCache> caches, Tensor scores) {
    long head = 0;
    for (LayerCache cache : caches) {
      Tensor own = newest(cache, (int) scores.size(1));
      own.copy_(scores.narrow(0, head, own.size(0)));
      head += own.size(0);
    }
  }

  private static Tensor newest(LayerCache cache, int added) {
    return cache.scores().narrow(1, cache.length() - (long) added, added);
  }

  /// Later is better.
  private static final class Newest extends Scorer {
    @Override
    void entered(int layer, List<LayerCache> caches, Decoder.Qkv qkv, int added, int seen) {
      for (LayerCache cache : caches) {
        Tensor scores = newest(cache, added);
        scores.copy_(
            torch.arange(
                new Scalar((double) seen), new Scalar((double) seen + added), scores.options()));
      }
    }
  }

  private static final class Chance extends Scorer {
    private final RandomGenerator random;

    Chance(RandomGenerator random) {
      this.random = random;
    }

    @Override
    void entered(int layer, List<LayerCache> caches, Decoder.Qkv qkv, int added, int seen) {
      for (LayerCache cache : caches) {
        Tensor scores = newest(cache, added);
        float[] values = new float[(int) scores.numel()];
        for (int i = 0; i < values.length; i++) {
          values[i] = random.nextFloat();
        }
        scores.copy_(Tensors.of(values, scores.size(0), added));
      }
    }
  }

  /// Scores that were worked out beforehand for every token.
  private static final class Known extends Scorer {
    private final Tensor[] importance;

    Known(Tensor[] importance) {
      this.importance = importance;
    }

    @Override
    void entered(int layer, List<LayerCache> caches, Decoder.Qkv qkv, int added, int seen) {
      long known = Math.min(added, Math.max(0, importance[layer].size(1) - seen));
      if (known > 0) { // answer tokens have no label
        newest(caches.getFirst(), added)
            .narrow(1, 0, known)
            .copy_(importance[layer].narrow(1, seen, known));
      }
    }
  }

  private static final class Surprise extends Scorer {
    @Override
    boolean needsLogits() {
      return true;
    }

    @Override
    void predicted(LayerCache cache, Tensor surprise) {
      newest(cache, (int) surprise.size(0)).copy_(surprise.unsqueeze(0));
    }
  }

  /// Softmax weights that entries received from queries, summed over queries and the heads of a
  /// group: `[kvHeads, length]` f32. Queries are taken a block at a time, so that the weights of a
  /// long chunk never lie in memory together.
  ///
  /// @param window newest queries to look at
  static Tensor received(DecoderConfig config, Tensor query, Tensor key, int window) {
    long tokens = query.size(2);
    long length = key.size(2);
    Tensor k = Tensors.to(key.squeeze(0), DType.F32).transpose(1, 2);
    Tensor sum = k.new_zeros(new long[] {key.size(1), length});
    for (long from = tokens - Math.min(tokens, window); from < tokens; from += QUERIES) {
      long first = from;
      long count = Math.min(QUERIES, tokens - first);
      TensorScope.run(() -> {
        Tensor q =
            Tensors.to(query.narrow(2, first, count), DType.F32)
                .reshape(key.size(1), config.groupSize() * count, config.headDim());
        Tensor logits = q.matmul(k).mul_(new Scalar(1 / Math.sqrt(config.headDim())));
        logits = logits.view(key.size(1), config.groupSize(), count, length);
        long seen = length - tokens + first; // entries that all of these queries see, less one
        if (seen + 1 < length) {
          Tensor hidden =
              torch.triu(
                  torch.full(
                      new long[] {count, length - seen},
                      new Scalar(Double.NEGATIVE_INFINITY),
                      logits.options()),
                  1);
          logits.narrow(3, seen, length - seen).add_(hidden);
        }
        sum.add_(torch.softmax(logits, -1).sum(new long[] {1, 2}));
      });
    }
    return sum;
  }

  /// Attention that entries receive from the newest queries, or from all of them summed.
  private static final class Attention extends Scorer {
    private final DecoderConfig config;
    private final int window;
    private final int pool;
    private final boolean adds;
    private final boolean shared;

    /// @param adds sums over chunks instead of looking at the newest chunk alone
    /// @param shared one score for all heads
    Attention(DecoderConfig config, int window, int pool, boolean adds, boolean shared) {
      this.config = config;
      this.window = window;
      this.pool = pool;
      this.adds = adds;
      this.shared = shared;
    }

    @Override
    void attended(LayerCache cache, Tensor query, Tensor key) {
      Tensor received = received(config, query, key, window);
      if (shared) {
        received = received.mean(new long[] {0}).unsqueeze(0);
      }
      if (pool > 1) {
        received =
            torch
                .avg_pool1d(
                    received.unsqueeze(0),
                    new long[] {pool},
                    new long[] {1},
                    new long[] {pool / 2},
                    false,
                    false)
                .squeeze(0);
      }
      if (!adds) {
        // the voting queries themselves stay
        long voters = Math.min(query.size(2), window);
        received.narrow(1, cache.length() - voters, voters).fill_(new Scalar(1e9));
        cache.scores().copy_(received);
      } else {
        cache.scores().add_(received);
      }
    }
  }

  /// `exp(mean query · k + half the variance along k)` times the length of the value, with the
  /// queries' mean and variance turned to the positions that follow.
  ///
  /// **Source:** Devoto et al., Expected Attention; the variance is taken as diagonal.
  private static final class Expected extends Scorer {
    private static final int AHEAD = 256;

    private final DecoderConfig config;

    Expected(DecoderConfig config) {
      this.config = config;
    }

    @Override
    void attended(LayerCache cache, Tensor query, Tensor key) {
      // rotated queries stand near the end of the cache already, as those that follow will
      long tokens = Math.min(query.size(2), AHEAD);
      Tensor q =
          Tensors.to(query.narrow(2, query.size(2) - tokens, tokens), DType.F32)
              .view(key.size(1), config.groupSize(), tokens, config.headDim());
      Tensor mean = q.mean(new long[] {2}); // [kvHeads, group, headDim]
      Tensor spread = q.sub(mean.unsqueeze(2)).square().mean(new long[] {2});
      Tensor k =
          Tensors.to(key.squeeze(0), DType.F32).transpose(1, 2); // [kvHeads, headDim, length]
      double scale = 1 / Math.sqrt(config.headDim());
      Tensor exponent =
          mean.matmul(k)
              .mul_(new Scalar(scale))
              .add_(spread.matmul(k.square()).mul_(new Scalar(scale * scale / 2)));
      Tensor share = torch.softmax(exponent, -1).mean(new long[] {1});
      Tensor size = Tensors.to(cache.values(), DType.F32).square().sum(new long[] {2}).sqrt();
      cache.scores().copy_(share.mul(size));
    }
  }
}
