package io.spillway.longcontext.cache;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// Many prompts of one length read side by side, each with its own evictions: what an evaluation
/// needs to measure thousands of samples. [Session] is its twin for one sequence, and a test holds
/// that both give the same tokens.
///
/// **Shapes:** keys and values `[batch, kvHeads, entries, headDim]`, scores `[batch, kvHeads,
/// entries]`.
public final class BatchReading implements AutoCloseable {
  private final Decoder decoder;
  private final DecoderConfig config;
  private final Policy policy;
  private final CacheSettings settings;
  private final BatchScores scorer;
  private final TensorHolder holder = new TensorHolder();
  private final AngleTable table;
  private final Layer[] layers;
  private final @Nullable Watcher watcher;
  private @Nullable Question question;
  private int seen;
  private long peakEntries;

  /// Logits after the last token read, `[batch, vocabulary]` f32.
  private @Nullable Tensor logits;

  /// Sees what each layer projects, before rotation.
  @FunctionalInterface
  public interface Watcher {
    void projected(int layer, Decoder.Qkv qkv);
  }

  /// One layer's entries.
  private record Layer(Tensor keys, Tensor values, Tensor scores) {
    int length() {
      return (int) keys.size(2);
    }
  }

  /// @param heads trained heads if the policy needs them
  /// @param importance for the oracle, each layer's `[batch, kvHeads, tokens]`
  /// @param watcher sees queries, keys and values, or null
  public BatchReading(
      Decoder decoder,
      Policy policy,
      CacheSettings settings,
      @Nullable RetainingHeads heads,
      Tensor @Nullable [] importance,
      @Nullable Watcher watcher) {
    this.watcher = watcher;
    this.decoder = decoder;
    this.config = decoder.config();
    this.table = new AngleTable(decoder);
    this.policy = policy;
    this.settings = settings;
    this.scorer = BatchScores.of(policy, config, heads, importance);
    this.layers = new Layer[config.layers()];
  }

  /// Reads prompts: contexts in chunks with eviction, then questions without.
  ///
  /// @param contexts of one length
  /// @param questions of one length
  public void prefill(int[][] contexts, int[][] questions) {
    if (policy instanceof Policy.LocretQuery) {
      int[][] asked = new int[contexts.length][];
      for (int i = 0; i < asked.length; i++) {
        asked[i] = Question.tokens(contexts[i], questions[i], settings.chunk());
      }
      forget();
      question = new Question(decoder, table, false, asked);
    }
    for (int at = 0; at < contexts[0].length; at += settings.chunk()) {
      int end = Math.min(contexts[0].length, at + settings.chunk());
      forward(columns(contexts, at, end));
      if (policy.evicts() && !(policy instanceof Policy.SnapKvWhole)) {
        evict(end == contexts[0].length);
      }
    }
    extend(questions);
    if (policy instanceof Policy.SnapKvWhole) {
      evict(true);
    }
  }

  private void forget() {
    Question old = question;
    if (old != null) {
      old.close();
      question = null;
    }
  }

  /// Reads tokens without eviction.
  public void extend(int[][] tokens) {
    for (int at = 0; at < tokens[0].length; at += settings.chunk()) {
      forward(columns(tokens, at, Math.min(tokens[0].length, at + settings.chunk())));
    }
  }

  /// Answers greedily with `count` tokens each, which are read as well.
  public int[][] greedy(int count) {
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      TensorVector given = new TensorVector();
      for (int i = 0; i < count; i++) {
        Tensor next = last().argmax(new LongOptional(1), true); // [batch, 1]
        given.push_back(next);
        forward(next);
      }
      Tensor all = torch.cat(given, 1);
      long[] flat = Tensors.longs(all);
      int batch = (int) all.size(0);
      int[][] answers = new int[batch][count];
      for (int i = 0; i < flat.length; i++) {
        answers[i / count][i % count] = (int) flat[i];
      }
      return answers;
    }
  }

  /// Most entries that a layer and head of one prompt held.
  public long peakEntries() {
    return peakEntries;
  }

  private static int[][] columns(int[][] rows, int from, int to) {
    int[][] out = new int[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      out[i] = Arrays.copyOfRange(rows[i], from, to);
    }
    return out;
  }

  private Tensor last() {
    Tensor known = logits;
    if (known == null) {
      throw new IllegalStateException("nothing was read yet");
    }
    return known;
  }

  private void forward(int[][] tokens) {
    long[] flat = Arrays.stream(tokens).flatMapToInt(Arrays::stream).asLongStream().toArray();
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      Tensor ids = Tensors.of(flat, tokens.length, tokens[0].length);
      forward(ids.to(decoder.weight("model.norm.weight").device(), ids.scalar_type()));
    }
  }

  private void forward(Tensor ids) {
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      int added = (int) ids.size(1);
      Map<Integer, Tensor> masks = new HashMap<>();
      Tensor x = decoder.embed(ids);
      for (int l = 0; l < layers.length; l++) {
        int layer = l;
        int past = layers[l] == null ? 0 : layers[l].length();
        Decoder.Angles turn = table.get(0, past + added);
        if (added > 1 && past > 0) {
          masks.computeIfAbsent(past, p -> decoder.mask(added, p));
        }
        Tensor before = x;
        x = TensorScope.compute(() -> layer(layer, before, turn, past, masks.get(past)));
      }
      Tensor normed = decoder.finalNorm(x);
      if (scorer.needsLogits()) {
        Tensor all = Tensors.to(decoder.logits(normed), DType.F32);
        Tensor surprise = scorer.surprise(logits, all, ids);
        for (int l = 0; l < layers.length; l++) {
          Tensor scores = layers[l].scores();
          scores
              .narrow(2, scores.size(2) - added, added)
              .copy_(surprise.unsqueeze(1).expand_as(scores.narrow(2, 0, added)));
        }
        keepLogits(all.select(1, added - 1L));
      } else {
        keepLogits(
            Tensors.to(decoder.logits(normed.narrow(1, added - 1L, 1)), DType.F32).squeeze(1));
      }
      seen += added;
    }
  }

  private void keepLogits(Tensor fresh) {
    Tensor old = logits;
    Tensor own = fresh.contiguous();
    logits = old == null ? holder.hold(own) : holder.replace(old, own);
  }

  private Tensor layer(
      int layer, Tensor x, Decoder.Angles angles, int past, @Nullable Tensor mask) {
    Decoder.Qkv qkv = decoder.project(layer, x);
    if (watcher != null) {
      watcher.projected(layer, qkv);
    }
    int added = (int) x.size(1);
    Tensor entered = scorer.entered(layer, qkv, seen);
    Layer old = layers[layer];
    Layer now =
        old == null
            ? new Layer(qkv.key().contiguous(), qkv.value().contiguous(), entered.contiguous())
            : new Layer(
                join(old.keys(), qkv.key()),
                join(old.values(), qkv.value()),
                join(old.scores(), entered));
    put(layer, now);
    Tensor keys = decoder.rotate(now.keys(), angles);
    Tensor query = decoder.rotate(qkv.query(), angles.narrow(past, added));
    Tensor attended = decoder.attend(query, keys, now.values(), past, mask);
    scorer.attended(now.scores(), query, keys, now.values());
    peakEntries = Math.max(peakEntries, now.length());
    return decoder.finish(layer, x, attended);
  }

  private static Tensor join(Tensor before, Tensor after) {
    return torch.cat(new TensorVector(before, after), 2);
  }

  private void put(int layer, Layer now) {
    holder.hold(now.keys());
    holder.hold(now.values());
    holder.hold(now.scores());
    Layer old = layers[layer];
    if (old != null) {
      holder.release(old.keys());
      holder.release(old.values());
      holder.release(old.scores());
    }
    layers[layer] = now;
  }

  /// Cuts every layer to its budget, as a session does.
  private void evict(boolean last) {
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      for (int l = 0; l < layers.length; l++) {
        Layer all = layers[l];
        int budget = settings.budgetOf(l, layers.length);
        int length = all.length();
        if (length <= budget) {
          continue;
        }
        int recent = last && !policy.keepsRecentAtEnd() ? 0 : policy.stabilizer(budget);
        int always = Math.min(settings.sinks(), budget);
        Tensor worth = Eviction.scores(policy, question, l, all::keys, all.scores(), 0).clone();
        Scalar largest = new Scalar(Double.POSITIVE_INFINITY);
        if (always > 0) {
          worth.narrow(2, 0, always).fill_(largest);
        }
        int newest = Math.min(recent, budget - always);
        if (newest > 0) {
          worth.narrow(2, (long) length - newest, newest).fill_(largest);
        }
        Tensor kept = worth.topk(budget, 2, true, false).get1().sort(2, false).get0();
        Tensor wide =
            kept.unsqueeze(3).expand(kept.size(0), kept.size(1), kept.size(2), config.headDim());
        put(
            l,
            new Layer(
                all.keys().gather(2, wide),
                all.values().gather(2, wide),
                all.scores().gather(2, kept)));
      }
    }
  }

  @Override
  public void close() {
    forget();
    table.close();
    holder.close();
  }
}
