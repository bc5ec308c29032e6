package io.spillway.longcontext.cache;

import io.spillway.longcontext.CacheStorage;
import io.spillway.models.Decoder;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Keys and values of one layer, for each key-value head its own entries. Keys are kept un-rotated,
/// so that entries can close ranks after an eviction and be rotated at their new places; while
/// nothing is evicted (a full cache, an answer that grows) they are turned once and stay turned.
///
/// **Shapes:** keys and values `[kvHeads, entries, headDim]`, scores `[kvHeads, entries]` f32.
public final class LayerCache implements AutoCloseable {
  /// Entries by which room grows.
  static final int PAGE = 64;

  private final TensorHolder holder = new TensorHolder();
  private final Store keys;
  private final Store values;
  private Tensor scores;
  private boolean turned;
  private boolean turnedBeyond;
  private int sinksBeforeSlots;
  private int slots;
  private double slotMass;

  /// @param like a tensor of the model's type and device
  /// @param room entries to make room for at once
  LayerCache(int kvHeads, int headDim, int room, CacheStorage storage, Tensor like) {
    int capacity = pages(room);
    keys = store(kvHeads, headDim, capacity, storage, true, like);
    values = store(kvHeads, headDim, capacity, storage, false, like);
    try (TensorScope scope = TensorScope.open()) {
      scores =
          holder.hold(
              like.new_zeros(new long[] {0})
                  .to(Tensors.scalarType(DType.F32))
                  .new_zeros(new long[] {kvHeads, capacity}));
    }
  }

  private static Store store(
      int kvHeads, int headDim, int room, CacheStorage storage, boolean isKey, Tensor like) {
    return switch (storage) {
      case MODEL -> new PlainStore(kvHeads, headDim, room, Tensors.dtype(like), like);
      case F32 -> new PlainStore(kvHeads, headDim, room, DType.F32, like);
      case BF16 -> new PlainStore(kvHeads, headDim, room, DType.BF16, like);
      case Q8, Q4, Q2 -> new QuantisedStore(kvHeads, headDim, room, storage.bits(), isKey, like);
    };
  }

  static int pages(int entries) {
    return Math.max(1, (entries + PAGE - 1) / PAGE) * PAGE;
  }

  public int length() {
    return keys.length();
  }

  /// Entries there is room for.
  public int capacity() {
    return Math.min(keys.capacity(), values.capacity());
  }

  /// Bytes of keys and values there is room for.
  public long bytes() {
    return keys.bytes() + values.bytes();
  }

  /// Keys, `[kvHeads, length, headDim]`, rotated if [#isTurned].
  public Tensor keys() {
    return keys.read();
  }

  public Tensor values() {
    return values.read();
  }

  /// Keys before rotation.
  Tensor plainKeys(Decoder decoder, AngleTable table) {
    return turned
        ? decoder
            .rotate(keys().unsqueeze(0), table.get(0, length(), turnedBeyond).inverse())
            .squeeze(0)
        : keys();
  }

  /// What each entry is worth, `[kvHeads, length]`; writing into it changes the cache.
  public Tensor scores() {
    return scores.narrow(1, 0, length());
  }

  /// The blocks behind keys and values if they are in the model's type and can be written in place.
  Tensor @Nullable [] blocks() {
    return keys instanceof PlainStore k
            && values instanceof PlainStore v
            && k.isView()
            && v.isView()
        ? new Tensor[] {k.block(), v.block()}
        : null;
  }

  /// Notes an entry that was written into [#blocks] from outside, after [#reserveExactly], which
  /// made its score zero: a GPU would need a launch for each layer and token here.
  void wroteOne() {
    ((PlainStore) keys).wrote(1);
    ((PlainStore) values).wrote(1);
  }

  /// Whether keys lie rotated at their places.
  boolean isTurned() {
    return turned;
  }

  /// Turns all keys in place if that can be, or back and forth where LongRoPE's other frequencies
  /// are wanted now.
  ///
  /// @param beyond which set of frequencies
  void turn(Decoder decoder, AngleTable table, boolean beyond) {
    if (turned && turnedBeyond != beyond) {
      turnBack(decoder, table);
    }
    if (!turned && keys instanceof PlainStore plain && plain.isView()) {
      if (length() > 0) {
        Decoder.Angles angles = table.get(0, length(), beyond);
        plain.replace(0, decoder.rotate(keys().unsqueeze(0), angles).squeeze(0));
      }
      turned = true;
      turnedBeyond = beyond;
    }
  }

  /// Turns keys back, before entries change places.
  void turnBack(Decoder decoder, AngleTable table) {
    if (turned && keys instanceof PlainStore plain) {
      if (length() > 0) {
        plain.replace(0, plainKeys(decoder, table));
      }
      turned = false;
    }
  }

  /// Adds entries at the end with the score zero.
  void append(Tensor newKeys, Tensor newValues) {
    int before = length();
    int added = (int) newKeys.size(1);
    keys.append(newKeys);
    values.append(newValues);
    reserveScores(before + added);
    scores.narrow(1, before, added).zero_();
  }

  /// Makes room for that many entries in all.
  void reserve(int entries) {
    keys.reserve(entries);
    values.reserve(entries);
    reserveScores(entries);
  }

  /// Makes blocks of exactly that many entries, if they have fewer or others, zero where no entry
  /// is.
  void reserveExactly(int entries) {
    if (keys instanceof PlainStore k && values instanceof PlainStore v) {
      k.resize(entries);
      v.resize(entries);
      k.clearRoom();
      v.clearRoom();
      reserveScores(entries);
      long used = length();
      TensorScope.run(() -> scores.narrow(1, used, scores.size(1) - used).zero_());
    }
  }

  private void reserveScores(int entries) {
    if (entries > scores.size(1)) {
      resizeScores(pages(Math.max(entries, (int) (scores.size(1) + scores.size(1) / 2))));
    }
  }

  private void resizeScores(int room) {
    try (TensorScope scope = TensorScope.open()) {
      long used = Math.min(room, scores.size(1));
      Tensor fresh = scores.new_zeros(new long[] {scores.size(0), room});
      fresh.narrow(1, 0, used).copy_(scores.narrow(1, 0, used));
      scores = holder.replace(scores, fresh);
    }
  }

  /// Keeps only the entries at `kept`, in that order, head by head. Keys must not be turned.
  ///
  /// @param kept ascending places, `[kvHeads, count]` i64
  void compact(Tensor kept) {
    if (turned) {
      throw new IllegalStateException("turn keys back before entries change places");
    }
    int count = (int) kept.size(1);
    Tensor stay = scores.gather(1, kept);
    keys.compact(kept);
    values.compact(kept);
    scores.narrow(1, 0, count).copy_(stay);
  }

  /// Gives back room beyond `entries`.
  void trim(int entries) {
    int room = pages(Math.max(entries, length()));
    keys.trim(room);
    values.trim(room);
    if (room < scores.size(1)) {
      resizeScores(room);
    }
  }

  /// Scores with sinks and the newest entries as the largest and merged ones as the smallest.
  ///
  /// @param scores of all entries
  /// @param sinks first entries that stay
  /// @param recent newest entries that stay
  Tensor worth(Tensor scores, int budget, int sinks, int recent) {
    Tensor worth = scores.clone();
    if (slots > 0) {
      worth.narrow(1, sinksBeforeSlots, slots).fill_(new Scalar(Double.NEGATIVE_INFINITY));
    }
    int length = length();
    Scalar largest = new Scalar(Double.POSITIVE_INFINITY);
    if (sinks > 0) {
      worth.narrow(1, 0, Math.min(sinks, length)).fill_(largest);
    }
    int newest = Math.min(recent, Math.max(0, Math.min(length, budget) - sinks));
    if (newest > 0) {
      worth.narrow(1, length - (long) newest, newest).fill_(largest);
    }
    return worth;
  }

  /// The `budget` places of largest worth of each head, ascending: `[kvHeads, budget]`.
  static Tensor best(Tensor worth, int budget) {
    return worth.topk(budget, 1, true, false).get1().sort(1, false).get0();
  }

  /// Merged entries, which stand behind the sinks.
  int slots() {
    return slots;
  }

  /// Tokens that one merged entry stands for.
  double slotMass() {
    return slotMass;
  }

  /// Puts merged entries in the place of those from `at` on.
  void putSlots(int at, Tensor newKeys, Tensor newValues, Tensor newScores, double mass) {
    keys.replace(at, newKeys);
    values.replace(at, newValues);
    scores.narrow(1, at, newScores.size(1)).copy_(newScores);
    noteSlots(at, (int) newScores.size(1), mass);
  }

  /// Notes that entries from `at` on are merged ones.
  void noteSlots(int at, int count, double mass) {
    sinksBeforeSlots = at;
    slots = count;
    slotMass = mass;
  }

  /// Entries before the merged ones.
  int sinksBeforeSlots() {
    return sinksBeforeSlots;
  }

  /// Makes room for exactly that many entries, rounded up to pages, or as many as there are.
  void fit(int entries) {
    if (pages(entries) > capacity()) {
      keys.fit(pages(entries));
      values.fit(pages(entries));
      reserveScores(entries);
    } else {
      trim(entries);
    }
  }

  /// Copies the content of `other`, which must have the same shape.
  void copyFrom(LayerCache other, Decoder decoder, AngleTable table) {
    append(other.plainKeys(decoder, table), other.values());
    scores().copy_(other.scores());
    noteSlots(other.sinksBeforeSlots, other.slots, other.slotMass);
  }

  @Override
  public void close() {
    keys.close();
    values.close();
    holder.close();
  }
}
