package io.spillway.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.kernels.MatrixVector.Factor;
import io.spillway.testkit.Cases;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class MatrixVectorTest {
  @Test
  void theVectorKernelAgreesWithTheScalarOneForEveryShape() {
    try (Team team = new Team(3)) {
      MatrixVector fast = new VectorMatrixVector(team);
      Cases.run(
          200,
          random -> {
            int rows = random.nextInt(1, 150);
            int columns = random.nextInt(1, 400);
            try (Arena arena = Arena.ofShared()) {
              // an odd offset, as a mapped file may have
              MemorySegment matrix =
                  arena.allocate(2L * rows * columns + 2, 2).asSlice(2, 2L * rows * columns);
              for (long i = 0; i < (long) rows * columns; i++) {
                float value = (float) random.nextGaussian();
                matrix.setAtIndex(
                    ValueLayout.JAVA_SHORT_UNALIGNED,
                    i,
                    (short) (Float.floatToRawIntBits(value) >>> 16));
              }
              MemorySegment x = arena.allocate(4L * columns, 4);
              for (int i = 0; i < columns; i++) {
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
              }
              MemorySegment expected = arena.allocate(4L * rows, 4);
              MemorySegment found = arena.allocate(4L * rows, 4);
              new ScalarMatrixVector().multiply(matrix, rows, columns, x, expected);
              fast.multiply(matrix, rows, columns, x, found);
              assertThat(found.toArray(ValueLayout.JAVA_FLOAT))
                  .containsExactly(expected.toArray(ValueLayout.JAVA_FLOAT), Offset.offset(2e-4f));
            }
          });
    }
  }

  @Test
  void severalProductsWithOneVectorAgree() {
    try (Team team = new Team(2);
        Arena arena = Arena.ofShared()) {
      int columns = 2050;
      MemorySegment x = arena.allocate(4L * columns, 4);
      for (int i = 0; i < columns; i++) {
        x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i % 11 - 5) / 8f);
      }
      List<Factor> found = new ArrayList<>();
      List<Factor> expected = new ArrayList<>();
      for (int rows : new int[] {300, 3, 64}) {
        MemorySegment matrix = arena.allocate(2L * rows * columns, 2);
        for (long i = 0; i < (long) rows * columns; i++) {
          Precision.BF16.set(matrix, i, (i % 13 - 6) / 4f);
        }
        found.add(new Factor(matrix, rows, arena.allocate(4L * rows, 4)));
        expected.add(new Factor(matrix, rows, arena.allocate(4L * rows, 4)));
      }
      new VectorMatrixVector(team).multiply(found, columns, x);
      new ScalarMatrixVector().multiply(expected, columns, x);
      for (int i = 0; i < found.size(); i++) {
        assertThat(found.get(i).y().toArray(ValueLayout.JAVA_FLOAT))
            .containsExactly(
                expected.get(i).y().toArray(ValueLayout.JAVA_FLOAT), Offset.offset(1e-3f));
      }
    }
  }

  @Test
  void shortSegmentsAreRefused() {
    try (Team team = new Team(1);
        Arena arena = Arena.ofShared()) {
      MatrixVector fast = new VectorMatrixVector(team);
      MemorySegment small = arena.allocate(64);
      assertThatThrownBy(() -> fast.multiply(small, 8, 8, small, small))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void aTeamDoesEveryPartOnceAndTellsFailures() {
    try (Team team = new Team(4)) {
      for (int round = 0; round < 300; round++) {
        AtomicIntegerArray calls = new AtomicIntegerArray(1 + round % 40);
        if (round % 2 == 0) {
          team.run(calls.length(), part -> calls.incrementAndGet((int) part));
        } else {
          team.runAwake(calls.length(), part -> calls.incrementAndGet((int) part));
        }
        for (int i = 0; i < calls.length(); i++) {
          assertThat(calls.get(i)).isEqualTo(1);
        }
      }
      assertThatThrownBy(() ->
              team.run(
                  5,
                  part -> {
                    if (part == 3) {
                      throw new IllegalArgumentException("part 3");
                    }
                  }))
          .hasRootCauseMessage("part 3");
      team.run(2, part -> {});
    }
  }
}
