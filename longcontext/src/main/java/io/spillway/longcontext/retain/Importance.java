package io.spillway.longcontext.retain;

import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// The causal importance of each prompt token's cache entry, from full attention: what the heads
/// learn.
///
/// **Source:** Locret, section 3.2: the largest product of an answer's query with the key, over the
/// queries and the heads that share the key. The last prompt token, which predicts the answer's
/// first token, counts as a query.
public final class Importance {
  private Importance() {}

  /// What is learned.
  public enum Label {
    /// The paper's: the largest product before the softmax.
    PRODUCT,
    /// The logarithm of the largest softmax weight times the value's length, at least -8.
    VALUE_WEIGHTED
  }

  /// One layer's inputs and labels.
  ///
  /// @param qkv of the prompt, before rotation
  /// @param label `[kvHeads, prompt]`
  public record Layer(Decoder.Qkv qkv, Tensor label) {}

  /// Runs the full model over prompt and answer.
  ///
  /// @param ids prompt and answer
  /// @param prompt tokens of the prompt
  public static List<Layer> of(Decoder decoder, int[] ids, int prompt, Label kind) {
    DecoderConfig config = decoder.config();
    long[] wide = java.util.Arrays.stream(ids).asLongStream().toArray();
    Tensor all = Tensors.of(wide, 1, ids.length);
    Tensor x =
        decoder.embed(all.to(decoder.weight("model.norm.weight").device(), all.scalar_type()));
    Decoder.Angles angles = decoder.angles(0, ids.length, ids.length);
    List<Layer> layers = new ArrayList<>();
    // the answer's last token asks for nothing
    long queries = (long) ids.length - prompt;
    for (int l = 0; l < config.layers(); l++) {
      Decoder.Qkv qkv = decoder.project(l, x);
      Tensor query = decoder.rotate(qkv.query(), angles);
      Tensor key = decoder.rotate(qkv.key(), angles);
      Tensor asking =
          Tensors.to(query.narrow(2, (long) prompt - 1, queries), DType.F32)
              .reshape(config.kvHeads(), config.groupSize() * queries, config.headDim());
      Tensor products =
          asking
              .matmul(Tensors.to(key.squeeze(0), DType.F32).transpose(1, 2))
              .mul(new Scalar(1 / Math.sqrt(config.headDim())));
      Tensor label =
          switch (kind) {
            case PRODUCT -> products.narrow(2, 0, prompt).amax(new long[] {1}, false);
            case VALUE_WEIGHTED -> valueWeighted(config, products, qkv.value(), queries, prompt);
          };
      layers.add(
          new Layer(
              new Decoder.Qkv(
                  qkv.query().narrow(2, 0, prompt),
                  qkv.key().narrow(2, 0, prompt),
                  qkv.value().narrow(2, 0, prompt)),
              label));
      x = decoder.finish(l, x, decoder.attend(query, key, qkv.value(), 0, null));
    }
    return layers;
  }

  private static Tensor valueWeighted(
      DecoderConfig config, Tensor products, Tensor value, long queries, int prompt) {
    long length = products.size(2);
    Tensor hidden =
        torch.triu(
            torch.full(
                new long[] {queries, length},
                new Scalar(Double.NEGATIVE_INFINITY),
                products.options()),
            prompt);
    Tensor weights =
        torch.softmax(
            products.view(config.kvHeads(), config.groupSize(), queries, length).add(hidden), -1);
    Tensor size =
        Tensors.to(value.squeeze(0), DType.F32).square().sum(new long[] {2}).sqrt().unsqueeze(1);
    return weights
        .amax(new long[] {1, 2}, false)
        .mul(size.squeeze(1))
        .narrow(1, 0, prompt)
        .log()
        .clamp_min(new Scalar(-8.0));
  }

  /// The labels alone.
  public static Tensor[] labels(Decoder decoder, int[] ids, int prompt) {
    return of(decoder, ids, prompt, Label.PRODUCT).stream()
        .map(Layer::label)
        .toArray(Tensor[]::new);
  }
}
