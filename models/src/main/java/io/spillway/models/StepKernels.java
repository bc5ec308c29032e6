package io.spillway.models;

import io.spillway.models.Decoder.Angles;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.CudaGraph;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.cuda.CudaCompiler;
import io.spillway.tensor.cuda.CudaContext;
import io.spillway.tensor.cuda.CudaModule;
import io.spillway.tensor.cuda.CudaModule.Kernel;
import io.spillway.tensor.cuda.CudaModule.Kernel.Layout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// One token through a decoder on a GPU by the kernels of `step.cu`: five a layer, each as fast as
/// its weights or its cache can be read, where libtorch needs about 25.
///
/// They serve bf16 weights with joined projections ([FusedWeights]) whose heads are rotated whole;
/// [#whyNot] tells what else there is. Between the kernels numbers are f32.
public final class StepKernels implements AutoCloseable {
  private static final int THREADS = 256;
  private static final int ROW_THREADS = 512;
  private static final int ROWS_OF_BLOCK = ROW_THREADS / 32;
  private static final int OLDEST_ARCHITECTURE = 80;
  private static final int OVERLAPPING_ARCHITECTURE = 90;

  /// Shared memory that the kernels declare beside what they are given, rounded up.
  private static final int DECLARED_BYTES = 1024;

  private static final int MOST_SPLITS = 128;
  private static final int MOST_GROUP = 4;

  /// Modules by GPU, lanes of an entry and heads of a group; they stay as long as the process.
  private static final Map<List<Integer>, Compiled> COMPILED = new HashMap<>();

  private record Compiled(Kernel products, Kernel gated, Kernel adding, Kernel attention) {}

  private final TensorHolder holder = new TensorHolder();
  private final Decoder decoder;
  private final DecoderConfig config;
  private final ComputeDevice device;
  private final Compiled kernels;
  private final boolean overlapped;
  private final int multiprocessors;
  private final int groups;
  private final int splits;
  private final Tensor x;
  private final Tensor qkv;
  private final Tensor parts;
  private final Tensor scores;
  private final Tensor arrived;
  private final Tensor attended;
  private final Tensor inner;

  private StepKernels(Decoder decoder, boolean overlapped) {
    this.decoder = decoder;
    config = decoder.config();
    device = decoder.device();
    CudaContext context = CudaContext.open(device.index());
    int architecture = context.architecture();
    if (architecture < OLDEST_ARCHITECTURE) {
      throw new UnsupportedOperationException(
          "compute capability " + architecture / 10.0 + " is below 8.0");
    }
    this.overlapped = overlapped && architecture >= OVERLAPPING_ARCHITECTURE;
    multiprocessors = context.multiprocessors();
    int lanes = config.headDim() / 8;
    int group = group(config.groupSize(), lanes);
    groups = (config.groupSize() + group - 1) / group;
    splits = Math.clamp(multiprocessors / (config.kvHeads() * groups), 1, MOST_SPLITS);
    int mostShared = context.sharedBytesOfBlock() - DECLARED_BYTES;
    int widest =
        Math.max(
            config.intermediate(), Math.max(config.hidden(), config.heads() * config.headDim()));
    if (shared(widest) > mostShared) {
      throw new UnsupportedOperationException(
          "rows of "
              + widest
              + " take "
              + shared(widest)
              + " bytes of shared memory, the GPU has "
              + mostShared);
    }
    kernels = compiled(context, device.index(), architecture, lanes, group, mostShared);
    long heads = (long) config.heads() * config.headDim();
    try (TensorScope scope = TensorScope.open()) {
      x = floats(config.hidden());
      qkv = floats(heads + 2L * config.kvHeads() * config.headDim());
      parts = floats(heads * splits);
      scores = floats(2L * config.heads() * splits);
      attended = floats(heads);
      inner = floats(config.intermediate());
      arrived =
          holder.hold(Tensors.empty(DType.I32, device, (long) config.kvHeads() * groups).zero_());
    }
  }

  private Tensor floats(long count) {
    return holder.hold(Tensors.empty(DType.F32, device, count));
  }

  /// Query heads that share a look at an entry: their numbers have to fit into registers.
  private static int group(int groupSize, int lanes) {
    int most = lanes == 32 ? MOST_GROUP / 2 : MOST_GROUP;
    return groupSize >= MOST_GROUP ? most : groupSize >= 2 ? 2 : 1;
  }

  private static Compiled compiled(
      CudaContext context, int index, int architecture, int lanes, int group, int mostShared) {
    synchronized (COMPILED) {
      return COMPILED.computeIfAbsent(
          List.of(index, lanes, group),
          _ -> {
            CudaModule module =
                context.module(
                    CudaCompiler.compile(
                        CudaCompiler.source(StepKernels.class, "device.cu")
                            + CudaCompiler.source(StepKernels.class, "step.cu"),
                        "step.cu",
                        architecture,
                        List.of("-DLANES=" + lanes, "-DGROUP=" + group)));
            Compiled made =
                new Compiled(
                    module.kernel("norm_products"),
                    module.kernel("norm_gated"),
                    module.kernel("add_products"),
                    module.kernel("attend_layer"));
            made.products().allowShared(mostShared);
            made.gated().allowShared(mostShared);
            made.adding().allowShared(mostShared);
            return made;
          });
    }
  }

  /// Shared memory of a block: the vector.
  private static int shared(int columns) {
    return columns * Float.BYTES;
  }

  /// Why the kernels do not serve a model, or null if they do on a GPU that is new enough.
  public static @Nullable String whyNot(Decoder decoder) {
    DecoderConfig config = decoder.config();
    int lanes = config.headDim() / 8;
    if (!decoder.device().isCuda()) {
      return "the device is no GPU";
    }
    if (Tensors.dtype(decoder.weight("model.norm.weight")) != DType.BF16) {
      return "the weights are not bf16";
    }
    if (!decoder.has("model.layers.0." + Decoder.QKV)
        || !decoder.has("model.layers.0." + Decoder.GATE_UP)) {
      return "the projections are not joined";
    }
    if (config.rotaryDim() != config.headDim()) {
      return "heads are rotated in part";
    }
    if (config.headDim() % 8 != 0 || lanes < 4 || lanes > 32 || Integer.bitCount(lanes) != 1) {
      return "heads of " + config.headDim() + " are not of 32, 64, 128 or 256";
    }
    if (config.hidden() % 8 != 0 || config.intermediate() % 8 != 0) {
      return "rows are no multiple of 8";
    }
    return null;
  }

  /// Kernels for `decoder`, for which [#whyNot] is null.
  ///
  /// **Errors:** [RuntimeException] when the kernels cannot be compiled or loaded.
  ///
  /// @param overlapped whether kernels may begin before those ahead have ended, where the GPU can
  public static StepKernels of(Decoder decoder, boolean overlapped) {
    return new StepKernels(decoder, overlapped);
  }

  /// What runs, for reports.
  @Override
  public String toString() {
    return "own kernels" + (overlapped ? " that overlap" : "");
  }

  /// Takes the embedding of `token`, `[1, 1]` i64.
  public void begin(Tensor token) {
    TensorScope.run(() -> x.copy_(decoder.embed(token).view(-1)));
  }

  /// One layer, which adds an entry to its cache.
  ///
  /// @param keys `[kvHeads, room, headDim]`, turned
  /// @param values of the same shape
  /// @param position `[1]` i64, how many entries there are
  /// @param table angles of all positions in `room`
  public void layer(int layer, Tensor keys, Tensor values, Tensor position, Angles table) {
    String at = "model.layers." + layer + ".";
    int heads = config.heads() * config.headDim();
    int all = heads + 2 * config.kvHeads() * config.headDim();
    float epsilon = (float) config.normEpsilon();
    Tensor output = decoder.weight(at + "self_attn.o_proj.weight");
    Tensor gateUp = decoder.weight(at + Decoder.GATE_UP);
    Tensor down = decoder.weight(at + "mlp.down_proj.weight");
    launch(
        kernels.products(),
        all,
        config.hidden(),
        x,
        weight(at + "input_layernorm.weight"),
        epsilon,
        weight(at + Decoder.QKV),
        optional(at + Decoder.QKV_BIAS),
        address(qkv));
    attend(at, keys, values, position, table);
    launch(kernels.adding(), config.hidden(), heads, attended, address(output), address(x));
    launch(
        kernels.gated(),
        config.intermediate(),
        config.hidden(),
        x,
        weight(at + "post_attention_layernorm.weight"),
        epsilon,
        address(gateUp),
        address(inner));
    launch(
        kernels.adding(), config.hidden(), config.intermediate(), inner, address(down), address(x));
  }

  /// The logits after the last layer.
  ///
  /// @param out `[vocabulary]` f32
  public void logits(Tensor out) {
    launch(
        kernels.products(),
        config.vocabulary(),
        config.hidden(),
        x,
        weight("model.norm.weight"),
        (float) config.normEpsilon(),
        address(decoder.outputWeight()),
        0L,
        address(out));
  }

  /// A kernel that multiplies rows of weights by `vector`.
  ///
  /// @param rest its arguments between the vector and the number of rows
  private void launch(Kernel kernel, int rows, int columns, Tensor vector, Object... rest) {
    int shared = shared(columns);
    int most = (overlapped ? 1 : 2) * multiprocessors;
    int blocks = Math.min((rows + ROWS_OF_BLOCK - 1) / ROWS_OF_BLOCK, most);
    List<Object> arguments = new ArrayList<>();
    arguments.add(address(vector));
    arguments.addAll(List.of(rest));
    arguments.add(rows);
    arguments.add(columns);
    Layout layout = new Layout(blocks, 1, 1, ROW_THREADS, shared, overlapped);
    kernel.launch(stream(), layout, arguments.toArray());
  }

  private void attend(String at, Tensor keys, Tensor values, Tensor position, Angles table) {
    long[] pointers = {
      address(qkv),
      address(table.cosines()),
      address(table.sines()),
      address(position),
      address(keys),
      address(values),
      optional(at + "self_attn.q_norm.weight"),
      optional(at + "self_attn.k_norm.weight"),
      address(parts),
      address(scores),
      address(arrived),
      address(attended)
    };
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment structure =
          arena.allocate(pointers.length * (long) Long.BYTES + 4 * Integer.BYTES, Long.BYTES);
      MemorySegment.copy(pointers, 0, structure, ValueLayout.JAVA_LONG, 0, pointers.length);
      MemorySegment numbers = structure.asSlice(pointers.length * (long) Long.BYTES);
      numbers.set(ValueLayout.JAVA_FLOAT, 0, (float) config.normEpsilon());
      numbers.setAtIndex(ValueLayout.JAVA_INT, 1, config.heads());
      numbers.setAtIndex(ValueLayout.JAVA_INT, 2, config.kvHeads());
      numbers.setAtIndex(ValueLayout.JAVA_INT, 3, (int) keys.size(1));
      kernels
          .attention()
          .launch(
              stream(),
              new Layout(splits, config.kvHeads(), groups, THREADS, 0, overlapped),
              structure);
    }
  }

  private long stream() {
    return CudaGraph.currentStream(device);
  }

  private long weight(String name) {
    return address(decoder.weight(name));
  }

  private long optional(String name) {
    return decoder.has(name) ? weight(name) : 0;
  }

  private static long address(Tensor t) {
    return t.data_ptr().address();
  }

  @Override
  public void close() {
    holder.close();
  }
}
