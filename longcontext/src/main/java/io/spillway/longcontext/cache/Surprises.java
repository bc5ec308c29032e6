package io.spillway.longcontext.cache;

import io.spillway.models.Decoder;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// How surprising tokens are to the model that reads them: `-log p(token)`.
final class Surprises {
  /// Rows of logits worked out at once, since a vocabulary is wide.
  private static final int ROWS = 256;

  private Surprises() {}

  /// One number for each token, f32.
  ///
  /// @param normed hidden states after each token, `[1, tokens, hidden]`
  /// @param before logits before the first, null where nothing was read
  static Tensor of(Decoder decoder, Tensor normed, long[] ids, float @Nullable [] before) {
    Tensor surprise = Tensors.empty(DType.F32, decoder.device(), ids.length);
    surprise.narrow(0, 0, 1).zero_();
    if (before != null) {
      Tensor probability = torch.log_softmax(Tensors.of(before, 1, before.length), 1);
      surprise.narrow(0, 0, 1).copy_(probability.select(1, ids[0]).neg());
    }
    for (int begin = 0; begin < ids.length - 1; begin += ROWS) {
      int from = begin;
      int count = Math.min(ROWS, ids.length - 1 - from);
      Tensor next = Tensors.of(Arrays.copyOfRange(ids, from + 1, from + 1 + count), count, 1);
      TensorScope.run(() -> {
        Tensor logits =
            Tensors.to(decoder.logits(normed.narrow(1, from, count)).squeeze(0), DType.F32);
        Tensor probability =
            torch.log_softmax(logits, 1).gather(1, Tensors.to(next, decoder.device()));
        surprise.narrow(0, from + 1L, count).copy_(probability.squeeze(1).neg());
      });
    }
    return surprise;
  }
}
