package io.spillway.models;

import io.spillway.kernels.Casts;
import io.spillway.kernels.Heads;
import io.spillway.kernels.MatrixVector.Factor;
import io.spillway.kernels.Precision;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A layer for one row of bf16 on the CPU, what writing a token needs: three products for all of a
/// layer's seven matrices but the attention between them, everything else of a layer in single
/// precision beside them, without an operator of libtorch for each.
///
/// One caller at a time, under [CpuKernels#use].
final class RowLayer {
  /// The weights of one layer where they lie in memory.
  private record Weights(
      Heads inputNorm,
      List<MemorySegment> qkv,
      List<@Nullable Heads> qkvBias,
      @Nullable Heads queryNorm,
      @Nullable Heads keyNorm,
      MemorySegment output,
      Heads middleNorm,
      List<MemorySegment> gateUp,
      MemorySegment down) {}

  private final DecoderConfig config;
  private final Map<String, Tensor> tensors;
  private final @Nullable Weights[] layers;
  private final Arena arena = Arena.ofAuto();

  // single-precision rows between the products
  private final MemorySegment normed;
  private final MemorySegment qkv;
  private final MemorySegment wide;
  private final MemorySegment product;
  private final MemorySegment middle;
  private final MemorySegment gateUp;
  private final MemorySegment inner;

  RowLayer(DecoderConfig config, Map<String, Tensor> tensors) {
    this.config = config;
    this.tensors = tensors;
    layers = new Weights[config.layers()];
    normed = floats(config.hidden());
    qkv = floats(rows(3));
    wide = floats(rows(1));
    product = floats(config.hidden());
    middle = floats(config.hidden());
    gateUp = floats(2L * config.intermediate());
    inner = floats(config.intermediate());
  }

  private MemorySegment floats(long count) {
    return arena.allocate(4 * count, 64);
  }

  /// Rows of the first `count` of the query, key and value projections.
  private long rows(int count) {
    return (config.heads() + (count - 1L) * config.kvHeads()) * config.headDim();
  }

  /// Whether `x` is such a row and the weights are such weights.
  static boolean serves(DecoderConfig config, Tensor x, Tensor weight) {
    return x.numel() == config.hidden()
        && CpuKernels.serve(x)
        && Tensors.dtype(x) == DType.BF16
        && Tensors.dtype(weight) == DType.BF16;
  }

  private Weights weights(int layer) {
    Weights known = layers[layer];
    if (known == null) {
      known = find("model.layers." + layer + ".");
      layers[layer] = known;
    }
    return known;
  }

  private Weights find(String at) {
    boolean fused = tensors.containsKey(at + Decoder.QKV);
    List<String> projections =
        fused
            ? List.of(Decoder.QKV)
            : List.of(
                "self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight");
    List<@Nullable Heads> biases = new ArrayList<>();
    for (String name : projections) {
      biases.add(optional(at + name.replace(".weight", ".bias")));
    }
    List<String> gates =
        tensors.containsKey(at + Decoder.GATE_UP)
            ? List.of(Decoder.GATE_UP)
            : List.of("mlp.gate_proj.weight", "mlp.up_proj.weight");
    return new Weights(
        row(at + "input_layernorm.weight"),
        projections.stream().map(name -> matrix(at + name)).toList(),
        biases,
        optional(at + "self_attn.q_norm.weight"),
        optional(at + "self_attn.k_norm.weight"),
        matrix(at + "self_attn.o_proj.weight"),
        row(at + "post_attention_layernorm.weight"),
        gates.stream().map(name -> matrix(at + name)).toList(),
        matrix(at + "mlp.down_proj.weight"));
  }

  private Tensor tensor(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalStateException("no weight " + name);
    }
    return tensor;
  }

  private MemorySegment matrix(String name) {
    return Tensors.segment(tensor(name));
  }

  private Heads row(String name) {
    return CpuKernels.own(tensor(name));
  }

  private @Nullable Heads optional(String name) {
    return tensors.containsKey(name) ? row(name) : null;
  }

  /// The product of `x` with matrices whose results lie behind one another in `out`.
  private static void multiply(
      CpuKernels kernels,
      List<MemorySegment> matrices,
      int columns,
      MemorySegment x,
      MemorySegment out) {
    List<Factor> factors = new ArrayList<>(matrices.size());
    long at = 0;
    for (MemorySegment matrix : matrices) {
      int rows = (int) (matrix.byteSize() / (2L * columns));
      factors.add(new Factor(matrix, rows, out.asSlice(4 * at, 4L * rows)));
      at += rows;
    }
    kernels.products().multiply(factors, columns, x);
  }

  private static Heads vector(MemorySegment floats) {
    return Heads.rows(floats, Precision.F32, 1, (int) (floats.byteSize() / 4));
  }

  /// As [Decoder#project].
  Decoder.Qkv project(CpuKernels kernels, int layer, Tensor x) {
    Weights weights = weights(layer);
    double epsilon = config.normEpsilon();
    kernels
        .math()
        .rmsNorm(CpuKernels.own(x.view(1, -1)), weights.inputNorm(), epsilon, vector(normed));
    multiply(kernels, weights.qkv(), config.hidden(), normed, qkv);
    long at = 0;
    for (int i = 0; i < weights.qkv().size(); i++) {
      long rows = weights.qkv().get(i).byteSize() / (2L * config.hidden());
      Heads bias = weights.qkvBias().get(i);
      if (bias != null) {
        Heads own = vector(qkv.asSlice(4 * at, 4 * rows));
        kernels.math().add(own, bias, own);
      }
      at += rows;
    }
    normHeads(kernels, weights.queryNorm(), 0, config.heads());
    normHeads(kernels, weights.keyNorm(), rows(1), config.kvHeads());
    Tensor all = Tensors.empty(DType.BF16, rows(3));
    Casts.fromFloats(qkv, Tensors.segment(all), Precision.BF16, rows(3));
    return new Decoder.Qkv(
        heads(all, 0, config.heads()),
        heads(all, rows(1), config.kvHeads()),
        heads(all, rows(2), config.kvHeads()));
  }

  private void normHeads(CpuKernels kernels, @Nullable Heads weight, long from, int heads) {
    if (weight != null) {
      MemorySegment own = qkv.asSlice(4 * from, 4L * heads * config.headDim());
      Heads rows = Heads.rows(own, Precision.F32, heads, config.headDim());
      kernels.math().rmsNorm(rows, weight, config.normEpsilon(), rows);
    }
  }

  private Tensor heads(Tensor all, long from, long heads) {
    return all.narrow(0, from, heads * config.headDim()).view(1, heads, 1, config.headDim());
  }

  /// As [Decoder#finish].
  Tensor finish(CpuKernels kernels, int layer, Tensor x, Tensor attended) {
    Weights weights = weights(layer);
    int hidden = config.hidden();
    Tensor joined = Tensors.to(attended.reshape(-1), DType.BF16);
    Casts.toFloats(Tensors.segment(joined), Precision.BF16, wide, rows(1));
    multiply(kernels, List.of(weights.output()), (int) rows(1), wide, product);
    kernels.math().add(vector(product), CpuKernels.own(x.view(1, -1)), vector(middle));
    kernels
        .math()
        .rmsNorm(vector(middle), weights.middleNorm(), config.normEpsilon(), vector(normed));
    multiply(kernels, weights.gateUp(), hidden, normed, gateUp);
    long half = 4L * config.intermediate();
    kernels
        .math()
        .gate(vector(gateUp.asSlice(0, half)), vector(gateUp.asSlice(half)), vector(inner));
    multiply(kernels, List.of(weights.down()), config.intermediate(), inner, product);
    Tensor out = torch.empty_like(x);
    kernels.math().add(vector(product), vector(middle), CpuKernels.own(out.view(1, -1)));
    return out;
  }
}
