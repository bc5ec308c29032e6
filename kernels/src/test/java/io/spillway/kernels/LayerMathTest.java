package io.spillway.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.testkit.Cases;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class LayerMathTest {
  private interface Work {
    void run(LayerMath math, Heads first, Heads second, Heads third, Heads out);
  }

  /// Both kernels on the same random numbers with gaps between heads and tokens; the difference in
  /// steps of the written type.
  private static void agree(boolean oneRow, Work work) {
    try (Team team = new Team(3)) {
      LayerMath fast = new VectorLayerMath(team);
      LayerMath scalar = new ScalarLayerMath();
      Cases.run(
          60,
          random -> {
            Precision precision = random.nextBoolean() ? Precision.BF16 : Precision.F32;
            int heads = random.nextInt(1, 5);
            // some are so many that threads share them
            int tokens = random.nextInt(4) == 0 ? random.nextInt(100, 300) : random.nextInt(1, 9);
            int dim = 2 * random.nextInt(1, 100);
            int side = oneRow ? 1 : heads;
            try (Arena arena = Arena.ofShared()) {
              Heads a = filled(arena, precision, heads, tokens, dim, random);
              Heads b = filled(arena, precision, side, oneRow ? 1 : tokens, dim, random);
              int half = random.nextInt(1, dim / 2 + 1);
              Heads angles = filled(arena, precision, 1, tokens, half, random);
              Heads expected = room(arena, precision, heads, tokens, dim);
              Heads found = room(arena, precision, heads, tokens, dim);
              work.run(scalar, a, b, angles, expected);
              work.run(fast, a, b, angles, found);
              compare(expected, found);
            }
          });
    }
  }

  private static Heads room(Arena arena, Precision precision, int heads, int tokens, int dim) {
    long tokenStride = dim + 3L;
    long headStride = tokens * tokenStride + 5;
    MemorySegment data = arena.allocate(heads * headStride * precision.bytes(), 64);
    return new Heads(data, precision, heads, tokens, dim, headStride, tokenStride);
  }

  private static Heads filled(
      Arena arena, Precision precision, int heads, int tokens, int dim, RandomGenerator random) {
    Heads room = room(arena, precision, heads, tokens, dim);
    for (long i = 0; i < room.data().byteSize() / precision.bytes(); i++) {
      precision.set(room.data(), i, (float) random.nextGaussian());
    }
    return room;
  }

  private static void compare(Heads expected, Heads found) {
    // one step of bf16, or what single precision loses in a sum
    double step = expected.precision() == Precision.BF16 ? 1.0 / 128 : 1e-5;
    for (int head = 0; head < expected.heads(); head++) {
      for (int token = 0; token < expected.tokens(); token++) {
        for (int i = 0; i < expected.dim(); i++) {
          float want = expected.precision().get(expected.data(), expected.at(head, token) + i);
          float got = found.precision().get(found.data(), found.at(head, token) + i);
          double allowed = step * Math.abs(want) + 1e-5;
          assertThat((double) got).isBetween(want - allowed, want + allowed);
        }
      }
    }
  }

  @Test
  void normsAgree() {
    agree(true, (math, x, weight, angles, out) -> math.rmsNorm(x, weight, 1e-5, out));
  }

  @Test
  void gatesAgree() {
    agree(false, (math, gate, up, angles, out) -> math.gate(gate, up, out));
  }

  @Test
  void sumsAgree() {
    agree(false, (math, a, b, angles, out) -> math.add(a, b, out));
  }

  @Test
  void rotationsAgree() {
    agree(false, (math, x, other, angles, out) -> math.rotate(x, angles, angles, out));
  }

  @Test
  void outMayBeAnInput() {
    try (Team team = new Team(1);
        Arena arena = Arena.ofShared()) {
      LayerMath fast = new VectorLayerMath(team);
      Heads a = filled(arena, Precision.F32, 1, 4, 40, new Random(1));
      Heads b = filled(arena, Precision.F32, 1, 4, 40, new Random(2));
      Heads expected = room(arena, Precision.F32, 1, 4, 40);
      fast.gate(a, b, expected);
      fast.gate(a, b, a);
      compare(expected, a);
    }
  }

  @Test
  void otherShapesAreRefused() {
    try (Team team = new Team(1);
        Arena arena = Arena.ofShared()) {
      LayerMath fast = new VectorLayerMath(team);
      Heads a = room(arena, Precision.F32, 1, 4, 40);
      Heads b = room(arena, Precision.F32, 1, 4, 41);
      assertThatThrownBy(() -> fast.add(a, b, a))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("1 x 4 x 40");
      assertThatThrownBy(() -> Heads.rows(arena.allocate(16), Precision.F32, 2, 3))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void attentionOfOneTokenAgrees() {
    try (Team team = new Team(3)) {
      TokenAttention fast = new VectorTokenAttention(team);
      Cases.run(
          40,
          random -> {
            int kvHeads = random.nextInt(1, 4);
            int heads = kvHeads * random.nextInt(1, 10);
            int tokens = random.nextInt(4) == 0 ? random.nextInt(200, 800) : random.nextInt(1, 40);
            int dim = random.nextInt(4) == 0 ? 24 : 32 * random.nextInt(1, 5);
            try (Arena arena = Arena.ofShared()) {
              Heads keys = filled(arena, Precision.BF16, kvHeads, tokens, dim, random);
              Heads values = filled(arena, Precision.BF16, kvHeads, tokens, dim, random);
              Precision type = random.nextBoolean() ? Precision.F32 : Precision.BF16;
              Heads query = filled(arena, type, heads, 1, dim, random);
              Heads expected = room(arena, Precision.F32, heads, 1, dim);
              Heads found = room(arena, Precision.F32, heads, 1, dim);
              new ScalarTokenAttention().attend(query, keys, values, expected);
              fast.attend(query, keys, values, found);
              compare(expected, found);
            }
          });
    }
  }
}
