package io.spillway.models;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.rms_norm;
import static org.bytedeco.pytorch.global.torch.scaled_dot_product_attention;
import static org.bytedeco.pytorch.global.torch.silu;

import io.spillway.kernels.Heads;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// The forward pass of a decoder on libtorch, from weights by their Hugging Face names. Autograd
/// follows it when the weights ask for gradients; the same pieces serve training, prefill with
/// eviction and decoding.
///
/// Every method makes temporary tensors; the caller holds the scope that releases them.
///
/// **Shapes:** hidden states `[batch, tokens, hidden]`; queries `[batch, heads, tokens, headDim]`;
/// keys and values `[batch, kvHeads, tokens, headDim]`; logits `[batch, tokens, vocabulary]`.
public final class Decoder {
  /// Query, key and value projection of a layer in one matrix.
  static final String QKV = "self_attn.qkv_proj.weight";

  static final String QKV_BIAS = "self_attn.qkv_proj.bias";

  /// Gate and up projection of a layer in one matrix.
  static final String GATE_UP = "mlp.gate_up_proj.weight";

  /// Tokens whose MLP runs at once.
  static final long MLP_TOKENS = 1024;

  private final DecoderConfig config;
  private final Map<String, Tensor> weights;
  private final Rope rope;
  private final ComputeDevice device;
  private final RowLayer rowLayer;
  private final ChunkLayer chunkLayer;

  /// Whether gradients go to some weight. Then libtorch computes whatever is computed, as a layer
  /// that is run once without and once more with a record of gradients has to come out the same.
  private final boolean trained;

  /// @param weights all names of [DecoderConfig#shapes]; joined projections under phi3's names are
  ///   used where they are there as well, see [FusedWeights] **Errors:** a missing weight or a
  ///   wrong shape.
  public Decoder(DecoderConfig config, Map<String, Tensor> weights) {
    this.config = config;
    this.weights = Map.copyOf(weights);
    this.rope = new Rope(config);
    config.shapes().forEach(this::check);
    this.rowLayer = new RowLayer(config, this.weights);
    this.chunkLayer = new ChunkLayer(config, this.weights);
    this.trained = this.weights.values().stream().anyMatch(Tensor::requires_grad);
    Tensor any = weight("model.norm.weight");
    this.device =
        any.is_cuda()
            ? new ComputeDevice(ComputeDevice.Kind.CUDA, any.device().index(), "")
            : Devices.cpu();
  }

  private void check(String name, long[] shape) {
    Tensor tensor = weights.get(name);
    if (tensor == null) {
      throw SpillwayException.badInput(
          "the weight %s is missing; the folder must hold every shard of the model", name);
    }
    if (!java.util.Arrays.equals(tensor.sizes().vec().get(), shape)) {
      throw SpillwayException.badInput(
          "the weight %s has the shape %s, config.json asks for %s",
          name,
          java.util.Arrays.toString(tensor.sizes().vec().get()),
          java.util.Arrays.toString(shape));
    }
  }

  public DecoderConfig config() {
    return config;
  }

  /// Where the weights lie.
  public ComputeDevice device() {
    return device;
  }

  public Rope rope() {
    return rope;
  }

  /// The weight of that name.
  public Tensor weight(String name) {
    Tensor weight = weights.get(name);
    if (weight == null) {
      throw new IllegalArgumentException("no weight " + name);
    }
    return weight;
  }

  /// Whether there is a weight of that name, a joined projection for instance.
  boolean has(String name) {
    return weights.containsKey(name);
  }

  /// The matrix that hidden states become logits by.
  Tensor outputWeight() {
    return weight(config.tiedEmbeddings() ? "model.embed_tokens.weight" : "lm_head.weight");
  }

  /// Queries, keys and values of one layer before rotation.
  public record Qkv(Tensor query, Tensor key, Tensor value) {}

  /// Cosines and sines of a run of positions, the two components of a pair side by side.
  ///
  /// @param cosines `[tokens, 1, rotaryDim / 2]`
  /// @param sines `[tokens, 2, rotaryDim / 2]`, negative for the first component
  public record Angles(Tensor cosines, Tensor sines) {
    /// The rows `from .. from + count - 1`.
    public Angles narrow(long from, long count) {
      return new Angles(cosines.narrow(0, from, count), sines.narrow(0, from, count));
    }

    /// The rows at `places`, i64.
    public Angles at(Tensor places) {
      return new Angles(cosines.index_select(0, places), sines.index_select(0, places));
    }

    /// The angles that turn back.
    public Angles inverse() {
      return new Angles(cosines, sines.neg());
    }
  }

  /// Full causal attention over `ids`: `[batch, tokens]` of 64-bit ids to logits.
  public Tensor forward(Tensor ids) {
    return logits(hidden(ids));
  }

  /// Hidden states after the last norm.
  public Tensor hidden(Tensor ids) {
    long tokens = ids.size(1);
    Tensor x = embed(ids);
    Angles angles = angles(0, Math.toIntExact(tokens), tokens);
    for (int layer = 0; layer < config.layers(); layer++) {
      x = layer(layer, x, angles);
    }
    return finalNorm(x);
  }

  /// One decoder layer with full causal attention (activation checkpointing reruns it alone).
  public Tensor layer(int layer, Tensor x, Angles angles) {
    Qkv qkv = project(layer, x);
    Tensor attended =
        attend(rotate(qkv.query(), angles), rotate(qkv.key(), angles), qkv.value(), 0, null);
    return finish(layer, x, attended);
  }

  /// Embeddings of `ids`.
  public Tensor embed(Tensor ids) {
    return embedding(weight("model.embed_tokens.weight"), ids);
  }

  /// Normalises, projects and cuts into heads.
  public Qkv project(int layer, Tensor x) {
    if (!trained && RowLayer.serves(config, x, weight("model.norm.weight"))) {
      return CpuKernels.use(kernels -> rowLayer.project(kernels, layer, x));
    }
    if (!trained && ChunkLayer.serves(config, x, weight("model.norm.weight"))) {
      return CpuKernels.use(kernels -> chunkLayer.project(kernels, layer, x));
    }
    String at = "model.layers." + layer + ".";
    Tensor normed = norm(x, at + "input_layernorm.weight");
    long q = (long) config.heads() * config.headDim();
    long kv = (long) config.kvHeads() * config.headDim();
    Tensor query;
    Tensor key;
    Tensor value;
    Tensor fused = weights.get(at + QKV);
    if (fused != null) {
      Tensor all = linear(normed, fused, weights.get(at + QKV_BIAS));
      query = all.narrow(2, 0, q);
      key = all.narrow(2, q, kv);
      value = all.narrow(2, q + kv, kv);
    } else {
      query = projection(normed, at + "self_attn.q_proj");
      key = projection(normed, at + "self_attn.k_proj");
      value = projection(normed, at + "self_attn.v_proj");
    }
    query = heads(query, config.heads());
    key = heads(key, config.kvHeads());
    if (config.family().normalisesHeads()) {
      query = norm(query, at + "self_attn.q_norm.weight");
      key = norm(key, at + "self_attn.k_norm.weight");
    }
    return new Qkv(query, key, heads(value, config.kvHeads()));
  }

  private Tensor projection(Tensor x, String name) {
    return linear(x, weight(name + ".weight"), weights.get(name + ".bias"));
  }

  private static Tensor linear(Tensor x, Tensor weight, @Nullable Tensor bias) {
    return RowProduct.linear(x, weight, bias);
  }

  private static Tensor linear(Tensor x, Tensor weight) {
    return RowProduct.linear(x, weight, null);
  }

  private Tensor heads(Tensor x, int heads) {
    return x.view(x.size(0), x.size(1), heads, config.headDim()).transpose(1, 2);
  }

  /// Softmax attention. Query `i` sees the keys up to `keys - queries + i`, within the sliding
  /// window if the model has one.
  ///
  /// @param past keys that stand before the first query
  /// @param mask additive mask `[.., queries, keys]` that replaces the causal one, or null
  public Tensor attend(Tensor query, Tensor key, Tensor value, long past, @Nullable Tensor mask) {
    if (config.groupSize() > 1) {
      key = repeat(key);
      value = repeat(value);
    }
    long queries = query.size(2);
    Tensor bias = mask;
    boolean windowed = config.slidingWindow() > 0 && past + queries > config.slidingWindow();
    if (bias == null && queries > 1 && (past > 0 || windowed)) {
      bias = mask(queries, past);
    } else if (bias == null && windowed) {
      long first = past + 1 - config.slidingWindow();
      key = key.narrow(2, first, config.slidingWindow());
      value = value.narrow(2, first, config.slidingWindow());
    }
    boolean causal = bias == null && queries > 1;
    return scaled_dot_product_attention(
        query,
        key,
        value,
        bias == null ? new TensorOptional() : new TensorOptional(bias),
        0.0,
        causal,
        new DoubleOptional(),
        false);
  }

  private Tensor repeat(Tensor kv) {
    long batch = kv.size(0);
    long tokens = kv.size(2);
    return kv.unsqueeze(2)
        .expand(batch, kv.size(1), config.groupSize(), tokens, config.headDim())
        .reshape(batch, kv.size(1) * config.groupSize(), tokens, config.headDim());
  }

  /// Zero where a query may look and minus infinity elsewhere, `[queries, past + queries]`.
  public Tensor mask(long queries, long past) {
    Tensor like = weight("model.norm.weight");
    Tensor mask =
        torch.full(
            new long[] {queries, past + queries},
            new Scalar(Double.NEGATIVE_INFINITY),
            like.options());
    mask = torch.triu(mask, past + 1);
    if (config.slidingWindow() > 0) {
      Tensor old =
          torch.full(
              new long[] {queries, past + queries},
              new Scalar(Double.NEGATIVE_INFINITY),
              like.options());
      mask = mask.add(torch.tril(old, past - config.slidingWindow()));
    }
    return mask;
  }

  /// Output projection, residual and MLP.
  ///
  /// @param attended `[batch, heads, tokens, headDim]`
  public Tensor finish(int layer, Tensor x, Tensor attended) {
    if (!trained && RowLayer.serves(config, x, weight("model.norm.weight"))) {
      return CpuKernels.use(kernels -> rowLayer.finish(kernels, layer, x, attended));
    }
    if (!trained && ChunkLayer.serves(config, x, weight("model.norm.weight"))) {
      return CpuKernels.use(kernels -> chunkLayer.finish(kernels, layer, x, attended));
    }
    String at = "model.layers." + layer + ".";
    Tensor joined =
        attended
            .transpose(1, 2)
            .reshape(x.size(0), x.size(1), (long) config.heads() * config.headDim());
    Tensor middle = sum(linear(joined, weight(at + "self_attn.o_proj.weight")), x);
    return sum(
        inBlocks(norm(middle, at + "post_attention_layernorm.weight"), rows -> mlp(at, rows)),
        middle);
  }

  /// `body` over a block of tokens at a time where no gradient is recorded, so that what it makes
  /// in between never lies in memory for a whole long chunk.
  private static Tensor inBlocks(Tensor x, UnaryOperator<Tensor> body) {
    long tokens = x.size(1);
    if (GradMode.is_enabled() || tokens <= MLP_TOKENS) {
      return body.apply(x);
    }
    Tensor out = torch.empty_like(x);
    for (long from = 0; from < tokens; from += MLP_TOKENS) {
      long begin = from;
      long count = Math.min(MLP_TOKENS, tokens - begin);
      TensorScope.run(
          () -> out.narrow(1, begin, count).copy_(body.apply(x.narrow(1, begin, count))));
    }
    return out;
  }

  private Tensor mlp(String at, Tensor normed) {
    Tensor gate;
    Tensor up;
    Tensor fused = weights.get(at + GATE_UP);
    if (fused != null) {
      Tensor both = linear(normed, fused);
      gate = both.narrow(2, 0, config.intermediate());
      up = both.narrow(2, config.intermediate(), config.intermediate());
    } else {
      gate = linear(normed, weight(at + "mlp.gate_proj.weight"));
      up = linear(normed, weight(at + "mlp.up_proj.weight"));
    }
    return linear(gated(gate, up), weight(at + "mlp.down_proj.weight"));
  }

  private boolean served(Tensor x) {
    return !trained && CpuKernels.serve(x);
  }

  /// `silu(gate) · up`, in the place of `gate` where no gradient is recorded.
  private Tensor gated(Tensor gate, Tensor up) {
    Heads first = served(gate) ? CpuKernels.heads(gate) : null;
    Heads second = first == null ? null : CpuKernels.heads(up);
    if (first != null && second != null) {
      CpuKernels.run(kernels -> kernels.math().gate(first, second, first));
      return gate;
    }
    Tensor inner = silu(gate);
    return GradMode.is_enabled() ? inner.mul(up) : inner.mul_(up);
  }

  /// `fresh + x`, in place where no gradient is recorded.
  private static Tensor sum(Tensor fresh, Tensor x) {
    return GradMode.is_enabled() ? fresh.add(x) : fresh.add_(x);
  }

  /// The norm before the output matrix.
  public Tensor finalNorm(Tensor x) {
    return norm(x, "model.norm.weight");
  }

  /// Output matrix on normed hidden states.
  public Tensor logits(Tensor normed) {
    return linear(normed, outputWeight());
  }

  private Tensor norm(Tensor x, String name) {
    Tensor weight = weight(name);
    Heads rows = served(x) ? CpuKernels.heads(x) : null;
    if (rows != null) {
      Tensor out = CpuKernels.room(x, Tensors.shape(x));
      Heads to = CpuKernels.own(out);
      Heads factors = CpuKernels.own(weight);
      CpuKernels.run(kernels -> kernels.math().rmsNorm(rows, factors, config.normEpsilon(), to));
      return out;
    }
    return rms_norm(
        x,
        new long[] {weight.size(0)},
        new TensorOptional(weight),
        new DoubleOptional(config.normEpsilon()));
  }

  /// Angles of positions `from .. from + count - 1` on the weights' device and in their type.
  ///
  /// @param length tokens of the whole sequence, which chooses LongRoPE's frequencies
  public Angles angles(long from, int count, long length) {
    long half = config.rotaryDim() / 2;
    Tensor sines = table(rope.sines(from, count, length), count, half);
    return new Angles(
        table(rope.cosines(from, count, length), count, half),
        cat(new TensorVector(sines.neg(), sines), 1));
  }

  private Tensor table(float[] values, long rows, long columns) {
    Tensor like = weight("model.norm.weight");
    return Tensor.create(values, rows, 1, columns)
        .to(like.options(), false, false, new org.bytedeco.pytorch.MemoryFormatOptional());
  }

  /// Turns queries or keys by their positions' angles.
  public Tensor rotate(Tensor x, Angles angles) {
    long half = config.rotaryDim() / 2;
    Heads rows = served(x) && x.size(0) == 1 ? CpuKernels.heads(x) : null;
    Tensor sine = angles.sines();
    if (rows != null && sine.dim() == 3 && sine.size(0) == rows.tokens()) {
      Heads cosines = CpuKernels.heads(angles.cosines().transpose(0, 1));
      Heads sines = CpuKernels.heads(sine.narrow(1, 1, 1).transpose(0, 1));
      if (cosines != null && sines != null) {
        Tensor out = CpuKernels.room(x, Tensors.shape(x));
        Heads to = CpuKernels.own(out);
        CpuKernels.run(kernels -> kernels.math().rotate(rows, cosines, sines, to));
        return out;
      }
    }
    boolean whole = config.rotaryDim() == config.headDim();
    Tensor pairs =
        (whole ? x : x.narrow(3, 0, config.rotaryDim())).unflatten(3, new long[] {2, half});
    Tensor turned = pairs.mul(angles.cosines());
    turned =
        GradMode.is_enabled()
            ? turned.addcmul(pairs.flip(3), angles.sines())
            : turned.addcmul_(pairs.flip(3), angles.sines());
    turned = turned.flatten(3, 4);
    return whole
        ? turned
        : cat(
            new TensorVector(
                turned,
                x.narrow(3, config.rotaryDim(), config.headDim() - (long) config.rotaryDim())),
            -1);
  }

  /// Attention without gradients of queries that follow `past` cached keys; see [FusedAttention].
  ///
  /// @param mask that of [#mask] where a sliding window hides keys, if it is there already
  public Tensor look(Tensor query, Tensor key, Tensor value, long past, @Nullable Tensor mask) {
    boolean windowed = config.slidingWindow() > 0 && past + query.size(2) > config.slidingWindow();
    return windowed
        ? attend(query, key, value, past, mask)
        : FusedAttention.attend(query, key, value, past);
  }
}
