package io.spillway.longcontext.cache;

import io.spillway.models.Decoder;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// One token for each of several sequences of one model at once: projections over all of them
/// together, attention over each one's own cache.
final class JointStep {
  private JointStep() {}

  /// @param tokens one for each sequence
  /// @return logits, one row for each sequence
  static List<float[]> run(Decoder decoder, List<Session> sessions, int[] tokens) {
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      long[] ids = Arrays.stream(tokens).asLongStream().toArray();
      Tensor x = decoder.embed(Tensors.to(Tensors.of(ids, ids.length, 1), decoder.device()));
      for (int layer = 0; layer < decoder.config().layers(); layer++) {
        int at = layer;
        Tensor before = x;
        x =
            TensorScope.compute(() -> {
              Decoder.Qkv qkv = decoder.project(at, before);
              TensorVector rows = new TensorVector();
              for (int i = 0; i < sessions.size(); i++) {
                rows.push_back(sessions.get(i).attend(at, row(qkv, i), Map.of()));
              }
              return decoder.finish(at, before, torch.cat(rows, 0));
            });
      }
      float[] logits = Tensors.floats(decoder.logits(decoder.finalNorm(x)));
      int width = decoder.config().vocabulary();
      List<float[]> out = new ArrayList<>();
      for (int i = 0; i < sessions.size(); i++) {
        out.add(sessions.get(i).joined(Arrays.copyOfRange(logits, i * width, (i + 1) * width)));
      }
      return out;
    }
  }

  private static Decoder.Qkv row(Decoder.Qkv qkv, long row) {
    return new Decoder.Qkv(
        qkv.query().narrow(0, row, 1), qkv.key().narrow(0, row, 1), qkv.value().narrow(0, row, 1));
  }
}
