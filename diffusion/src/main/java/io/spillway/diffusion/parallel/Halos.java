package io.spillway.diffusion.parallel;

import io.spillway.tensor.TensorHolder;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// The rows beside a strip that a convolution needs from the neighbours.
abstract class Halos extends Remote {
  final Exchange exchange;
  final int padding;

  Halos(Exchange exchange, TensorHolder holder, boolean extrapolate, int padding) {
    super(holder, extrapolate);
    this.exchange = exchange;
    this.padding = padding;
  }

  /// The rows above the strip within what arrived, none at the top edge.
  abstract @Nullable Tensor above(Tensor arrived);

  /// The rows below the strip, none at the bottom edge or where the stride does not reach them.
  abstract @Nullable Tensor below(Tensor arrived);

  final boolean hasAbove() {
    return exchange.rank() > 0;
  }

  final boolean hasBelow() {
    return exchange.rank() < exchange.size() - 1;
  }

  /// Both edges of every strip go to every rank, as DistriFusion does it.
  ///
  /// **Shapes:** [ranks, 2, batch, channels, padding, width].
  static final class Gathered extends Halos {
    Gathered(Exchange exchange, TensorHolder holder, boolean extrapolate, int padding) {
      super(exchange, holder, extrapolate, padding);
    }

    @Override
    Tensor buffer(Tensor x) {
      return Strips.like(x, exchange.size(), 2, x.size(0), x.size(1), padding, x.size(3));
    }

    @Override
    Exchange.Pending launch(Tensor x, Tensor into) {
      Tensor top = x.narrow(2, 0, padding).unsqueeze(0);
      Tensor bottom = x.narrow(2, x.size(2) - padding, padding).unsqueeze(0);
      return exchange.allGather(
          io.spillway.diffusion.model.Ops.cat(List.of(top, bottom), 0).contiguous(), into);
    }

    @Override
    @Nullable Tensor above(Tensor arrived) {
      return hasAbove() ? arrived.select(0, exchange.rank() - 1).select(0, 1) : null;
    }

    @Override
    @Nullable Tensor below(Tensor arrived) {
      return hasBelow() ? arrived.select(0, exchange.rank() + 1).select(0, 0) : null;
    }
  }

  /// Each edge goes only to the neighbour that needs it. With stride 2 and a kernel of 3 no row
  /// below is needed.
  ///
  /// **Shapes:** [above and below, batch, channels, padding, width].
  static final class PointToPoint extends Halos {
    private final boolean needsBelow;

    PointToPoint(
        Exchange exchange, TensorHolder holder, boolean extrapolate, int padding, int stride) {
      super(exchange, holder, extrapolate, padding);
      this.needsBelow = stride == 1;
    }

    @Override
    Tensor buffer(Tensor x) {
      return Strips.like(x, 2, x.size(0), x.size(1), padding, x.size(3));
    }

    @Override
    Exchange.Pending launch(Tensor x, Tensor into) {
      List<Exchange.Pending> pending = new ArrayList<>();
      int rank = exchange.rank();
      if (hasAbove()) {
        if (needsBelow) {
          pending.add(exchange.send(x.narrow(2, 0, padding).contiguous(), rank - 1));
        }
        pending.add(exchange.receive(into.select(0, 0), rank - 1));
      }
      if (hasBelow()) {
        pending.add(
            exchange.send(x.narrow(2, x.size(2) - padding, padding).contiguous(), rank + 1));
        if (needsBelow) {
          pending.add(exchange.receive(into.select(0, 1), rank + 1));
        }
      }
      return () -> pending.forEach(Exchange.Pending::await);
    }

    @Override
    @Nullable Tensor above(Tensor arrived) {
      return hasAbove() ? arrived.select(0, 0) : null;
    }

    @Override
    @Nullable Tensor below(Tensor arrived) {
      return hasBelow() && needsBelow ? arrived.select(0, 1) : null;
    }
  }

  /// The convolution of one strip with rows that arrived.
  final Tensor convolve(
      Tensor x, Tensor arrived, Tensor weight, @Nullable Tensor bias, int stride) {
    return Strips.convolve(x, above(arrived), below(arrived), weight, bias, stride, padding);
  }
}
