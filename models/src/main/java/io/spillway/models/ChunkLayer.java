package io.spillway.models;

import io.spillway.kernels.Heads;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// A layer for many rows on the CPU, what reading a prompt needs. Products are libtorch's; what
/// lies between them goes block by block of rows through memory that is kept from layer to layer:
/// large tensors that come and go are given back to the system each time, and getting their pages
/// again takes longer than the products do.
///
/// One caller at a time, under [CpuKernels#use].
final class ChunkLayer {
  /// Rows whose intermediate states lie in memory at once.
  static final int ROWS = 512;

  private final DecoderConfig config;
  private final Map<String, Tensor> tensors;
  private @Nullable Room room;

  /// Memory for one block.
  private static final class Room {
    private final Arena arena = Arena.ofAuto();
    private final DType type;
    private final int rows;
    private final MemorySegment normed;
    private final MemorySegment gate;
    private final MemorySegment up;

    /// @param joined whether gate and up projection are one matrix
    Room(DecoderConfig config, DType type, int rows, boolean joined) {
      this.type = type;
      this.rows = rows;
      normed = room(config.hidden());
      gate = room((joined ? 2L : 1L) * config.intermediate());
      up = room(config.intermediate());
    }

    private MemorySegment room(long columns) {
      return arena.allocate(rows * columns * type.bytes(), 64);
    }

    /// `count` rows in the beginning of `memory`.
    Tensor rows(MemorySegment memory, long count, long columns) {
      return Tensors.view(memory.asSlice(0, count * columns * type.bytes()), type, count, columns);
    }
  }

  ChunkLayer(DecoderConfig config, Map<String, Tensor> tensors) {
    this.config = config;
    this.tensors = tensors;
  }

  /// Whether `x` is made of such rows and the weights are in their type.
  static boolean serves(DecoderConfig config, Tensor x, Tensor weight) {
    return x.numel() > config.hidden()
        && CpuKernels.serve(x)
        && x.is_contiguous()
        && Tensors.dtype(weight) == Tensors.dtype(x);
  }

  private interface Block {
    void run(Room room, long from, long count);
  }

  private void blocks(Tensor x, Block block) {
    long rows = x.numel() / config.hidden();
    DType type = Tensors.dtype(x);
    Room now = room;
    if (now == null || now.type != type || now.rows < Math.min(ROWS, rows)) {
      boolean joined = tensors.containsKey("model.layers.0." + Decoder.GATE_UP);
      now = new Room(config, type, (int) Math.min(ROWS, rows), joined);
      room = now;
    }
    for (long from = 0; from < rows; from += ROWS) {
      Room own = now;
      long begin = from;
      TensorScope.run(() -> block.run(own, begin, Math.min(ROWS, rows - begin)));
    }
  }

  private Tensor tensor(String name) {
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new IllegalStateException("no weight " + name);
    }
    return tensor;
  }

  /// Normed rows `from .. from + count - 1` of `x` in the block's memory.
  private Tensor norm(CpuKernels kernels, Room room, Tensor rows, String weight) {
    Tensor normed = room.rows(room.normed, rows.size(0), config.hidden());
    kernels
        .math()
        .rmsNorm(
            CpuKernels.own(rows),
            CpuKernels.own(tensor(weight)),
            config.normEpsilon(),
            CpuKernels.own(normed));
    return normed;
  }

  /// As [Decoder#project].
  Decoder.Qkv project(CpuKernels kernels, int layer, Tensor x) {
    String at = "model.layers." + layer + ".";
    long rows = x.numel() / config.hidden();
    long q = (long) config.heads() * config.headDim();
    long kv = (long) config.kvHeads() * config.headDim();
    boolean fused = tensors.containsKey(at + Decoder.QKV);
    String[] names =
        fused
            ? new String[] {at + "self_attn.qkv_proj"}
            : new String[] {
              at + "self_attn.q_proj", at + "self_attn.k_proj", at + "self_attn.v_proj"
            };
    Tensor[] out = new Tensor[names.length];
    for (int i = 0; i < names.length; i++) {
      out[i] = Tensors.empty(Tensors.dtype(x), rows, tensor(names[i] + ".weight").size(0));
    }
    Tensor flat = x.view(rows, config.hidden());
    blocks(
        x,
        (room, from, count) -> {
          Tensor normed =
              norm(kernels, room, flat.narrow(0, from, count), at + "input_layernorm.weight");
          for (int i = 0; i < names.length; i++) {
            product(
                out[i].narrow(0, from, count),
                tensors.get(names[i] + ".bias"),
                normed,
                tensor(names[i] + ".weight"));
          }
        });
    Tensor query = fused ? out[0].narrow(1, 0, q) : out[0];
    Tensor key = fused ? out[0].narrow(1, q, kv) : out[1];
    Tensor value = fused ? out[0].narrow(1, q + kv, kv) : out[2];
    normHeads(kernels, at + "self_attn.q_norm.weight", query);
    normHeads(kernels, at + "self_attn.k_norm.weight", key);
    return new Decoder.Qkv(heads(x, query), heads(x, key), heads(x, value));
  }

  /// `out = bias + x · weightᵀ`.
  private static void product(Tensor out, @Nullable Tensor bias, Tensor x, Tensor weight) {
    if (bias == null) {
      torch.mm_out(out, x, weight.t());
    } else {
      torch.addmm_out(out, bias, x, weight.t());
    }
  }

  private void normHeads(CpuKernels kernels, String weight, Tensor rows) {
    Tensor factors = tensors.get(weight);
    if (factors != null) {
      Tensor heads = rows.unflatten(1, new long[] {-1, config.headDim()});
      Heads own = CpuKernels.own(heads.transpose(0, 1).unsqueeze(0));
      kernels.math().rmsNorm(own, CpuKernels.own(factors), config.normEpsilon(), own);
    }
  }

  private Tensor heads(Tensor x, Tensor rows) {
    return rows.unflatten(1, new long[] {-1, config.headDim()})
        .unflatten(0, new long[] {x.size(0), x.size(1)})
        .transpose(1, 2);
  }

  /// As [Decoder#finish].
  Tensor finish(CpuKernels kernels, int layer, Tensor x, Tensor attended) {
    String at = "model.layers." + layer + ".";
    long rows = x.numel() / config.hidden();
    Tensor joined =
        attended.transpose(1, 2).reshape(rows, (long) config.heads() * config.headDim());
    Tensor flat = x.view(rows, config.hidden());
    Tensor out = torch.empty_like(x);
    Tensor all = out.view(rows, config.hidden());
    Tensor output = tensor(at + "self_attn.o_proj.weight").t();
    Tensor down = tensor(at + "mlp.down_proj.weight").t();
    blocks(
        x,
        (room, from, count) -> {
          Tensor middle = all.narrow(0, from, count);
          torch.addmm_out(
              middle, flat.narrow(0, from, count), joined.narrow(0, from, count), output);
          Tensor normed = norm(kernels, room, middle, at + "post_attention_layernorm.weight");
          torch.addmm_out(middle, middle, gated(kernels, room, at, normed), down);
        });
    return out;
  }

  /// `silu(gate) · up` of a block.
  private Tensor gated(CpuKernels kernels, Room room, String at, Tensor normed) {
    long count = normed.size(0);
    long inner = config.intermediate();
    Tensor fused = tensors.get(at + Decoder.GATE_UP);
    Tensor up = room.rows(room.up, count, inner);
    if (fused != null) {
      Tensor both = room.rows(room.gate, count, 2 * inner);
      product(both, null, normed, fused);
      gate(kernels, both.narrow(1, 0, inner), both.narrow(1, inner, inner), up);
      return up;
    }
    Tensor gate = room.rows(room.gate, count, inner);
    product(gate, null, normed, tensor(at + "mlp.gate_proj.weight"));
    product(up, null, normed, tensor(at + "mlp.up_proj.weight"));
    gate(kernels, gate, up, up);
    return up;
  }

  private static void gate(CpuKernels kernels, Tensor gate, Tensor up, Tensor out) {
    kernels.math().gate(strided(gate), strided(up), CpuKernels.own(out));
  }

  private static Heads strided(Tensor rows) {
    return CpuKernels.own(rows.unsqueeze(0));
  }
}
