import io.spillway.kernels.MatrixVector;
import io.spillway.kernels.Team;
import io.spillway.kernels.VectorMatrixVector;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;
import jdk.incubator.vector.LongVector;

/// The bf16 product of a matrix and a vector against the bandwidth of plain reading, in GB/s.
public final class GemvBench {
  public static void main(String[] args) {
    int threads = Runtime.getRuntime().availableProcessors();
    try (Team team = new Team(threads);
        Arena arena = Arena.ofShared()) {
      int columns = 2048;
      int rows = 131_072;
      long bytes = 2L * rows * columns;
      MemorySegment matrix = arena.allocate(bytes, 64);
      for (long i = 0; i < bytes; i += 8) {
        matrix.set(ValueLayout.JAVA_LONG, i, 0x3f803f803f803f80L);
      }
      MemorySegment x = arena.allocate(4L * columns, 64);
      MemorySegment y = arena.allocate(4L * rows, 64);
      MatrixVector kernel = new VectorMatrixVector(team);
      long[] sums = new long[threads * 64 + 64];
      for (int run = 0; run < 8; run++) {
        double read = seconds(() -> team.run(threads * 8, part -> {
          long size = bytes / (threads * 8);
          LongVector a = LongVector.zero(LongVector.SPECIES_PREFERRED);
          LongVector b = a;
          LongVector c = a;
          LongVector d = a;
          int lane = LongVector.SPECIES_PREFERRED.vectorByteSize();
          for (long i = part * size; i < (part + 1) * size; i += 4L * lane) {
            a = a.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, matrix, i, ByteOrder.nativeOrder()));
            b = b.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, matrix, i + lane, ByteOrder.nativeOrder()));
            c = c.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, matrix, i + 2L * lane, ByteOrder.nativeOrder()));
            d = d.add(LongVector.fromMemorySegment(LongVector.SPECIES_PREFERRED, matrix, i + 3L * lane, ByteOrder.nativeOrder()));
          }
          sums[(int) part] = a.add(b).add(c).add(d).reduceLanes(jdk.incubator.vector.VectorOperators.ADD);
        }));
        double product = seconds(() -> kernel.multiply(matrix, rows, columns, x, y));
        double small = seconds(() -> {
          for (int i = 0; i < 64; i++) {
            kernel.multiply(matrix.asSlice(i * 2L * 2048 * columns), 2048, columns, x, y);
          }
        });
        System.out.printf(Locale.ROOT, "read %.1f GB/s, product %.1f GB/s (%.0f %%), 2048 x 2048 apiece %.1f GB/s%n", bytes / read / 1e9, bytes / product / 1e9, 100 * read / product, 64 * 2.0 * 2048 * columns / small / 1e9);
      }
    }
  }

  private static double seconds(Runnable body) {
    long begin = System.nanoTime();
    body.run();
    return (System.nanoTime() - begin) / 1e9;
  }
}
