package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Ops;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// The rows beside a strip that a convolution needs from the neighbours: both edges of every strip
/// go to every rank, as DistriFusion does it, or each edge goes only to the neighbour that needs
/// it. With stride 2 and a kernel of 3 no row below is needed.
///
/// **Shapes:** an edge is kept as [batch, padding, width, channels], in the order that convolutions
/// on GPUs want.
record Halos(int rank, int ranks, boolean gathered, int padding, int stride) {
  /// What travels for one convolution.
  ///
  /// @param edge elements of one edge
  Bundle.Counts counts(long edge) {
    if (gathered) {
      return Bundle.Counts.gathered(ranks, 2 * edge);
    }
    long[] to = new long[ranks];
    long[] from = new long[ranks];
    if (hasAbove()) {
      from[rank - 1] = edge;
      to[rank - 1] = needsBelow() ? edge : 0;
    }
    if (hasBelow()) {
      to[rank + 1] = edge;
      from[rank + 1] = needsBelow() ? edge : 0;
    }
    return new Bundle.Counts(false, to, from);
  }

  private boolean needsBelow() {
    return stride == 1;
  }

  private boolean hasAbove() {
    return rank > 0;
  }

  private boolean hasBelow() {
    return rank < ranks - 1;
  }

  /// Elements of one edge of `x`.
  long edge(Tensor x) {
    return x.size(0) * x.size(1) * padding * x.size(3);
  }

  /// Puts the edges of `x` where they are sent from.
  void pack(Bundle.Place place, Tensor x) {
    Tensor top = x.narrow(2, 0, padding);
    Tensor bottom = x.narrow(2, x.size(2) - padding, padding);
    if (gathered) {
      Tensor both = place.outgoing(0);
      rows(both.narrow(0, 0, edge(x)), x).copy_(top);
      rows(both.narrow(0, edge(x), edge(x)), x).copy_(bottom);
      return;
    }
    if (hasAbove() && needsBelow()) {
      rows(place.outgoing(rank - 1), x).copy_(top);
    }
    if (hasBelow()) {
      rows(place.outgoing(rank + 1), x).copy_(bottom);
    }
  }

  /// The strip with the rows that arrived, or zeros beyond the image.
  ///
  /// **Shapes:** [batch, channels, rows, width] -> [batch, channels, rows + 2 padding, width].
  Tensor padded(Bundle.Place place, Tensor x) {
    Tensor above = null;
    Tensor below = null;
    if (hasAbove()) {
      Tensor arrived = place.seen(rank - 1);
      above = rows(gathered ? arrived.narrow(0, edge(x), edge(x)) : arrived, x);
    }
    if (hasBelow() && (gathered || needsBelow())) {
      below = rows(place.seen(rank + 1).narrow(0, 0, edge(x)), x);
    }
    return Strips.padded(x, above, below, padding);
  }

  /// The convolution of one strip with the rows that arrived.
  Tensor convolve(Bundle.Place place, Tensor x, Tensor weight, @Nullable Tensor bias) {
    return Ops.convolve(padded(place, x), weight, bias, stride, 0, padding);
  }

  private Tensor rows(Tensor flat, Tensor x) {
    return flat.view(x.size(0), padding, x.size(3), x.size(1)).permute(0, 3, 1, 2);
  }
}
