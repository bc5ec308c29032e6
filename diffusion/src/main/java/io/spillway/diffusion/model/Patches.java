package io.spillway.diffusion.model;

import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/// The way into a transformer over squares of an image: a convolution that makes tokens, and the
/// fixed embedding of their positions, whose tables it keeps.
///
/// @param baseRows rows of tokens that the model was trained at
/// @param scale by how much positions shrink
final class Patches implements AutoCloseable {
  private final Parameters p;
  private final int patch;
  private final int baseRows;
  private final int scale;
  private final Map<Long, Tensor> positions = new HashMap<>();
  private final TensorHolder tables = new TensorHolder();

  Patches(Parameters p, int patch, int baseRows, int scale) {
    this.p = p;
    this.patch = patch;
    this.baseRows = baseRows;
    this.scale = scale;
  }

  /// Tokens of the own strip.
  ///
  /// **Shapes:** the whole image [batch, channels, rows, columns] -> [batch, own tokens, D].
  Tensor embed(Tensor x, Cooperation ranks) {
    Cooperation.Strip strip = ranks.strip();
    int rows = Math.toIntExact(x.size(2));
    int own = strip.rows(rows);
    Tensor weight = p.get("pos_embed.proj.weight");
    Tensor tokens =
        Ops.convolve(
                x.narrow(2, strip.begin(rows), own).to(weight.scalar_type()),
                weight,
                p.get("pos_embed.proj.bias"),
                patch,
                0,
                0)
            .flatten(2, 3)
            .transpose(1, 2);
    int columns = Math.toIntExact(x.size(3)) / patch;
    return tokens.add(
        position(rows / patch, columns, weight)
            .narrow(0, (long) strip.begin(rows) / patch * columns, (long) own / patch * columns));
  }

  /// **Shapes:** [rows x columns, D].
  private synchronized Tensor position(int rows, int columns, Tensor weight) {
    return positions.computeIfAbsent(
        (long) rows << 32 | columns,
        _ -> {
          int width = Math.toIntExact(weight.size(0));
          float[] table = PositionEmbedding.table(rows, columns, width, baseRows, scale);
          try (TensorScope scope = TensorScope.open()) {
            assert scope != null;
            return tables.hold(
                Tensors.of(table, (long) rows * columns, width)
                    .to(weight.device(), weight.scalar_type()));
          }
        });
  }

  @Override
  public void close() {
    tables.close();
  }
}
