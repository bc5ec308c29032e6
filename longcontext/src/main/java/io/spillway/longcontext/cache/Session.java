package io.spillway.longcontext.cache;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
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
  private final Decoder decoder;
  private final DecoderConfig config;
  private final Policy policy;

  /// The policy without wrappers.
  private final Policy base;

  private final CacheSettings settings;
  private final Scorer scorer;
  private final AngleTable table;

  /// One cache for each layer, or one for each layer and head where heads differ in length.
  private final List<LayerCache> caches = new ArrayList<>();

  private final int parts;
  private final List<FarBlocks> far = new ArrayList<>();
  private @Nullable BlockStore store;
  private int seen;
  private int horizon;
  private long peakBytes;
  private final TensorHolder ends = new TensorHolder();
  private @Nullable Tensor lastHidden;
  private float @Nullable [] lastLogits;
  private boolean recordsSteps;

  /// What read the last token and holds its logits, if a recorded step did.
  private @Nullable RecordedStep step;

  private @Nullable Question asked;
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
    this.base = policy.base();
    this.parts = policy.headFloor() < 1 ? config.kvHeads() : 1;
    this.settings = settings;
    this.scorer = Scorer.of(policy, config, heads, importance);
    this.table = new AngleTable(decoder);
    this.recordsSteps = decoder.device().isCuda();
    for (int layer = 0; layer < config.layers(); layer++) {
      for (int part = 0; part < parts; part++) {
        caches.add(
            new LayerCache(
                config.kvHeads() / parts,
                config.headDim(),
                room(layer),
                settings.storage(),
                decoder.weight("model.norm.weight")));
      }
    }
    if (base instanceof Policy.InfLlm infLlm) {
      BlockStore second = BlockStore.beside(decoder.device().isCuda());
      store = second;
      caches.forEach(near -> far.add(new FarBlocks(infLlm, settings, decoder, near, second)));
    }
    notePeak();
  }

  /// Entries that a layer makes room for at once; what no position is left for is refused later.
  private int room(int layer) {
    if (base instanceof Policy.Full) {
      return LayerCache.PAGE;
    }
    long wanted = (long) settings.budgetOf(layer, config.layers()) + settings.chunk();
    return (int) Math.min(wanted, 2L * config.maxPositions());
  }

  public Policy policy() {
    return policy;
  }

  /// Hears of every eviction, for people who want to see the cache forget.
  @FunctionalInterface
  public interface EvictionObserver {
    /// @param layer the layer
    /// @param kept for each head in turn, the places before the eviction of what stays, in order;
    ///   nothing is told where heads differ in length
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
    return caches.stream().mapToLong(LayerCache::bytes).sum()
        + far.stream().mapToLong(FarBlocks::deviceBytes).sum();
  }

  /// Bytes of blocks that lie outside the device's memory.
  public long offloadedBytes() {
    BlockStore second = store;
    return second == null ? 0 : second.bytes();
  }

  List<LayerCache> caches() {
    return caches;
  }

  List<FarBlocks> far() {
    return far;
  }

  private List<LayerCache> caches(int layer) {
    return caches.subList(layer * parts, (layer + 1) * parts);
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
      ask(context, question);
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
        if (policy.evicts() && !(base instanceof Policy.SnapKvWhole)) {
          evict(end == context.length);
        }
        at = end;
        return;
      }
      if (question.length > 0) {
        extend(question);
      }
      if (base instanceof Policy.SnapKvWhole) {
        evict(true);
      }
      done = true;
    }
  }

  /// Reads the question before the text, for what it looks for.
  private void ask(int[] context, int[] question) {
    forgetQuestion();
    if (base instanceof Policy.LocretQuery && context.length > 0 && question.length > 0) {
      int[][] tokens = {Question.tokens(context, question, settings.chunk())};
      asked = new Question(decoder, table, beyond(1), tokens);
    }
  }

  private void forgetQuestion() {
    Question old = asked;
    if (old != null) {
      old.close();
      asked = null;
    }
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
    if (base instanceof Policy.Full) {
      return;
    }
    long longest = longest(question);
    if (longest > config.maxPositions() && !(base instanceof Policy.SnapKvWhole)) {
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
    RecordedStep now = step;
    if (now != null) {
      return now.logits();
    }
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
              // what attention makes is gone before the MLP begins
              Tensor attended = TensorScope.compute(() -> attend(at, qkv, masks));
              return decoder.finish(at, before, attended);
            });
        before.close(); // the scope would hold every layer's states until the chunk ends
      }
      notePeak();
      if (scorer.needsLogits()) {
        Tensor surprise =
            Surprises.of(decoder, decoder.finalNorm(x), ids, seen > 0 ? logits() : null);
        caches.forEach(cache -> scorer.predicted(cache, surprise));
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
        && parts == 1
        && !(base instanceof Policy.InfLlm);
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
      now.step(token);
      seen++;
    }
  }

  private void settleForSteps(LayerCache cache) {
    cache.turn(decoder, table, beyond(cache.length() + 1));
  }

  private void endStep() {
    RecordedStep now = step;
    if (now != null) {
      lastLogits = now.logits();
      now.close();
      step = null;
    }
  }

  /// The masks of the coming tokens under a sliding window, by the entries that the layers hold.
  private Map<Integer, Tensor> masks(int added) {
    Map<Integer, Tensor> masks = new HashMap<>();
    if (added > 1 && config.slidingWindow() > 0 && far.isEmpty()) {
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
    if (!far.isEmpty()) {
      return far.get(layer).attend(decoder, table, qkv);
    }
    List<LayerCache> own = caches(layer);
    int added = (int) qkv.query().size(2);
    for (int part = 0; part < parts; part++) {
      enter(own.get(part), cut(qkv.key(), part), cut(qkv.value(), part));
    }
    scorer.entered(layer, own, qkv, added, seen);
    if (parts == 1) {
      return look(own.getFirst(), qkv.query(), masks);
    }
    TensorVector heads = new TensorVector();
    for (int part = 0; part < parts; part++) {
      heads.push_back(look(own.get(part), cut(qkv.query(), part), masks));
    }
    return torch.cat(heads, 1);
  }

  /// The heads of one part.
  private Tensor cut(Tensor heads, int part) {
    long count = heads.size(1) / parts;
    return parts == 1 ? heads : heads.narrow(1, part * count, count);
  }

  private void enter(LayerCache cache, Tensor key, Tensor value) {
    int added = (int) key.size(2);
    int past = cache.length();
    if (parts > 1 && added > 1) {
      cache.fit(past + added);
    }
    boolean beyond = beyond(past + added);
    if (staysInPlace(added) || cache.isTurned()) {
      cache.turn(decoder, table, beyond);
    }
    Tensor keys = cache.isTurned() ? decoder.rotate(key, table.get(past, added, beyond)) : key;
    cache.append(keys.squeeze(0), value.squeeze(0));
  }

  private Tensor look(LayerCache cache, Tensor query, Map<Integer, Tensor> masks) {
    int added = (int) query.size(2);
    int length = cache.length();
    int past = length - added;
    boolean beyond = beyond(length);
    Tensor keys = cache.keys().unsqueeze(0);
    if (!cache.isTurned()) {
      keys = decoder.rotate(keys, table.get(0, length, beyond));
    }
    Tensor turned = decoder.rotate(query, table.get(past, added, beyond));
    Tensor attended =
        decoder.look(turned, keys, cache.values().unsqueeze(0), past, masks.get(past));
    scorer.attended(cache, turned, keys);
    return attended;
  }

  /// Whether entries keep their positions from now on, so that keys are turned once for all.
  private boolean staysInPlace(int added) {
    return base instanceof Policy.Full || (added == 1 && !settings.evictWhileDecoding());
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
    return JointStep.run(first.decoder, sessions, tokens);
  }

  /// Notes the logits after a token that was read together with other sequences.
  float[] joined(float[] logits) {
    seen++;
    notePeak();
    lastLogits = logits;
    float[] told = logits.clone();
    if (settings.evictWhileDecoding() && policy.evicts()) {
      evict(true);
    }
    return told;
  }

  /// Cuts every layer to its budget.
  ///
  /// @param last no further chunk of the text follows
  private void evict(boolean last) {
    endStep();
    try (NoGrad guard = NoGrad.begin()) {
      for (int layer = 0; layer < config.layers(); layer++) {
        int at = layer;
        // what one layer's eviction makes is gone before the next one's begins
        TensorScope.run(() -> evict(at, last));
      }
    }
  }

  private void evict(int layer, boolean last) {
    List<LayerCache> own = caches(layer);
    int budget = settings.budgetOf(layer, config.layers());
    if (own.stream().mapToLong(LayerCache::length).sum() <= (long) budget * parts) {
      return;
    }
    own.forEach(cache -> cache.turnBack(decoder, table));
    List<Tensor> best = Eviction.cut(layer, own, policy, asked, budget, settings.sinks(), last);
    EvictionObserver listener = observer;
    if (listener != null && parts == 1) {
      listener.kept(layer, Tensors.longs(best.getFirst()), config.kvHeads());
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
      for (int i = 0; i < caches.size(); i++) {
        copy.caches.get(i).copyFrom(caches.get(i), decoder, table);
      }
      for (int i = 0; i < far.size(); i++) {
        copy.far.get(i).copyFrom(far.get(i));
      }
    }
    copy.seen = seen;
    copy.lastLogits = step != null || lastHidden != null ? logits() : lastLogits;
    copy.notePeak();
    return copy;
  }

  /// Writes the cache as safetensors, so that another process can go on with it.
  public void save(Path file) {
    SessionFile.save(this, decoder, table, file);
  }

  /// Reads what [#save] wrote.
  ///
  /// **Errors:** a cache of another model.
  public static Session load(Path file, Decoder decoder, @Nullable RetainingHeads heads) {
    return SessionFile.load(file, decoder, heads);
  }

  /// Notes what a stored cache had read.
  void restored(int tokens, float @Nullable [] logits) {
    seen = tokens;
    lastLogits = logits;
    notePeak();
  }

  @Override
  public void close() {
    far.forEach(FarBlocks::close);
    BlockStore second = store;
    if (second != null) {
      second.close();
    }
    endStep();
    forgetQuestion();
    ends.close();
    caches.forEach(LayerCache::close);
    table.close();
  }
}
