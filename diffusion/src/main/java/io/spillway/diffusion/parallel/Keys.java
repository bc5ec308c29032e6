package io.spillway.diffusion.parallel;

import io.spillway.diffusion.model.Ops;
import io.spillway.tensor.TensorHolder;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// The keys and values of other strips that a layer's attention sees.
abstract class Keys extends Remote {
  final Exchange exchange;

  Keys(Exchange exchange, TensorHolder holder, boolean extrapolate) {
    super(holder, extrapolate);
    this.exchange = exchange;
  }

  /// The keys and values of a synchronous step: all of them, fresh, in the image's order.
  ///
  /// **Shapes:** own [batch, tokens, 2 width] -> [batch, ranks x tokens, 2 width].
  abstract Tensor whole(Tensor own);

  /// What a displaced step sees; the own part is fresh.
  abstract Tensor seen(Tensor own);

  /// Addends to the attention's logits for what [#seen] returns, if it has pooled keys.
  @Nullable Tensor bias(Tensor own) {
    return null;
  }

  /// Every rank gets all of every strip.
  ///
  /// **Shapes:** the buffer is [ranks, batch, tokens, 2 width].
  static final class All extends Keys {
    All(Exchange exchange, TensorHolder holder, boolean extrapolate) {
      super(exchange, holder, extrapolate);
    }

    @Override
    Tensor buffer(Tensor own) {
      return Strips.like(own, exchange.size(), own.size(0), own.size(1), own.size(2));
    }

    @Override
    Exchange.Pending launch(Tensor own, Tensor into) {
      return exchange.allGather(own, into);
    }

    @Override
    Tensor whole(Tensor own) {
      return join(fresh(own), own);
    }

    @Override
    Tensor seen(Tensor own) {
      return join(stale(), own);
    }

    private Tensor join(Tensor arrived, Tensor own) {
      List<Tensor> parts = new ArrayList<>();
      for (int r = 0; r < exchange.size(); r++) {
        parts.add(r == exchange.rank() ? own : arrived.select(0, r));
      }
      return Ops.cat(parts, 1);
    }
  }
}
