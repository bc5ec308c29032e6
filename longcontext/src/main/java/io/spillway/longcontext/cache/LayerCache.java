package io.spillway.longcontext.cache;

import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Keys and values of one layer, for each key-value head its own entries. Keys are kept un-rotated,
/// so that entries can close ranks after an eviction and be rotated at their new places.
///
/// **Shapes:** keys and values `[kvHeads, entries, headDim]`, scores `[kvHeads, entries]` f32.
public final class LayerCache implements AutoCloseable {
  /// Entries by which room grows.
  static final int PAGE = 64;

  private final TensorHolder holder = new TensorHolder();
  private Tensor keys;
  private Tensor values;
  private Tensor scores;
  private int length;
  private int capacity;

  /// @param like a tensor of the wanted type and device
  /// @param room entries to make room for at once
  LayerCache(int kvHeads, int headDim, int room, Tensor like) {
    capacity = pages(room);
    try (TensorScope scope = TensorScope.open()) {
      keys =
          holder.hold(
              torch.empty(
                  new long[] {kvHeads, capacity, headDim},
                  like.options(),
                  new MemoryFormatOptional()));
      values =
          holder.hold(
              torch.empty(
                  new long[] {kvHeads, capacity, headDim},
                  like.options(),
                  new MemoryFormatOptional()));
      scores =
          holder.hold(
              torch
                  .zeros(new long[] {kvHeads, capacity}, like.options())
                  .to(Tensors.scalarType(DType.F32)));
    }
  }

  private static int pages(int entries) {
    return Math.max(1, (entries + PAGE - 1) / PAGE) * PAGE;
  }

  public int length() {
    return length;
  }

  /// Entries there is room for.
  public int capacity() {
    return capacity;
  }

  /// Bytes of keys and values there is room for.
  public long bytes() {
    return 2 * keys.numel() * keys.element_size();
  }

  /// Un-rotated keys, `[kvHeads, length, headDim]`.
  public Tensor keys() {
    return keys.narrow(1, 0, length);
  }

  public Tensor values() {
    return values.narrow(1, 0, length);
  }

  /// What each entry is worth, `[kvHeads, length]`; writing into it changes the cache.
  public Tensor scores() {
    return scores.narrow(1, 0, length);
  }

  /// Adds entries at the end with the score zero.
  void append(Tensor newKeys, Tensor newValues) {
    int added = (int) newKeys.size(1);
    if (length + added > capacity) {
      grow(length + added);
    }
    keys.narrow(1, length, added).copy_(newKeys);
    values.narrow(1, length, added).copy_(newValues);
    scores.narrow(1, length, added).zero_();
    length += added;
  }

  private void grow(int needed) {
    int room = pages(Math.max(needed, capacity + capacity / 2));
    keys = enlarged(keys, room);
    values = enlarged(values, room);
    scores = enlarged(scores, room);
    capacity = room;
  }

  private Tensor enlarged(Tensor old, int room) {
    long[] shape = Tensors.shape(old);
    shape[1] = room;
    Tensor fresh = torch.empty(shape, old.options(), new MemoryFormatOptional());
    fresh.narrow(1, 0, length).copy_(old.narrow(1, 0, length));
    return holder.replace(old, fresh);
  }

  /// Keeps only the entries at `kept`, in that order, head by head.
  ///
  /// @param kept ascending places, `[kvHeads, count]` i64
  void compact(Tensor kept) {
    long heads = keys.size(0);
    int count = (int) kept.size(1);
    for (long head = 0; head < heads; head++) {
      Tensor places = kept.select(0, head);
      move(keys.select(0, head), places, count);
      move(values.select(0, head), places, count);
      move(scores.select(0, head), places, count);
    }
    length = count;
  }

  private static void move(Tensor rows, Tensor places, int count) {
    rows.narrow(0, 0, count).copy_(rows.index_select(0, places));
  }

  /// Gives back room beyond `entries`.
  void trim(int entries) {
    int room = pages(Math.max(entries, length));
    if (room < capacity) {
      keys = shrunk(keys, room);
      values = shrunk(values, room);
      scores = shrunk(scores, room);
      capacity = room;
    }
  }

  private Tensor shrunk(Tensor old, int room) {
    return holder.replace(old, old.narrow(1, 0, room).clone());
  }

  /// The largest `budget` places of each head, ascending: `[kvHeads, budget]`.
  ///
  /// @param sinks first entries that stay
  /// @param recent newest entries that stay
  Tensor best(int budget, int sinks, int recent) {
    Tensor worth = scores().clone();
    Scalar largest = new Scalar(Double.POSITIVE_INFINITY);
    if (sinks > 0) {
      worth.narrow(1, 0, Math.min(sinks, length)).fill_(largest);
    }
    int newest = Math.min(recent, Math.max(0, Math.min(length, budget) - sinks));
    if (newest > 0) {
      worth.narrow(1, length - (long) newest, newest).fill_(largest);
    }
    Tensor places = worth.topk(budget, 1, true, false).get1();
    return places.sort(1, false).get0();
  }

  /// Copies the content of `other`, which must have the same shape.
  void copyFrom(LayerCache other) {
    length = 0;
    append(other.keys(), other.values());
    scores().copy_(other.scores());
  }

  @Override
  public void close() {
    holder.close();
  }
}
