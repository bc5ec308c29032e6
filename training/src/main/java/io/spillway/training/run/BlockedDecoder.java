package io.spillway.training.run;

import io.spillway.kernels.Precision;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.training.engine.Device;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A decoder whose weights and gradients lie in the flat memory of the device, run block by block,
/// so that each block can wait for its weights and hand over its gradients by itself.
///
/// **Shapes:** ids and targets `[sequences, tokens]` i64; hidden states `[sequences, tokens,
/// hidden]`.
public final class BlockedDecoder implements AutoCloseable {
  /// Called around the blocks of a pass.
  public interface Listener {
    /// Before a block's forward pass.
    void beforeForward(int block);

    /// After a block's backward pass: its gradients are summed up.
    void afterBackward(int block);
  }

  private final FlatParameters parameters;
  private final Decoder decoder;
  private final boolean checkpoints;
  private final TensorHolder holder = new TensorHolder();
  private final Map<Integer, Decoder.Angles> angles = new HashMap<>();
  private final int layers;

  /// @param device where the passes run
  /// @param weights the device's weights, flat
  /// @param gradients the device's gradients, flat, to which passes add
  /// @param checkpoints whether layers recompute their activations
  public BlockedDecoder(
      DecoderConfig config,
      FlatParameters parameters,
      Device device,
      MemorySegment weights,
      MemorySegment gradients,
      Precision precision,
      boolean checkpoints) {
    this.parameters = parameters;
    this.checkpoints = checkpoints;
    this.layers = config.layers();
    DType type = dtype(precision);
    Map<String, Tensor> tensors = new HashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      for (FlatParameters.Weight w : parameters.weights()) {
        long at = w.from() * type.bytes();
        long bytes = w.size() * type.bytes();
        Tensor weight =
            holder.hold(scope.adopt(device.tensor(weights.asSlice(at, bytes), type, w.shape())));
        weight.requires_grad_(true);
        Tensor gradient = device.tensor(gradients.asSlice(at, bytes), type, w.shape());
        weight.mutable_grad().put(gradient);
        tensors.put(w.name(), weight);
      }
      decoder = new Decoder(config, tensors);
    }
  }

  /// The safetensors type of a precision.
  public static DType dtype(Precision precision) {
    return switch (precision) {
      case BF16 -> DType.BF16;
      case F16 -> DType.F16;
      case F32 -> DType.F32;
    };
  }

  /// Mean cross entropy of a batch, without gradients.
  public double loss(Tensor ids, Tensor targets, Listener listener) {
    try (NoGrad _ = NoGrad.begin();
        TensorScope scope = TensorScope.open()) {
      Tensor x = ids;
      for (int b = 0; b <= layers; b++) {
        listener.beforeForward(b);
        x = forward(b, x, ids);
      }
      listener.beforeForward(layers + 1);
      return scope.adopt(head(x, targets)).item_double();
    }
  }

  /// One forward and backward pass; gradients are added to the flat ones.
  ///
  /// @param scale factor on the loss before the backward pass
  /// @param beforeBackward called with the loss between the passes
  /// @return mean cross entropy
  public double train(
      Tensor ids, Tensor targets, double scale, Listener listener, DoubleConsumer beforeBackward) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor[] in = new Tensor[layers + 2];
      @Nullable Tensor[] out = new Tensor[layers + 2];
      for (int b = 0; b <= layers; b++) {
        listener.beforeForward(b);
        if (b > 0) {
          in[b] = leaf(present(out[b - 1]), scope);
        }
        int block = b;
        Tensor y;
        // the embedding's activations are its indices: there is nothing to recompute
        if (checkpoints && b > 0) {
          y = TensorScope.compute(() -> NoGrad.supply(() -> forward(block, in[block], ids)));
        } else {
          y = TensorScope.compute(() -> forward(block, block == 0 ? ids : in[block], ids));
        }
        out[b] = y;
      }
      int last = layers + 1;
      listener.beforeForward(last);
      in[last] = leaf(present(out[layers]), scope);
      Tensor loss = TensorScope.compute(() -> head(in[last], targets));
      double value = loss.item_double();
      beforeBackward.accept(value);
      TensorScope.run(() -> loss.mul(new Scalar(scale)).backward());
      loss.close();
      listener.afterBackward(last);
      for (int b = layers; b >= 0; b--) {
        int block = b;
        Tensor upstream = in[b + 1].grad();
        TensorScope.run(() -> {
          Tensor y =
              checkpoints && block > 0 ? forward(block, in[block], ids) : present(out[block]);
          y.backward(
              upstream,
              new org.bytedeco.pytorch.BoolOptional(),
              false,
              new org.bytedeco.pytorch.TensorArrayRefOptional());
        });
        present(out[b]).close();
        in[b + 1].close();
        upstream.close();
        listener.afterBackward(b);
      }
      return value;
    }
  }

  private static Tensor leaf(Tensor y, TensorScope scope) {
    return scope.adopt(y.detach()).requires_grad_(true);
  }

  private static Tensor present(@Nullable Tensor t) {
    if (t == null) {
      throw new IllegalStateException("the block was not run");
    }
    return t;
  }

  /// Block 0 embeds; block `b` is layer `b - 1`.
  private Tensor forward(int block, Tensor x, Tensor ids) {
    if (block == 0) {
      return decoder.embed(ids);
    }
    int tokens = Math.toIntExact(ids.size(1));
    return decoder.layer(block - 1, x, angles(tokens));
  }

  /// The angles of sequences of that length, made once: their sines take longer than a layer on a
  /// GPU.
  private Decoder.Angles angles(int tokens) {
    return angles.computeIfAbsent(
        tokens,
        n -> {
          Decoder.Angles made = decoder.angles(0, n, n);
          holder.hold(made.cosines());
          holder.hold(made.sines());
          return made;
        });
  }

  private Tensor head(Tensor x, Tensor targets) {
    Tensor logits = decoder.logits(decoder.finalNorm(x)).to(torch.ScalarType.Float);
    return torch.cross_entropy_loss(logits.view(-1, logits.size(2)), targets.reshape(-1));
  }

  public FlatParameters parameters() {
    return parameters;
  }

  /// The layout's blocks, in forward order.
  public List<Integer> blocks() {
    return java.util.stream.IntStream.range(0, parameters.blocks()).boxed().toList();
  }

  @Override
  public void close() {
    holder.close();
  }
}
