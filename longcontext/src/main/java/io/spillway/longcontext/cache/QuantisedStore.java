package io.spillway.longcontext.cache;

import io.spillway.longcontext.CacheStorage;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Asymmetric integers of 8, 4 or 2 bits with a smallest value and a step for each group. Keys form
/// groups of one channel over [CacheStorage#GROUP] entries, values groups of
/// [CacheStorage#CHANNELS] channels of one entry. The newest entries, fewer than a group, wait as
/// they came.
///
/// Codes of several channels share a byte: channel `c` and `c + headDim / n` for `n` codes a byte.
/// Compaction moves a value's codes as they are; keys are taken out and put in again, since their
/// groups fall apart, so each eviction adds at most half a step to a key's error.
final class QuantisedStore implements Store {
  private static final int GROUP = CacheStorage.GROUP;

  private final TensorHolder holder = new TensorHolder();
  private final int bits;
  private final boolean byChannel;
  private final int dim;
  private final int channels;
  private final DType computed;
  private Tensor codes; // [kvHeads, room, dim * bits / 8] u8
  private Tensor least; // f16, [kvHeads, room / GROUP, dim] or [kvHeads, room, dim / channels]
  private Tensor step;
  private final Tensor tail; // [kvHeads, GROUP, dim] in the model's type
  private int packed;
  private int waiting;

  /// @param byChannel groups of one channel (keys) instead of one entry (values)
  QuantisedStore(int kvHeads, int headDim, int room, int bits, boolean byChannel, Tensor like) {
    this.bits = bits;
    this.byChannel = byChannel;
    this.dim = headDim;
    this.channels = headDim % CacheStorage.CHANNELS == 0 ? CacheStorage.CHANNELS : headDim;
    this.computed = Tensors.dtype(like);
    try (TensorScope scope = TensorScope.open()) {
      tail = holder.hold(like.new_empty(new long[] {kvHeads, GROUP, headDim}));
      codes =
          holder.hold(
              like.new_empty(new long[] {0})
                  .to(Tensors.scalarType(DType.U8))
                  .new_empty(new long[] {kvHeads, pages(room), (long) headDim * bits / 8}));
      Tensor half = like.new_empty(new long[] {0}).to(Tensors.scalarType(DType.F16));
      least = holder.hold(half.new_empty(scales(kvHeads, pages(room))));
      step = holder.hold(half.new_empty(scales(kvHeads, pages(room))));
    }
  }

  private static int pages(int rows) {
    return (rows + GROUP - 1) / GROUP * GROUP;
  }

  private long[] scales(long kvHeads, int room) {
    return byChannel
        ? new long[] {kvHeads, room / GROUP, dim}
        : new long[] {kvHeads, room, dim / channels};
  }

  @Override
  public int length() {
    return packed + waiting;
  }

  @Override
  public int capacity() {
    return (int) codes.size(1) + GROUP - 1;
  }

  @Override
  public long bytes() {
    long scales = 2 * least.numel() * least.element_size();
    return codes.numel() + scales + tail.numel() * tail.element_size();
  }

  @Override
  public void append(Tensor rows) {
    int added = (int) rows.size(1);
    int whole = (waiting + added) / GROUP * GROUP;
    if (whole == 0) {
      tail.narrow(1, waiting, added).copy_(rows);
      waiting += added;
      return;
    }
    Tensor all =
        waiting == 0 ? rows : torch.cat(new TensorVector(tail.narrow(1, 0, waiting), rows), 1);
    reserve(packed + whole);
    pack(all.narrow(1, 0, whole), packed);
    packed += whole;
    waiting = (int) all.size(1) - whole;
    if (waiting > 0) {
      tail.narrow(1, 0, waiting).copy_(all.narrow(1, whole, waiting));
    }
  }

  /// Rows as groups, the dimension that a group runs along last.
  private Tensor groups(Tensor rows) {
    long count = rows.size(1);
    return byChannel
        ? rows.reshape(rows.size(0), count / GROUP, GROUP, dim).transpose(2, 3)
        : rows.reshape(rows.size(0), count, dim / channels, channels);
  }

  private void pack(Tensor rows, int at) {
    long kvHeads = rows.size(0);
    long count = rows.size(1);
    Tensor grouped = Tensors.to(groups(rows), DType.F32);
    Tensor smallest = Tensors.to(grouped.amin(new long[] {3}, false), DType.F16);
    Tensor wide = Tensors.to(smallest, DType.F32).unsqueeze(3);
    Tensor steps =
        Tensors.to(
            grouped
                .amax(new long[] {3}, true)
                .sub(wide)
                .div(new Scalar((1 << bits) - 1))
                .clamp_min(new Scalar(1e-6)),
            DType.F16);
    Tensor numbers =
        grouped
            .sub(wide)
            .div_(Tensors.to(steps, DType.F32))
            .round_()
            .clamp_(
                new ScalarOptional(new Scalar(0)), new ScalarOptional(new Scalar((1 << bits) - 1)));
    Tensor plain = byChannel ? numbers.transpose(2, 3) : numbers;
    Tensor bytes = Tensors.to(plain.reshape(kvHeads, count, dim), DType.U8);
    codes.narrow(1, at, count).copy_(joined(bytes));
    int from = byChannel ? at / GROUP : at;
    long scales = byChannel ? count / GROUP : count;
    least.narrow(1, from, scales).copy_(smallest);
    step.narrow(1, from, scales).copy_(steps.squeeze(3));
  }

  /// Several codes into each byte.
  private Tensor joined(Tensor bytes) {
    int perByte = 8 / bits;
    long width = dim / perByte;
    Tensor sum = bytes.narrow(2, 0, width);
    for (int i = 1; i < perByte; i++) {
      sum = sum.add(bytes.narrow(2, i * width, width).mul(new Scalar(1 << (bits * i))));
    }
    return sum;
  }

  private Tensor unpack() {
    long kvHeads = codes.size(0);
    Tensor in = codes.narrow(1, 0, packed);
    int perByte = 8 / bits;
    long width = dim / perByte;
    Tensor out = tail.new_empty(new long[] {kvHeads, length(), dim});
    Tensor numbers = tail.new_empty(new long[] {kvHeads, packed, dim});
    for (int i = 0; i < perByte; i++) {
      Tensor part =
          perByte == 1
              ? in
              : in.bitwise_right_shift(new Scalar(bits * i))
                  .bitwise_and(new Scalar((1 << bits) - 1));
      numbers.narrow(2, i * width, width).copy_(part);
    }
    int scales = byChannel ? packed / GROUP : packed;
    Tensor from = Tensors.to(least.narrow(1, 0, scales), computed);
    Tensor by = Tensors.to(step.narrow(1, 0, scales), computed);
    long[] shape =
        byChannel
            ? new long[] {kvHeads, scales, GROUP, dim}
            : new long[] {kvHeads, scales, dim / channels, channels};
    int over = byChannel ? 2 : 3;
    Tensor values = torch.addcmul(from.unsqueeze(over), numbers.view(shape), by.unsqueeze(over));
    out.narrow(1, 0, packed).copy_(values.reshape(kvHeads, packed, dim));
    if (waiting > 0) {
      out.narrow(1, packed, waiting).copy_(tail.narrow(1, 0, waiting));
    }
    return out;
  }

  @Override
  public Tensor read() {
    return packed == 0 ? tail.narrow(1, 0, waiting) : unpack();
  }

  @Override
  public void replace(int at, Tensor rows) {
    Tensor all = read().clone();
    all.narrow(1, at, rows.size(1)).copy_(rows);
    packed = 0;
    waiting = 0;
    append(all);
  }

  @Override
  public void compact(Tensor kept) {
    int count = (int) kept.size(1);
    Tensor index = kept.unsqueeze(2).expand(kept.size(0), count, dim);
    Tensor rows = read().gather(1, index);
    if (!byChannel && count > 0) {
      compactCodes(kept, rows);
      return;
    }
    packed = 0;
    waiting = 0;
    append(rows);
  }

  /// Moves the codes of values that are packed already; only rows that waited are packed anew.
  private void compactCodes(Tensor kept, Tensor rows) {
    int count = (int) kept.size(1);
    int whole = count / GROUP * GROUP;
    Tensor last = kept.clamp_max(new Scalar(Math.max(0, packed - 1)));
    Tensor waited = kept.ge(new Scalar(packed));
    pack(rows.narrow(1, 0, whole), 0, last, waited);
    packed = whole;
    waiting = count - whole;
    if (waiting > 0) {
      tail.narrow(1, 0, waiting).copy_(rows.narrow(1, whole, waiting));
    }
  }

  private void pack(Tensor rows, int at, Tensor last, Tensor waited) {
    long count = rows.size(1);
    if (count == 0) {
      return;
    }
    Tensor oldCodes = gathered(codes, last, count);
    Tensor oldLeast = gathered(least, last, count);
    Tensor oldStep = gathered(step, last, count);
    pack(rows, at);
    Tensor fresh = waited.narrow(1, 0, count).unsqueeze(2);
    codes.narrow(1, at, count).copy_(torch.where(fresh, codes.narrow(1, at, count), oldCodes));
    least.narrow(1, at, count).copy_(torch.where(fresh, least.narrow(1, at, count), oldLeast));
    step.narrow(1, at, count).copy_(torch.where(fresh, step.narrow(1, at, count), oldStep));
  }

  private static Tensor gathered(Tensor rows, Tensor places, long count) {
    Tensor index =
        places.narrow(1, 0, count).unsqueeze(2).expand(rows.size(0), count, rows.size(2));
    return rows.gather(1, index);
  }

  @Override
  public void reserve(int rows) {
    if (rows > codes.size(1)) {
      resize(pages(Math.max(rows, (int) (codes.size(1) + codes.size(1) / 2))));
    }
  }

  @Override
  public void fit(int rows) {
    if (rows > capacity()) {
      resize(pages(rows));
    }
  }

  @Override
  public void trim(int rows) {
    int room = pages(Math.max(rows, packed));
    if (room < codes.size(1)) {
      resize(room);
    }
  }

  private void resize(int room) {
    try (TensorScope scope = TensorScope.open()) {
      codes = resized(codes, new long[] {codes.size(0), room, codes.size(2)}, packed);
      int used = byChannel ? packed / GROUP : packed;
      least = resized(least, scales(codes.size(0), room), used);
      step = resized(step, scales(codes.size(0), room), used);
    }
  }

  private Tensor resized(Tensor old, long[] shape, int used) {
    Tensor fresh = old.new_empty(shape);
    fresh.narrow(1, 0, used).copy_(old.narrow(1, 0, used));
    return holder.replace(old, fresh);
  }

  @Override
  public void close() {
    holder.close();
  }
}
