package io.spillway.planner.measure;

import io.spillway.tensor.group.GroupBackend;
import io.spillway.tensor.group.Pending;
import io.spillway.tensor.group.ProcessGroup;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// Messages between neighbouring stages of a pipeline.
///
/// Gloo tells messages apart by tags, so the world's connections serve. NCCL runs what two ranks
/// exchange in one group in the order of its calls, and a stage that has begun to send an
/// activation would wait for a gradient behind it: there each direction gets a group of its own.
final class Neighbours implements AutoCloseable {
  private final ProcessGroup world;
  private final Cut cut;
  private final int p;
  private final @Nullable ProcessGroup down;
  private final @Nullable ProcessGroup up;

  /// @param stage of this process
  Neighbours(ProcessGroup world, Cut cut, int stage) {
    this.world = world;
    this.cut = cut;
    p = stage;
    boolean directed = world.kind() == GroupBackend.NCCL && cut.pp() > 1;
    down = directed ? world.split(columns()) : null;
    up = directed ? world.split(columns()) : null;
  }

  /// The stages of each replica and tensor-parallel rank.
  private List<List<Integer>> columns() {
    List<List<Integer>> columns = new ArrayList<>();
    for (int d = 0; d < cut.dp(); d++) {
      for (int t = 0; t < cut.tp(); t++) {
        List<Integer> column = new ArrayList<>();
        for (int x = 0; x < cut.pp(); x++) {
          column.add(cut.process(t, d, x));
        }
        columns.add(column);
      }
    }
    return columns;
  }

  Pending sendForward(Tensor out, int t, int d, int micro) {
    return down == null
        ? world.sendAsync(out, cut.process(t, d, p + 1), 2 * micro)
        : down.sendAsync(out, p + 1, 2 * micro);
  }

  void receiveForward(Tensor in, int t, int d, int micro) {
    if (down == null) {
      world.receive(in, cut.process(t, d, p - 1), 2 * micro);
    } else {
      down.receive(in, p - 1, 2 * micro);
    }
  }

  Pending sendBackward(Tensor out, int t, int d, int micro) {
    return up == null
        ? world.sendAsync(out, cut.process(t, d, p - 1), 2 * micro + 1)
        : up.sendAsync(out, p - 1, 2 * micro + 1);
  }

  void receiveBackward(Tensor in, int t, int d, int micro) {
    if (up == null) {
      world.receive(in, cut.process(t, d, p + 1), 2 * micro + 1);
    } else {
      up.receive(in, p + 1, 2 * micro + 1);
    }
  }

  @Override
  public void close() {
    if (up != null) {
      up.close();
    }
    if (down != null) {
      down.close();
    }
  }
}
