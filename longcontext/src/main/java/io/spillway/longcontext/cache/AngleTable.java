package io.spillway.longcontext.cache;

import io.spillway.models.Decoder;
import io.spillway.models.RopeScaling;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import org.jspecify.annotations.Nullable;

/// Cosines and sines of all positions in use, made once and grown when a sequence needs more.
/// LongRoPE has two tables, for short sequences and for those beyond the first training length.
final class AngleTable implements AutoCloseable {
  private final Decoder decoder;
  private final Table[] tables = {new Table(), new Table()};

  private static final class Table {
    private TensorHolder holder = new TensorHolder();
    private Decoder.@Nullable Angles angles;
    private int rows;
  }

  AngleTable(Decoder decoder) {
    this.decoder = decoder;
  }

  /// Whether a sequence of that many tokens turns by LongRoPE's second set of frequencies.
  boolean beyond(int length) {
    return decoder.config().ropeScaling() instanceof RopeScaling.LongRope longRope
        && length > longRope.originalPositions();
  }

  /// Angles of positions `from .. from + count - 1` of a sequence of `from + count` tokens.
  Decoder.Angles get(int from, int count) {
    return get(from, count, beyond(from + count));
  }

  /// @param beyond which set of frequencies
  Decoder.Angles get(int from, int count, boolean beyond) {
    Table table = tables[beyond ? 1 : 0];
    Decoder.Angles angles = table.angles;
    int length = from + count;
    if (angles == null || length > table.rows) {
      table.rows = Math.max(1024, Math.max(table.rows, Integer.highestOneBit(length) * 2));
      table.holder.close();
      table.holder = new TensorHolder();
      try (TensorScope scope = TensorScope.open()) {
        // the length given here only chooses the set of frequencies
        angles = decoder.angles(0, table.rows, beyond ? Integer.MAX_VALUE : 1);
        table.holder.hold(angles.cosines());
        table.holder.hold(angles.sines());
      }
      table.angles = angles;
    }
    return angles.narrow(from, count);
  }

  @Override
  public void close() {
    for (Table table : tables) {
      table.holder.close();
    }
  }
}
