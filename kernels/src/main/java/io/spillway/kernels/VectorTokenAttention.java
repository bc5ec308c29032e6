package io.spillway.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Blocks of entries are shared among threads; each leaves its largest score, its sum and its
/// weighted values for every query head of the group, which are joined at the end. Keys and values
/// are read as pairs, as in [VectorMatrixVector], once for four query heads.
///
/// Dimensions that do not fill vectors of pairs and other types than bf16 go through
/// [ScalarTokenAttention].
///
/// One caller at a time for each object.
public final class VectorTokenAttention implements TokenAttention {
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  /// All of memory, as in [VectorMatrixVector].
  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  /// Entries of one part of the work.
  private static final int BLOCK = 256;

  private final Team team;
  private final Arena arena = Arena.ofAuto();
  private final TokenAttention scalar = new ScalarTokenAttention();
  private MemorySegment room = arena.allocate(64, 64);

  public VectorTokenAttention(Team team) {
    this.team = team;
  }

  /// Where the pieces of a call lie: the query as even and odd numbers of each head, then for each
  /// part and query head its scores, its values as even and odd numbers, its largest score and sum.
  private record Layout(long query, long scores, long values, long sums, int dim, int group) {
    long scores(int part, int head) {
      return scores + 4L * BLOCK * (part * group + head);
    }

    long values(int part, int head) {
      return values + 4L * dim * (part * group + head);
    }

    long sums(int part, int head) {
      return sums + 8L * (part * group + head);
    }
  }

  @Override
  public void attend(Heads query, Heads keys, Heads values, Heads out) {
    TokenAttention.check(query, keys, values, out);
    int dim = keys.dim();
    boolean pairs = keys.precision() == Precision.BF16 && values.precision() == Precision.BF16;
    if (!pairs || dim % (2 * I.length()) != 0) {
      scalar.attend(query, keys, values, out);
      return;
    }
    int heads = query.heads();
    int group = heads / keys.heads();
    int blocks = (keys.tokens() + BLOCK - 1) / BLOCK;
    int parts = keys.heads() * blocks;
    Layout at = layout(heads, dim, group, parts);
    split(query, at.query());
    team.runAwake(
        parts,
        part -> {
          int head = (int) part / blocks;
          int from = (int) part % blocks * BLOCK;
          block(at, (int) part, head, keys, values, from, Math.min(keys.tokens(), from + BLOCK));
        });
    for (int head = 0; head < heads; head++) {
      join(at, head / group * blocks, blocks, head % group, out, out.at(head, 0));
    }
    Reference.reachabilityFence(query);
    Reference.reachabilityFence(keys);
    Reference.reachabilityFence(values);
  }

  private Layout layout(int heads, int dim, int group, int parts) {
    long query = 4L * heads * dim;
    long scores = 4L * BLOCK * parts * group;
    long values = 4L * dim * parts * group;
    long all = query + scores + values + 8L * parts * group + 64;
    if (room.byteSize() < all) {
      room = arena.allocate(2 * all, 64);
    }
    long begin = room.address();
    long third = begin + query + scores;
    return new Layout(begin, begin + query, third, third + values, dim, group);
  }

  private static void split(Heads query, long to) {
    int dim = query.dim();
    float scale = (float) (1 / Math.sqrt(dim));
    for (int head = 0; head < query.heads(); head++) {
      long from = query.at(head, 0);
      for (int i = 0; i < dim; i++) {
        long place = (long) head * dim + (i % 2) * (dim / 2) + i / 2;
        MEMORY.set(FLOAT, to + 4 * place, query.precision().get(query.data(), from + i) * scale);
      }
    }
  }

  private static void block(
      Layout at, int part, int head, Heads keys, Heads values, int from, int to) {
    int group = at.group();
    int count = to - from;
    long key = keys.data().address() + 2 * keys.at(head, from);
    long value = values.data().address() + 2 * values.at(head, from);
    long query = at.query() + 4L * head * group * at.dim();
    int four = 0;
    for (; four + 4 <= group; four += 4) {
      long q = query + 4L * four * at.dim();
      scores4(q, at.dim(), key, 2 * keys.tokenStride(), count, at.scores(part, four));
    }
    for (; four < group; four++) {
      long q = query + 4L * four * at.dim();
      scores1(q, at.dim(), key, 2 * keys.tokenStride(), count, at.scores(part, four));
    }
    for (int i = 0; i < group; i++) {
      weights(at.scores(part, i), count, at.sums(part, i));
    }
    int next = 0;
    for (; next + 4 <= group; next += 4) {
      long weights = at.scores(part, next);
      values4(weights, value, 2 * values.tokenStride(), count, at.dim(), at.values(part, next));
    }
    for (; next < group; next++) {
      long weights = at.scores(part, next);
      values1(weights, value, 2 * values.tokenStride(), count, at.dim(), at.values(part, next));
    }
  }

  private static void scores4(long query, int dim, long key, long stride, int count, long scores) {
    long next = 4L * dim;
    long odd = 2L * dim;
    for (int t = 0; t < count; t++) {
      long row = key + t * stride;
      FloatVector a = FloatVector.zero(F);
      FloatVector b = a;
      FloatVector c = a;
      FloatVector d = a;
      for (int i = 0; i < dim / 2; i += I.length()) {
        long at = query + 4L * i;
        IntVector pairs = IntVector.fromMemorySegment(I, MEMORY, row + 4L * i, ORDER);
        FloatVector x = low(pairs);
        FloatVector y = high(pairs);
        a = y.fma(load(at + odd), x.fma(load(at), a));
        b = y.fma(load(at + next + odd), x.fma(load(at + next), b));
        c = y.fma(load(at + 2 * next + odd), x.fma(load(at + 2 * next), c));
        d = y.fma(load(at + 3 * next + odd), x.fma(load(at + 3 * next), d));
      }
      put(scores, t, a);
      put(scores, BLOCK + t, b);
      put(scores, 2 * BLOCK + t, c);
      put(scores, 3 * BLOCK + t, d);
    }
  }

  private static void scores1(long query, int dim, long key, long stride, int count, long scores) {
    for (int t = 0; t < count; t++) {
      FloatVector a = FloatVector.zero(F);
      for (int i = 0; i < dim / 2; i += I.length()) {
        long at = query + 4L * i;
        IntVector pairs = IntVector.fromMemorySegment(I, MEMORY, key + t * stride + 4L * i, ORDER);
        a = high(pairs).fma(load(at + 2L * dim), low(pairs).fma(load(at), a));
      }
      put(scores, t, a);
    }
  }

  /// Scores become exponentials; notes the largest score and the sum.
  private static void weights(long scores, int count, long sums) {
    int whole = F.loopBound(count);
    float largest = Float.NEGATIVE_INFINITY;
    FloatVector most = FloatVector.broadcast(F, largest);
    for (int i = 0; i < whole; i += F.length()) {
      most = most.max(load(scores + 4L * i));
    }
    largest = most.reduceLanes(VectorOperators.MAX);
    for (int i = whole; i < count; i++) {
      largest = Math.max(largest, MEMORY.get(FLOAT, scores + 4L * i));
    }
    FloatVector all = FloatVector.zero(F);
    for (int i = 0; i < whole; i += F.length()) {
      FloatVector weight = VectorBits.exp(load(scores + 4L * i).sub(largest));
      weight.intoMemorySegment(MEMORY, scores + 4L * i, ORDER);
      all = all.add(weight);
    }
    float sum = VectorBits.sum(all);
    for (int i = whole; i < count; i++) {
      float weight = (float) Math.exp(MEMORY.get(FLOAT, scores + 4L * i) - largest);
      MEMORY.set(FLOAT, scores + 4L * i, weight);
      sum += weight;
    }
    MEMORY.set(FLOAT, sums, largest);
    MEMORY.set(FLOAT, sums + 4, sum);
  }

  private static void values4(long weights, long value, long stride, int count, int dim, long out) {
    long next = 4L * BLOCK;
    for (int i = 0; i < dim / 2; i += I.length()) {
      FloatVector a = FloatVector.zero(F);
      FloatVector b = a;
      FloatVector c = a;
      FloatVector d = a;
      FloatVector e = a;
      FloatVector f = a;
      FloatVector g = a;
      FloatVector h = a;
      for (int t = 0; t < count; t++) {
        IntVector pairs =
            IntVector.fromMemorySegment(I, MEMORY, value + t * stride + 4L * i, ORDER);
        FloatVector x = low(pairs);
        FloatVector y = high(pairs);
        long at = weights + 4L * t;
        FloatVector w = FloatVector.broadcast(F, MEMORY.get(FLOAT, at));
        a = w.fma(x, a);
        b = w.fma(y, b);
        w = FloatVector.broadcast(F, MEMORY.get(FLOAT, at + next));
        c = w.fma(x, c);
        d = w.fma(y, d);
        w = FloatVector.broadcast(F, MEMORY.get(FLOAT, at + 2 * next));
        e = w.fma(x, e);
        f = w.fma(y, f);
        w = FloatVector.broadcast(F, MEMORY.get(FLOAT, at + 3 * next));
        g = w.fma(x, g);
        h = w.fma(y, h);
      }
      long to = out + 4L * i;
      store(a, b, to, dim);
      store(c, d, to + 4L * dim, dim);
      store(e, f, to + 8L * dim, dim);
      store(g, h, to + 12L * dim, dim);
    }
  }

  private static void values1(long weights, long value, long stride, int count, int dim, long out) {
    for (int i = 0; i < dim / 2; i += I.length()) {
      FloatVector a = FloatVector.zero(F);
      FloatVector b = a;
      for (int t = 0; t < count; t++) {
        IntVector pairs =
            IntVector.fromMemorySegment(I, MEMORY, value + t * stride + 4L * i, ORDER);
        FloatVector w = FloatVector.broadcast(F, MEMORY.get(FLOAT, weights + 4L * t));
        a = w.fma(low(pairs), a);
        b = w.fma(high(pairs), b);
      }
      store(a, b, out + 4L * i, dim);
    }
  }

  /// Joins the blocks of one query head.
  private static void join(Layout at, int firstPart, int blocks, int inGroup, Heads out, long to) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int b = 0; b < blocks; b++) {
      largest = Math.max(largest, MEMORY.get(FLOAT, at.sums(firstPart + b, inGroup)));
    }
    float[] shares = new float[blocks];
    float sum = 0;
    for (int b = 0; b < blocks; b++) {
      long sums = at.sums(firstPart + b, inGroup);
      shares[b] = (float) Math.exp(MEMORY.get(FLOAT, sums) - largest);
      sum += shares[b] * MEMORY.get(FLOAT, sums + 4);
    }
    int half = at.dim() / 2;
    for (int i = 0; i < at.dim(); i++) {
      float value = 0;
      for (int b = 0; b < blocks; b++) {
        long place = (i % 2) * half + i / 2;
        value += shares[b] * MEMORY.get(FLOAT, at.values(firstPart + b, inGroup) + 4 * place);
      }
      out.precision().set(out.data(), to + i, value / sum);
    }
  }

  private static FloatVector load(long at) {
    return FloatVector.fromMemorySegment(F, MEMORY, at, ORDER);
  }

  private static void store(FloatVector even, FloatVector odd, long at, int dim) {
    even.intoMemorySegment(MEMORY, at, ORDER);
    odd.intoMemorySegment(MEMORY, at + 2L * dim, ORDER);
  }

  private static void put(long scores, int index, FloatVector sums) {
    MEMORY.set(FLOAT, scores + 4L * index, VectorBits.sum(sums));
  }

  private static FloatVector low(IntVector pairs) {
    return pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  private static FloatVector high(IntVector pairs) {
    return pairs.and(0xFFFF0000).reinterpretAsFloats();
  }
}
