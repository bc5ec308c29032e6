package io.spillway.longcontext.cache;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.CacheStorage;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// One sequence with its cache: reads a prompt in chunks with eviction, then token by token.
///
/// The longest position is that of the compacted cache, so prompts may be many times longer than
/// the model's trained length as long as budget, chunk and answer fit into it.
///
/// Use one session on one platform thread.
public final class Session implements AutoCloseable {
  /// Rows of logits worked out at once.
  private static final int ROWS = 256;

  private final Decoder decoder;
  private final DecoderConfig config;
  private final Policy policy;
  private final CacheSettings settings;
  private final Scorer scorer;
  private final AngleTable table;
  private final List<LayerCache> caches = new ArrayList<>();
  private int seen;
  private int sinks;
  private int horizon;
  private long peakBytes;
  private final TensorHolder ends = new TensorHolder();
  private @Nullable Tensor lastHidden;
  private float @Nullable [] lastLogits;
  private boolean recordsSteps;
  private @Nullable RecordedStep step;
  private @Nullable EvictionObserver observer;

  /// @param heads trained heads if the policy needs them
  /// @param importance for the oracle, each layer's `[kvHeads, tokens]`
  public Session(
      Decoder decoder,
      Policy policy,
      CacheSettings settings,
      @Nullable RetainingHeads heads,
      Tensor @Nullable [] importance) {
    this.decoder = decoder;
    this.config = decoder.config();
    this.policy = policy;
    this.settings = settings;
    this.sinks = settings.sinks();
    this.scorer = Scorer.of(policy, config, heads, importance);
    this.table = new AngleTable(decoder);
    this.recordsSteps = decoder.device().isCuda();
    for (int layer = 0; layer < config.layers(); layer++) {
      int room =
          policy.evicts()
              ? settings.budgetOf(layer, config.layers()) + settings.chunk()
              : LayerCache.PAGE;
      caches.add(
          new LayerCache(
              config.kvHeads(),
              config.headDim(),
              room,
              settings.storage(),
              decoder.weight("model.norm.weight")));
    }
    notePeak();
  }

  public Policy policy() {
    return policy;
  }

  /// Hears of every eviction, for people who want to see the cache forget.
  @FunctionalInterface
  public interface EvictionObserver {
    /// @param layer the layer
    /// @param kept for each head in turn, the places before the eviction of what stays, in order
    /// @param heads key-value heads
    void kept(int layer, long[] kept, int heads);
  }

  /// Tells `listener` of every eviction from now on; each costs a copy to the host.
  public void observe(EvictionObserver listener) {
    observer = listener;
  }

  public CacheSettings settings() {
    return settings;
  }

  /// Tokens read so far.
  public int seen() {
    return seen;
  }

  /// Entries of the longest layer now.
  public int length() {
    return caches.stream().mapToInt(LayerCache::length).max().orElse(0);
  }

  /// Whether no further token has a position; evicting while decoding avoids it.
  public boolean isFull() {
    return length() >= config.maxPositions();
  }

  /// Most bytes that keys and values took at any time, room for growth included.
  public long peakBytes() {
    return peakBytes;
  }

  /// Bytes that keys and values take now.
  public long bytes() {
    return caches.stream().mapToLong(LayerCache::bytes).sum();
  }

  List<LayerCache> caches() {
    return caches;
  }

  /// Reads a prompt: `context` in chunks with eviction, then `question` without.
  ///
  /// **Errors:** a budget that leaves no room within the model's positions.
  public void prefill(int[] context, int[] question) {
    Prefill prefill = startPrefill(context, question);
    while (!prefill.isDone()) {
      prefill.step();
    }
  }

  /// Begins to read a prompt as [#prefill] does, a chunk at a time, so that other sequences may
  /// grow in between.
  public Prefill startPrefill(int[] context, int[] question) {
    return new Prefill(context, question);
  }

  /// A prompt on its way into the cache.
  public final class Prefill {
    private final int[] context;
    private final int[] question;
    private int at;
    private boolean done;

    private Prefill(int[] context, int[] question) {
      requireRoom(question.length);
      long whole = (long) length() + context.length + question.length;
      horizon = (int) Math.min(whole, policy.evicts() ? longest(question.length) : whole);
      this.context = context.clone();
      this.question = question.clone();
      if (policy instanceof Policy.LocretQuery && seen == 0 && context.length > 0) {
        at = prefixQuestion(context, question);
      }
    }

    public boolean isDone() {
      return done;
    }

    /// Reads the next chunk, or the question when the context is through.
    public void step() {
      if (done) {
        throw new IllegalStateException("the prompt has been read");
      }
      if (at < context.length) {
        int end = Math.min(context.length, at + settings.chunk());
        forward(Arrays.copyOfRange(context, at, end));
        if (policy.evicts() && !(policy instanceof Policy.SnapKvWhole)) {
          evict(end == context.length);
        }
        at = end;
        return;
      }
      if (question.length > 0) {
        extend(question);
      }
      if (policy instanceof Policy.SnapKvWhole) {
        evict(true);
      }
      done = true;
    }
  }

  /// The begin token, the question, the text, the question once more. The leading question stays in
  /// the cache with the sinks.
  ///
  /// @return tokens of the text that are read with it
  private int prefixQuestion(int[] context, int[] question) {
    int begin = Math.min(1, context.length);
    int[] prefix = Arrays.copyOf(context, begin + question.length);
    System.arraycopy(question, 0, prefix, begin, question.length);
    if (prefix.length >= settings.budget()) {
      throw SpillwayException.badInput(
          "the question of %d tokens does not fit into the budget of %d entries; raise the budget"
              + " or use the policy locret",
          question.length, settings.budget());
    }
    extend(prefix);
    sinks = Math.max(sinks, prefix.length);
    return begin;
  }

  /// The largest position of a prompt under eviction.
  private long longest(int question) {
    return (long) settings.budget() + Math.max(settings.chunk(), question);
  }

  /// Whether LongRoPE's second set of frequencies counts: by all positions that the prompt will
  /// take, so that its chunks are read as one pass over it would be.
  private boolean beyond(int length) {
    return table.beyond(Math.max(length, horizon));
  }

  private void requireRoom(int question) {
    if (!policy.evicts()) {
      return;
    }
    long longest = longest(question);
    if (longest > config.maxPositions() && !(policy instanceof Policy.SnapKvWhole)) {
      throw SpillwayException.badInput(
          "budget %d and chunk %d (question %d) need %d positions, the model has %d; lower the"
              + " budget or the chunk",
          settings.budget(), settings.chunk(), question, longest, config.maxPositions());
    }
  }

  /// Reads tokens without eviction and returns the logits after the last.
  public float[] extend(int[] tokens) {
    if (tokens.length == 1 && mayRecord()) {
      record(tokens[0]);
    } else {
      for (int at = 0; at < tokens.length; at += settings.chunk()) {
        forward(Arrays.copyOfRange(tokens, at, Math.min(tokens.length, at + settings.chunk())));
      }
    }
    if (settings.evictWhileDecoding() && policy.evicts()) {
      evict(true);
    }
    return logits();
  }

  /// Logits after the last token read.
  public float[] logits() {
    float[] known = lastLogits;
    if (known == null) {
      Tensor hidden = lastHidden;
      if (hidden == null) {
        throw new IllegalStateException("nothing was read yet");
      }
      try (TensorScope scope = TensorScope.open();
          NoGrad guard = NoGrad.begin()) {
        known = Tensors.floats(decoder.logits(decoder.finalNorm(hidden)));
      }
      lastLogits = known;
    }
    return known.clone();
  }

  /// Reads tokens; what the logits after the last come from stays on the device until asked for.
  private void forward(int[] tokens) {
    endStep();
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      long[] ids = Arrays.stream(tokens).asLongStream().toArray();
      Tensor x = decoder.embed(Tensors.to(Tensors.of(ids, 1, ids.length), decoder.device()));
      Map<Integer, Tensor> masks = masks(tokens.length);
      for (int layer = 0; layer < config.layers(); layer++) {
        int at = layer;
        Tensor before = x;
        x =
            TensorScope.compute(() -> {
              Decoder.Qkv qkv = decoder.project(at, before);
              return decoder.finish(at, before, attend(at, qkv, masks));
            });
      }
      notePeak();
      if (scorer.needsLogits()) {
        measureSurprise(decoder.finalNorm(x), ids);
      }
      seen += tokens.length;
      keep(x.narrow(1, (long) tokens.length - 1, 1).clone());
    }
  }

  private void keep(Tensor hidden) {
    Tensor old = lastHidden;
    lastHidden = old == null ? ends.hold(hidden) : ends.replace(old, hidden);
    lastLogits = null;
  }

  /// Whether single tokens may run as a recorded step: nothing is evicted between them, and no
  /// policy watches them.
  private boolean mayRecord() {
    return recordsSteps
        && seen > 0
        && !settings.evictWhileDecoding()
        && !(policy instanceof Policy.InfLlm);
  }

  /// Lets a session on the CPU take the path of recorded steps, without a graph.
  void recordSteps() {
    recordsSteps = true;
  }

  /// How single tokens run, for reports.
  public String stepping() {
    RecordedStep now = step;
    return now == null ? "operation by operation" : now.how();
  }

  private void record(int token) {
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      RecordedStep now = step;
      if (now == null || !now.hasRoom()) {
        endStep();
        caches.forEach(this::settleForSteps);
        now = RecordedStep.over(decoder, caches, table, decoder.device());
        step = now;
        notePeak();
      }
      if (now == null) {
        recordsSteps = false;
        forward(new int[] {token});
        return;
      }
      lastLogits = Tensors.floats(now.step(token));
      seen++;
    }
  }

  private void settleForSteps(LayerCache cache) {
    cache.turn(decoder, table, beyond(cache.length() + 1));
  }

  private void endStep() {
    RecordedStep now = step;
    if (now != null) {
      now.close();
      step = null;
    }
  }

  /// The masks of the coming tokens under a sliding window, by the entries that the layers hold.
  private Map<Integer, Tensor> masks(int added) {
    Map<Integer, Tensor> masks = new HashMap<>();
    if (added > 1 && config.slidingWindow() > 0 && !(policy instanceof Policy.InfLlm)) {
      for (LayerCache cache : caches) {
        if (cache.length() + added > config.slidingWindow()) {
          masks.computeIfAbsent(cache.length(), past -> decoder.mask(added, past));
        }
      }
    }
    return masks;
  }

  /// Adds the new keys and values to the cache and lets the new queries look at it.
  Tensor attend(int layer, Decoder.Qkv qkv, Map<Integer, Tensor> masks) {
    LayerCache cache = caches.get(layer);
    int added = (int) qkv.query().size(2);
    int past = cache.length();
    int length = past + added;
    if (policy instanceof Policy.InfLlm infLlm) {
      cache.append(qkv.key().squeeze(0), qkv.value().squeeze(0));
      return Blocks.attend(infLlm, settings, decoder, table, cache, qkv, past);
    }
    boolean beyond = beyond(length);
    if (staysInPlace(added) || cache.isTurned()) {
      cache.turn(decoder, table, beyond);
    }
    Decoder.Angles turn = table.get(past, added, beyond);
    Tensor newKeys = cache.isTurned() ? decoder.rotate(qkv.key(), turn) : qkv.key();
    cache.append(newKeys.squeeze(0), qkv.value().squeeze(0));
    scorer.entered(layer, cache, qkv, added, seen);
    Tensor keys = cache.keys().unsqueeze(0);
    if (!cache.isTurned()) {
      keys = decoder.rotate(keys, table.get(0, length, beyond));
    }
    Tensor query = decoder.rotate(qkv.query(), turn);
    Tensor attended = decoder.look(query, keys, cache.values().unsqueeze(0), past, masks.get(past));
    scorer.attended(layer, cache, query, keys, qkv);
    return attended;
  }

  /// Whether entries keep their positions from now on, so that keys are turned once for all.
  private boolean staysInPlace(int added) {
    return policy instanceof Policy.Full || (added == 1 && !settings.evictWhileDecoding());
  }

  /// One token for each of several sequences of one model at once: the projections run over all of
  /// them together, attention over each one's own cache.
  ///
  /// @return logits, one row for each sequence
  public static List<float[]> step(List<Session> sessions, int[] tokens) {
    Session first = sessions.getFirst();
    if (sessions.size() == 1) {
      return List.of(first.extend(tokens));
    }
    sessions.forEach(Session::endStep);
    Decoder decoder = first.decoder;
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      long[] ids = Arrays.stream(tokens).asLongStream().toArray();
      Tensor x = decoder.embed(Tensors.to(Tensors.of(ids, ids.length, 1), decoder.device()));
      for (int layer = 0; layer < first.config.layers(); layer++) {
        int at = layer;
        Tensor before = x;
        x =
            TensorScope.compute(() -> {
              Decoder.Qkv qkv = decoder.project(at, before);
              TensorVector rows = new TensorVector();
              for (int i = 0; i < sessions.size(); i++) {
                rows.push_back(sessions.get(i).attend(at, row(qkv, i), Map.of()));
              }
              return decoder.finish(at, before, torch.cat(rows, 0));
            });
      }
      float[] logits = Tensors.floats(decoder.logits(decoder.finalNorm(x)));
      int width = first.config.vocabulary();
      List<float[]> out = new ArrayList<>();
      for (int i = 0; i < sessions.size(); i++) {
        Session session = sessions.get(i);
        session.seen++;
        session.notePeak();
        session.lastLogits = Arrays.copyOfRange(logits, i * width, (i + 1) * width);
        out.add(session.logits());
        if (session.settings.evictWhileDecoding() && session.policy.evicts()) {
          session.evict(true);
        }
      }
      return out;
    }
  }

  private static Decoder.Qkv row(Decoder.Qkv qkv, long row) {
    return new Decoder.Qkv(
        qkv.query().narrow(0, row, 1), qkv.key().narrow(0, row, 1), qkv.value().narrow(0, row, 1));
  }

  private void measureSurprise(Tensor normed, long[] ids) {
    Tensor surprise = Tensors.empty(DType.F32, decoder.device(), ids.length);
    surprise.narrow(0, 0, 1).zero_();
    if (seen > 0) {
      float[] before = logits();
      Tensor probability = torch.log_softmax(Tensors.of(before, 1, before.length), 1);
      surprise.narrow(0, 0, 1).copy_(probability.select(1, ids[0]).neg());
    }
    for (int begin = 0; begin < ids.length - 1; begin += ROWS) {
      int from = begin;
      int count = Math.min(ROWS, ids.length - 1 - from);
      Tensor next = Tensors.of(Arrays.copyOfRange(ids, from + 1, from + 1 + count), count, 1);
      TensorScope.run(() -> {
        // a block of rows at a time, since a vocabulary is wide
        Tensor logits =
            Tensors.to(decoder.logits(normed.narrow(1, from, count)).squeeze(0), DType.F32);
        Tensor probability =
            torch.log_softmax(logits, 1).gather(1, Tensors.to(next, decoder.device()));
        surprise.narrow(0, from + 1L, count).copy_(probability.squeeze(1).neg());
      });
    }
    for (LayerCache cache : caches) {
      scorer.predicted(cache, surprise);
    }
  }

  /// Cuts every layer to its budget.
  ///
  /// @param last no further chunk of the text follows
  private void evict(boolean last) {
    endStep();
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      for (int layer = 0; layer < caches.size(); layer++) {
        LayerCache cache = caches.get(layer);
        int budget = settings.budgetOf(layer, caches.size());
        if (cache.length() <= budget) {
          continue;
        }
        cache.turnBack(decoder, table);
        int recent = last && !policy.keepsRecentAtEnd() ? 0 : policy.stabilizer(budget);
        Tensor best = cache.best(budget, Math.min(sinks, budget), recent);
        cache.compact(best);
        if (observer != null) {
          observer.kept(layer, Tensors.longs(best), config.kvHeads());
        }
        if (policy instanceof Policy.SnapKvWhole) {
          cache.trim(budget);
        }
      }
    }
  }

  private void notePeak() {
    peakBytes = Math.max(peakBytes, bytes());
  }

  /// A second session with the same content, for another question about the same text.
  public Session fork(@Nullable RetainingHeads heads) {
    Session copy = new Session(decoder, policy, settings, heads, null);
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      for (int layer = 0; layer < caches.size(); layer++) {
        copy.caches.get(layer).copyFrom(caches.get(layer), decoder, table);
      }
    }
    copy.seen = seen;
    copy.sinks = sinks;
    copy.lastLogits = lastHidden == null ? lastLogits : logits();
    copy.notePeak();
    return copy;
  }

  /// Writes the cache as safetensors, so that another process can go on with it.
  public void save(Path file) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      for (int layer = 0; layer < caches.size(); layer++) {
        LayerCache cache = caches.get(layer);
        tensors.put("keys." + layer, cache.plainKeys(decoder, table).contiguous());
        tensors.put("values." + layer, cache.values().contiguous());
        tensors.put("scores." + layer, cache.scores().contiguous());
      }
      Weights.save(
          file,
          tensors,
          Map.of(
              "policy",
              policy.label(),
              "seen",
              String.valueOf(seen),
              "sinks",
              String.valueOf(sinks),
              "budget",
              String.valueOf(settings.budget()),
              "chunk",
              String.valueOf(settings.chunk()),
              "local",
              String.valueOf(settings.local()),
              "settingSinks",
              String.valueOf(settings.sinks()),
              "storage",
              settings.storage().label()));
    }
  }

  /// Reads what [#save] wrote.
  ///
  /// **Errors:** a cache of another model.
  public static Session load(Path file, Decoder decoder, @Nullable RetainingHeads heads) {
    try (Weights weights = Weights.open(file);
        TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      Map<String, String> metadata = weights.model().metadata();
      int[] numbers = new int[6];
      List<String> keys = List.of("seen", "sinks", "budget", "chunk", "local", "settingSinks");
      for (int i = 0; i < numbers.length; i++) {
        String text = metadata.get(keys.get(i));
        if (text == null || !text.matches("[0-9]{1,9}")) {
          throw SpillwayException.badFile(file, "", "no stored cache (%s is missing)", keys.get(i));
        }
        numbers[i] = Integer.parseInt(text);
      }
      CacheSettings settings =
          new CacheSettings(numbers[2], numbers[3], numbers[4], numbers[5], 1, false)
              .storedAs(CacheStorage.named(metadata.getOrDefault("storage", "model")));
      Session session =
          new Session(
              decoder, Policy.named(metadata.getOrDefault("policy", "")), settings, heads, null);
      session.seen = numbers[0];
      session.sinks = numbers[1];
      for (int layer = 0; layer < session.caches.size(); layer++) {
        if (!weights.contains("keys." + layer)
            || weights.contains("keys." + session.caches.size())) {
          throw SpillwayException.badFile(file, "", "this cache belongs to another model");
        }
        LayerCache cache = session.caches.get(layer);
        Tensor stored = weights.tensor("keys." + layer);
        if (stored.size(0) != decoder.config().kvHeads()
            || stored.size(2) != decoder.config().headDim()) {
          throw SpillwayException.badFile(file, "", "this cache belongs to another model");
        }
        cache.append(stored, weights.tensor("values." + layer));
        cache.scores().copy_(weights.tensor("scores." + layer));
      }
      session.notePeak();
      return session;
    }
  }

  @Override
  public void close() {
    endStep();
    ends.close();
    caches.forEach(LayerCache::close);
    table.close();
  }
}
