// One token through a decoder layer on a GPU: five kernels, each bound by reading its weights or its cache once. StepKernels
// compiles it, for attention once for each LANES (of 8 dimensions) and GROUP (of query heads).
//
// Numbers: weights, keys and values bf16; everything between them f32. A warp computes a row of a product; the vector lies
// in shared memory. The first weights of a block are asked for before it waits for the kernel ahead (sm_90 and later).

typedef unsigned int u32;
typedef unsigned short u16;

#ifndef ROW_THREADS
#define ROW_THREADS 512  // of a block of products, of which a multiprocessor holds one and half of the next kernel's
#endif
#define ROW_WARPS (ROW_THREADS / 32)
#define DEPTH 8      // loads of 16 bytes that a lane has under way
#define THREADS 256  // of a block of attention
#define WARPS (THREADS / 32)
#define UNROLLED 4  // entries of a lane's share of a warp that are under way
#define SPAN (32 * 8)      // numbers that one load of a warp covers
#define MOST_SPLITS 128     // of a cache
#define SMALLEST (-1e30f)  // below every score, and finite so that differences are numbers

DEVICE float low(u32 pair) { return as_float(pair << 16); }
DEVICE float high(u32 pair) { return as_float(pair & 0xffff0000u); }
DEVICE float number(u16 bits) { return as_float((u32)bits << 16); }

DEVICE u16 rounded(float x) {
  u32 bits = as_bits(x);
  return (u16)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

DEVICE float sum_of_warp(float x) {
  for (int apart = 16; apart > 0; apart >>= 1) x += from_lane_apart(x, apart);
  return x;
}

DEVICE float max_of_warp(float x) {
  for (int apart = 16; apart > 0; apart >>= 1) x = max_of(x, from_lane_apart(x, apart));
  return x;
}

// The weights that a warp has asked for.
struct Ahead {
  Words words[DEPTH];
};

DEVICE void load(Ahead& ahead, const u16* row, int at, int columns, int lane) {
#pragma unroll
  for (int i = 0; i < DEPTH; i++) {
    int column = at + i * SPAN + lane * 8;
    if (column < columns) ahead.words[i] = read_once((const Words*)(row + column));
  }
}

DEVICE float consume(const Ahead& ahead, const float* vector, int at, int columns, int lane) {
  float even = 0, odd = 0;
#pragma unroll
  for (int i = 0; i < DEPTH; i++) {
    int column = at + i * SPAN + lane * 8;
    if (column < columns) {
      Words w = ahead.words[i];
      Floats a = *(const Floats*)(vector + (column >> 1));
      Floats b = *(const Floats*)(vector + (columns >> 1) + (column >> 1));
      even += low(w.x) * a.x;
      odd += high(w.x) * a.y;
      even += low(w.y) * a.z;
      odd += high(w.y) * a.w;
      even += low(w.z) * b.x;
      odd += high(w.z) * b.y;
      even += low(w.w) * b.z;
      odd += high(w.w) * b.w;
    }
  }
  return even + odd;
}

enum Finish { STORE, ADD, GATE };

// out = W v, with v = x or the norm of x: scale * x * factors. `GATE` has 2 * rows rows and stores silu of the first half
// times the second.
template <int finish, bool normed>
DEVICE void products(const float* x, const u16* factors, float epsilon, const u16* weights, const u16* bias, float* out,
                     int rows, int columns) {
  float* vector = dynamic_shared();
  SHARED float sums[ROW_WARPS];
  int lane = thread() & 31, warp = thread() >> 5;
  int row = block_x() * ROW_WARPS + warp, step = blocks_x() * ROW_WARPS;
  const int parts = finish == GATE ? 2 : 1;
  Ahead ahead;
  if (row < rows) load(ahead, weights + (long)row * columns, 0, columns, lane);
  wait_for_kernel_ahead();
  let_kernel_behind_start();
  float squares = 0;
  for (int at = thread() * 4; at < columns; at += ROW_THREADS * 4) {
    Floats v = *(const Floats*)(x + at);
    if (normed) {
      squares += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
      v.x *= number(factors[at]), v.y *= number(factors[at + 1]);
      v.z *= number(factors[at + 2]), v.w *= number(factors[at + 3]);
    }
    // two planes, of each eight numbers the first four and the last four: lanes that read eight each meet every bank once
    *(Floats*)(vector + (at >> 2 & 1) * (columns >> 1) + (at >> 3) * 4) = v;
  }
  if (normed) {
    squares = sum_of_warp(squares);
    if (lane == 0) sums[warp] = squares;
  }
  barrier();
  float scale = 1;
  if (normed) {
    squares = sum_of_warp(lane < ROW_WARPS ? sums[lane] : 0);
    scale = inverse_root(squares / columns + epsilon);
  }
  bool is_ahead = true;
  for (; row < rows; row += step) {
    float first = 0;
    for (int part = 0; part < parts; part++) {
      float sum = 0;
      const u16* of_row = weights + ((long)part * rows + row) * columns;
      for (int at = 0; at < columns; at += DEPTH * SPAN) {
        if (!is_ahead) load(ahead, of_row, at, columns, lane);
        is_ahead = false;
        sum += consume(ahead, vector, at, columns, lane);
      }
      sum = sum_of_warp(sum) * scale;
      if (part + 1 < parts) first = sum;
      else if (lane == 0) {
        if (finish == STORE) out[row] = bias ? sum + number(bias[row]) : sum;
        if (finish == ADD) out[row] += sum;
        if (finish == GATE) out[row] = first / (1 + exponential2(-1.44269504f * first)) * sum;
      }
    }
  }
}

KERNEL(ROW_THREADS, 1) norm_products(const float* x, const u16* factors, float epsilon, const u16* weights, const u16* bias,
                                 float* out, int rows, int columns) {
  products<STORE, true>(x, factors, epsilon, weights, bias, out, rows, columns);
}

KERNEL(ROW_THREADS, 1) norm_gated(const float* x, const u16* factors, float epsilon, const u16* weights, float* out, int rows,
                              int columns) {
  products<GATE, true>(x, factors, epsilon, weights, 0, out, rows, columns);
}

KERNEL(ROW_THREADS, 1) add_products(const float* x, const u16* weights, float* out, int rows, int columns) {
  products<ADD, false>(x, 0, 0, weights, 0, out, rows, columns);
}

// What one token's attention over a layer's cache needs.
struct Attention {
  const float* qkv;       // [heads + 2 kvHeads, dim] before rotation
  const u16* cosines;     // [room, dim / 2]
  const u16* sines;       // [room, 2, dim / 2], the second half positive
  const long* position;   // entries so far, where the new one goes
  u16* keys;              // [kvHeads, room, dim] rotated
  u16* values;            // [kvHeads, room, dim]
  const u16* query_norm;  // [dim] or null
  const u16* key_norm;
  float* parts;  // [heads, splits, dim]: sums over values
  float* scores; // [heads, splits, 2]: largest score, sum of exponentials
  u32* arrived;  // [kvHeads, groups] zero
  float* out;    // [heads, dim]
  float epsilon;
  int heads, kv_heads, room;
};

// Norm and rotation of one head by one warp.
DEVICE void turn(const float* from, const u16* norm, float epsilon, const u16* cosines, const u16* sines, int dim, float scale,
                 float* to, int lane) {
  int half = dim >> 1;
  float factor = scale;
  if (norm) {
    float squares = 0;
    for (int i = lane; i < dim; i += 32) squares += from[i] * from[i];
    factor *= inverse_root(sum_of_warp(squares) / dim + epsilon);
  }
  for (int i = lane; i < half; i += 32) {
    float a = from[i] * factor, b = from[i + half] * factor;
    if (norm) {
      a *= number(norm[i]);
      b *= number(norm[i + half]);
    }
    float cosine = number(cosines[i]), sine = number(sines[i]);
    to[i] = a * cosine - b * sine;
    to[i + half] = b * cosine + a * sine;
  }
}

DEVICE void spread(Words w, float* numbers) {
  numbers[0] = low(w.x), numbers[1] = high(w.x), numbers[2] = low(w.y), numbers[3] = high(w.y);
  numbers[4] = low(w.z), numbers[5] = high(w.z), numbers[6] = low(w.w), numbers[7] = high(w.w);
}

// Keys and values of the entries `at`, `at + step` and so on, the last one again beyond `end`.
template <int step, int count>
DEVICE void load_entries(Words* k, Words* v, const u16* keys, const u16* values, int at, int end, int dim) {
#pragma unroll
  for (int u = 0; u < count; u++) {
    long where = (long)min_of(at + u * step, end - 1) * dim;
    k[u] = read_once((const Words*)(keys + where));
    v[u] = read_once((const Words*)(values + where));
  }
}

// A grid of splits of the cache x key-value heads x parts of a group of query heads. `lanes` = dim / 8 lanes share an entry;
// a warp holds running maximum, sum and weighted values for `group` query heads. The last block of a head to come joins
// the splits.
template <int lanes, int group>
DEVICE void attend(const Attention& a) {
  const int dim = lanes * 8, entries = 32 / lanes, unrolled = UNROLLED;
  SHARED float query[group * dim];
  SHARED float fresh[2 * dim];
  SHARED float joined[WARPS * group * dim];
  SHARED float largest[WARPS * group], total[WARPS * group], share[WARPS * group];
  SHARED u32 is_last;
  int lane = thread() & 31, warp = thread() >> 5, place = lane % lanes, sub = lane / lanes;
  int split = block_x(), splits = blocks_x(), kv = block_y(), in_group = a.heads / a.kv_heads;
  int head0 = kv * in_group + block_z() * group;
  int heads = min_of(group, (kv + 1) * in_group - head0);
  long position = *a.position;  // written before the kernel ahead began
  int each = (int)((position + splits - 1) / splits);
  int begin = min_of(split * each, (int)position), end = min_of(begin + each, (int)position);
  const u16* keys = a.keys + (long)kv * a.room * dim + place * 8;
  const u16* values = a.values + (long)kv * a.room * dim + place * 8;
  int at = begin + warp * entries * unrolled;
  Words k[unrolled], v[unrolled];
  if (at < end) load_entries<entries, unrolled>(k, v, keys, values, at + sub, end, dim);
  wait_for_kernel_ahead();
  const u16* cosines = a.cosines + position * (dim >> 1);
  const u16* sines = a.sines + position * dim + (dim >> 1);
  const float root = 1.44269504f * inverse_root((float)dim);
  for (int i = warp; i < group + 1; i += WARPS) {
    if (i < group) {
      int head = head0 + min_of(i, heads - 1);
      turn(a.qkv + (long)head * dim, a.query_norm, a.epsilon, cosines, sines, dim, root, query + i * dim, lane);
    } else if (split == 0) {
      turn(a.qkv + (long)(a.heads + kv) * dim, a.key_norm, a.epsilon, cosines, sines, dim, 1, fresh, lane);
      const float* value = a.qkv + (long)(a.heads + a.kv_heads + kv) * dim;
      converge();
      for (int j = lane; j < dim; j += 32) {
        u16 k = rounded(fresh[j]), v = rounded(value[j]);
        fresh[j] = number(k);
        fresh[dim + j] = number(v);
        if (block_z() == 0) {
          long to = ((long)kv * a.room + position) * dim + j;
          a.keys[to] = k;
          a.values[to] = v;
        }
      }
    }
  }
  barrier();
  let_kernel_behind_start();
  float q[group][8], acc[group][8], most[group], sum[group];
#pragma unroll
  for (int h = 0; h < group; h++) {
    most[h] = SMALLEST;
    sum[h] = 0;
#pragma unroll
    for (int j = 0; j < 8; j++) {
      q[h][j] = query[h * dim + place * 8 + j];
      acc[h][j] = 0;
    }
  }
  if (split == 0 && warp == 0) {  // the new entry, which is in no other block's sight
    const float* k = fresh + place * 8;
#pragma unroll
    for (int h = 0; h < group; h++) {
      float s = 0;
#pragma unroll
      for (int j = 0; j < 8; j++) s += q[h][j] * k[j];
#pragma unroll
      for (int apart = lanes / 2; apart > 0; apart >>= 1) s += from_lane_apart(s, apart);
      if (sub == 0) {
        most[h] = s;
        sum[h] = 1;
#pragma unroll
        for (int j = 0; j < 8; j++) acc[h][j] = fresh[dim + place * 8 + j];
      }
    }
  }
  for (; at < end; at += WARPS * entries * unrolled) {
    float s[unrolled][group];
#pragma unroll
    for (int u = 0; u < unrolled; u++) {
      float numbers[8];
      spread(k[u], numbers);
#pragma unroll
      for (int h = 0; h < group; h++) {
        float x = 0;
#pragma unroll
        for (int j = 0; j < 8; j++) x += q[h][j] * numbers[j];
#pragma unroll
        for (int apart = lanes / 2; apart > 0; apart >>= 1) x += from_lane_apart(x, apart);
        s[u][h] = at + u * entries + sub < end ? x : 2 * SMALLEST;
      }
    }
#pragma unroll
    for (int h = 0; h < group; h++) {
      float before = most[h];
#pragma unroll
      for (int u = 0; u < unrolled; u++) most[h] = max_of(most[h], s[u][h]);
      float keep = exponential2(before - most[h]);
      sum[h] *= keep;
#pragma unroll
      for (int j = 0; j < 8; j++) acc[h][j] *= keep;
#pragma unroll
      for (int u = 0; u < unrolled; u++) {
        s[u][h] = exponential2(s[u][h] - most[h]);
        sum[h] += s[u][h];
      }
    }
#pragma unroll
    for (int u = 0; u < unrolled; u++) {
      float numbers[8];
      spread(v[u], numbers);
#pragma unroll
      for (int h = 0; h < group; h++)
#pragma unroll
        for (int j = 0; j < 8; j++) acc[h][j] += s[u][h] * numbers[j];
    }
    int next = at + WARPS * entries * unrolled;
    if (next < end) load_entries<entries, unrolled>(k, v, keys, values, next + sub, end, dim);
  }
  // lanes of a warp that hold the same dimensions, then warps
#pragma unroll
  for (int h = 0; h < group; h++) {
#pragma unroll
    for (int apart = lanes; apart < 32; apart <<= 1) {
      float other = from_lane_apart(most[h], apart), both = max_of(most[h], other);
      float mine = exponential2(most[h] - both), theirs = exponential2(other - both);
      sum[h] = sum[h] * mine + from_lane_apart(sum[h], apart) * theirs;
#pragma unroll
      for (int j = 0; j < 8; j++) acc[h][j] = acc[h][j] * mine + from_lane_apart(acc[h][j], apart) * theirs;
      most[h] = both;
    }
    if (sub == 0) {
#pragma unroll
      for (int j = 0; j < 8; j++) joined[(warp * group + h) * dim + place * 8 + j] = acc[h][j];
      if (place == 0) {
        largest[warp * group + h] = most[h];
        total[warp * group + h] = sum[h];
      }
    }
  }
  barrier();
  if (thread() < heads * WARPS) {  // shares of the warps
    int h = thread() / WARPS, w = thread() % WARPS;
    float top = SMALLEST, all = 0;
    for (int i = 0; i < WARPS; i++) top = max_of(top, largest[i * group + h]);
    for (int i = 0; i < WARPS; i++) all += exponential2(largest[i * group + h] - top) * total[i * group + h];
    share[h * WARPS + w] = exponential2(largest[w * group + h] - top);
    if (w == 0) {
      float* scores = a.scores + ((long)(head0 + h) * splits + split) * 2;
      scores[0] = top;
      scores[1] = all;
    }
  }
  barrier();
  for (int i = thread(); i < heads * dim; i += THREADS) {
    int h = i / dim, j = i % dim;
    float value = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) value += share[h * WARPS + w] * joined[(w * group + h) * dim + j];
    a.parts[((long)(head0 + h) * splits + split) * dim + j] = value;
  }
  publish();
  barrier();
  if (thread() == 0) is_last = count_round(a.arrived + kv * blocks_z() + block_z(), splits - 1) == (u32)splits - 1;
  barrier();
  if (!is_last) return;
  publish();
  // the last block to come: a warp weighs the splits of a head while the others fetch what they hold
  if (warp < heads) {
    const float* scores = a.scores + (long)(head0 + warp) * splits * 2;
    float top = SMALLEST, all = 0;
    for (int s = lane; s < splits; s += 32) top = max_of(top, read_of_others(scores + s * 2));
    top = max_of_warp(top);
    for (int s = lane; s < splits; s += 32) {
      float part = exponential2(read_of_others(scores + s * 2) - top);
      all += part * read_of_others(scores + s * 2 + 1);
      joined[warp * MOST_SPLITS + s] = part;
    }
    all = sum_of_warp(all);
    if (lane == 0) total[warp] = all;
  }
  barrier();
  for (int i = thread(); i < heads * dim; i += THREADS) {
    int h = i / dim, j = i % dim;
    const float* part = a.parts + (long)(head0 + h) * splits * dim + j;
    float value = 0;
    for (int s = 0; s < splits; s += 16) {
      float numbers[16];
#pragma unroll
      for (int u = 0; u < 16; u++) numbers[u] = s + u < splits ? read_of_others(part + (long)(s + u) * dim) : 0;
#pragma unroll
      for (int u = 0; u < 16; u++) value += s + u < splits ? joined[h * MOST_SPLITS + s + u] * numbers[u] : 0;
    }
    a.out[(long)(head0 + h) * dim + j] = value / total[h];
  }
}

#ifdef LANES
KERNEL(THREADS, 1) attend_layer(Attention a) { attend<LANES, GROUP>(a); }
#endif
