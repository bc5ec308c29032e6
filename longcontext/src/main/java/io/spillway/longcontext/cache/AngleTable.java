package io.spillway.longcontext.cache;

import io.spillway.models.Decoder;
import io.spillway.models.RopeScaling;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import org.jspecify.annotations.Nullable;

/// Cosines and sines of all positions in use, made once and grown when a sequence needs more.
final class AngleTable implements AutoCloseable {
  private final Decoder decoder;
  private TensorHolder holder = new TensorHolder();
  private Decoder.@Nullable Angles angles;
  private int rows;
  private boolean beyond;

  AngleTable(Decoder decoder) {
    this.decoder = decoder;
  }

  /// Angles of positions `from .. from + count - 1` of a sequence of `from + count` tokens.
  Decoder.Angles get(int from, int count) {
    int length = from + count;
    boolean longRopeBeyond =
        decoder.config().ropeScaling() instanceof RopeScaling.LongRope longRope
            && length > longRope.originalPositions();
    Decoder.Angles table = angles;
    if (table == null || length > rows || longRopeBeyond != beyond) {
      rows = Math.max(1024, Math.max(rows, Integer.highestOneBit(length) * 2));
      beyond = longRopeBeyond;
      holder.close();
      holder = new TensorHolder();
      try (TensorScope scope = TensorScope.open()) {
        table = decoder.angles(0, rows, length);
        holder.hold(table.cosines());
        holder.hold(table.sines());
      }
      angles = table;
    }
    return table.narrow(from, count);
  }

  @Override
  public void close() {
    holder.close();
  }
}
