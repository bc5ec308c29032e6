package io.spillway.longcontext.retain;

import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
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

  /// Nearest entries that a link may leave out: they stay while the next chunk is read.
  private static final int NEAR = 8;

  private static final double LEAST = -8;

  /// What is learned.
  public enum Label {
    /// The paper's: the largest product before the softmax.
    PRODUCT,
    /// The logarithm of the largest softmax weight times the value's length, at least -8.
    VALUE_WEIGHTED,
    /// The same, where an entry counts as well by what needed tokens read from it: an answer asks
    /// for a token's entry in one layer, and that token had to read others in the layers below.
    LINKED
  }

  /// One layer's inputs and labels.
  ///
  /// @param qkv of the prompt, before rotation
  /// @param label `[kvHeads, prompt]`
  public record Layer(Decoder.Qkv qkv, Tensor label) {}

  /// A layer as full attention has it.
  ///
  /// @param qkv of the prompt, before rotation
  /// @param query rotated, `[1, heads, prompt, headDim]`
  /// @param key rotated, `[1, kvHeads, prompt, headDim]`
  /// @param weights largest softmax weight from an answer, `[kvHeads, prompt]`
  private record Looked(Decoder.Qkv qkv, Tensor query, Tensor key, Tensor weights) {}

  /// Runs the full model over prompt and answers.
  public static List<Layer> of(Decoder decoder, RetainTrainer.Example example, Label kind) {
    DecoderConfig config = decoder.config();
    int prompt = example.prompt();
    int length = example.ids().length;
    long[] wide = Arrays.stream(example.ids()).asLongStream().toArray();
    Tensor all = Tensors.of(wide, 1, length);
    Tensor x =
        decoder.embed(all.to(decoder.weight("model.norm.weight").device(), all.scalar_type()));
    Decoder.Angles angles = decoder.angles(0, length, length);
    Tensor rows =
        Tensors.of(
            Arrays.stream(example.asking()).asLongStream().toArray(), example.asking().length);
    rows = rows.to(x.device(), rows.scalar_type());
    List<Looked> layers = new ArrayList<>();
    List<Tensor> products = new ArrayList<>();
    for (int l = 0; l < config.layers(); l++) {
      Decoder.Qkv qkv = decoder.project(l, x);
      Tensor query = decoder.rotate(qkv.query(), angles);
      Tensor key = decoder.rotate(qkv.key(), angles);
      Tensor product = products(config, asking(query, rows, example.asking()), key);
      products.add(product.narrow(3, 0, prompt).amax(new long[] {1, 2}, false));
      Tensor weights = kind == Label.PRODUCT ? products.getLast() : weights(product, rows, prompt);
      layers.add(
          new Looked(
              new Decoder.Qkv(
                  qkv.query().narrow(2, 0, prompt),
                  qkv.key().narrow(2, 0, prompt),
                  qkv.value().narrow(2, 0, prompt)),
              query.narrow(2, 0, prompt),
              key.narrow(2, 0, prompt),
              weights));
      x = decoder.finish(l, x, decoder.attend(query, key, qkv.value(), 0, null));
    }
    List<Tensor> labels =
        switch (kind) {
          case PRODUCT -> products;
          case VALUE_WEIGHTED -> logarithms(layers, layers.stream().map(Looked::weights).toList());
          case LINKED -> logarithms(layers, linked(config, layers));
        };
    return IntStream.range(0, layers.size())
        .mapToObj(l -> new Layer(layers.get(l).qkv(), labels.get(l)))
        .toList();
  }

  /// The queries of some places, without a copy where these follow each other.
  private static Tensor asking(Tensor query, Tensor rows, int[] places) {
    int first = places[0];
    return places[places.length - 1] - first == places.length - 1
        ? query.narrow(2, first, places.length)
        : query.index_select(2, rows);
  }

  /// `[kvHeads, group, queries, length]` f32, before the softmax.
  private static Tensor products(DecoderConfig config, Tensor query, Tensor key) {
    long queries = query.size(2);
    return Tensors.to(query, DType.F32)
        .reshape(config.kvHeads(), config.groupSize() * queries, config.headDim())
        .matmul(Tensors.to(key.squeeze(0), DType.F32).transpose(1, 2))
        .mul(new Scalar(1 / Math.sqrt(config.headDim())))
        .view(config.kvHeads(), config.groupSize(), queries, key.size(2));
  }

  /// Largest softmax weight that each of the first entries has from queries at `rows`: `[kvHeads,
  /// entries]`.
  private static Tensor weights(Tensor products, Tensor rows, long entries) {
    Tensor later = torch.arange(new Scalar(products.size(3)), rows.options()).gt(rows.unsqueeze(1));
    return torch
        .softmax(products.masked_fill(later, new Scalar(Double.NEGATIVE_INFINITY)), -1)
        .amax(new long[] {1, 2}, false)
        .narrow(1, 0, entries);
  }

  /// Weights that count links, from the last layer down: a token is needed as much as the most
  /// needed of its entries in the layers above, and what it read is needed by that times its
  /// weight.
  private static List<Tensor> linked(DecoderConfig config, List<Looked> layers) {
    List<Tensor> out = new ArrayList<>();
    Tensor needed = null; // [prompt]
    for (Looked layer : layers.reversed()) {
      Tensor weights = layer.weights();
      if (needed != null) {
        Tensor products = products(config, layer.query(), layer.key());
        Tensor hidden = torch.ones_like(products.select(0, 0).select(0, 0)).triu(1);
        Tensor read =
            torch
                .softmax(
                    products.masked_fill(
                        hidden.gt(new Scalar(0)), new Scalar(Double.NEGATIVE_INFINITY)),
                    -1)
                .amax(new long[] {1}, false) // [kvHeads, reader, entry]
                .tril(-NEAR)
                .mul(needed.unsqueeze(1))
                .amax(new long[] {1}, false);
        weights = torch.maximum(weights, read);
      }
      Tensor most = weights.amax(new long[] {0}, false);
      needed = needed == null ? most : torch.maximum(needed, most);
      out.addFirst(weights);
    }
    return out;
  }

  private static List<Tensor> logarithms(List<Looked> layers, List<Tensor> weights) {
    return IntStream.range(0, layers.size())
        .mapToObj(l -> {
          Tensor value = Tensors.to(layers.get(l).qkv().value().squeeze(0), DType.F32);
          Tensor size = value.square().sum(new long[] {2}).sqrt();
          return weights.get(l).mul(size).log().clamp_min(new Scalar(LEAST));
        })
        .toList();
  }

  /// The labels alone.
  public static Tensor[] labels(Decoder decoder, int[] ids, int prompt) {
    return of(decoder, new RetainTrainer.Example(ids, prompt), Label.PRODUCT).stream()
        .map(Layer::label)
        .toArray(Tensor[]::new);
  }
}
