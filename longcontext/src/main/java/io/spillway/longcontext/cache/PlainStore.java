package io.spillway.longcontext.cache;

import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Floating numbers in one block.
final class PlainStore implements Store {
  private final TensorHolder holder = new TensorHolder();
  private final DType computed;
  private Tensor block;
  private int length;

  /// @param stored the type to keep
  /// @param like a tensor of the model's type and device
  PlainStore(int kvHeads, int headDim, int room, DType stored, Tensor like) {
    computed = Tensors.dtype(like);
    try (TensorScope scope = TensorScope.open()) {
      block =
          holder.hold(
              torch
                  .empty(new long[] {0}, like.options(), new MemoryFormatOptional())
                  .to(Tensors.scalarType(stored))
                  .new_empty(new long[] {kvHeads, room, headDim}));
    }
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public int capacity() {
    return (int) block.size(1);
  }

  @Override
  public long bytes() {
    return block.numel() * block.element_size();
  }

  /// The whole block, room included.
  Tensor block() {
    return block;
  }

  /// Whether [#read] is a view.
  boolean isView() {
    return Tensors.dtype(block) == computed;
  }

  /// Makes the room beyond the entries zeros, for readers of the whole block: no mask hides what
  /// memory held before, since zero times NaN is NaN.
  void clearRoom() {
    TensorScope.run(() -> block.narrow(1, length, (long) capacity() - length).zero_());
  }

  /// Notes rows that were written into [#block] from outside.
  void wrote(int rows) {
    length += rows;
  }

  @Override
  public void append(Tensor rows) {
    int added = (int) rows.size(1);
    reserve(length + added);
    block.narrow(1, length, added).copy_(rows);
    length += added;
  }

  @Override
  public void replace(int at, Tensor rows) {
    block.narrow(1, at, rows.size(1)).copy_(rows);
  }

  @Override
  public Tensor read() {
    return Tensors.to(block.narrow(1, 0, length), computed);
  }

  @Override
  public void compact(Tensor kept) {
    int count = (int) kept.size(1);
    for (int head = 0; head < block.size(0); head++) {
      long of = head;
      TensorScope.run(() -> {
        Tensor rows = block.select(0, of);
        rows.narrow(0, 0, count).copy_(rows.index_select(0, kept.select(0, of)));
      });
    }
    length = count;
  }

  @Override
  public void reserve(int rows) {
    if (rows > capacity()) {
      resize(LayerCache.pages(Math.max(rows, capacity() + capacity() / 2)));
    }
  }

  @Override
  public void fit(int rows) {
    if (rows > capacity()) {
      resize(rows);
    }
  }

  @Override
  public void trim(int rows) {
    int room = LayerCache.pages(Math.max(rows, length));
    if (room < capacity()) {
      resize(room);
    }
  }

  /// Moves to a block of that many rows, at least as many as there are.
  void resize(int room) {
    if (room == capacity()) {
      return;
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor fresh = block.new_empty(new long[] {block.size(0), room, block.size(2)});
      fresh.narrow(1, 0, length).copy_(block.narrow(1, 0, length));
      block = holder.replace(block, fresh);
    }
  }

  @Override
  public void close() {
    holder.close();
  }
}
