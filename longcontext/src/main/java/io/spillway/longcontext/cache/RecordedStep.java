package io.spillway.longcontext.cache;

import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.models.StepAttention;
import io.spillway.models.StepKernels;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.CudaGraph;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// One token through the whole model in work of fixed shapes over the caches' blocks, recorded as a
/// CUDA graph where there is a GPU: [StepKernels] where they serve the model, else operations of
/// libtorch. Position, mask and entries advance on the device; the host only writes the token and
/// reads the logits.
///
/// A step is good until the caches change otherwise: they were evicted, grew, or read several
/// tokens.
final class RecordedStep implements AutoCloseable {
  /// Entries of room that a step begins with.
  static final int ROOM = 1024;

  private final TensorHolder holder = new TensorHolder();
  private final Decoder decoder;
  private final ComputeDevice device;
  private final List<LayerCache> caches;
  private final Map<Integer, Place> places = new TreeMap<>();
  private final Place[] placeOf;
  private final Tensor token;
  private final Tensor logits;

  /// Where a GPU puts the logits for the host, null on the CPU.
  private final @Nullable Tensor onHost;

  private final @Nullable StepKernels kernels;
  private final @Nullable CudaGraph graph;
  private final String how;
  private int left;

  /// Where the next entry of layers of one length goes.
  private record Place(Tensor position, Tensor mask, Decoder.Angles table) {}

  /// @param caches of plain blocks with turned keys and room
  private RecordedStep(
      Decoder decoder, List<LayerCache> caches, AngleTable table, ComputeDevice device) {
    this.decoder = decoder;
    this.device = device;
    this.caches = caches;
    this.placeOf = new Place[caches.size()];
    DecoderConfig config = decoder.config();
    Tensor like = decoder.weight("model.norm.weight");
    left = Integer.MAX_VALUE;
    try (TensorScope scope = TensorScope.open()) {
      token = holder.hold(Tensors.empty(DType.I64, device, 1, 1));
      logits = holder.hold(Tensors.empty(DType.F32, device, config.vocabulary()));
      onHost =
          device.isCuda()
              ? holder.hold(
                  torch.empty(
                      new long[] {config.vocabulary()},
                      Tensors.pinned(DType.F32),
                      new MemoryFormatOptional()))
              : null;
      for (int layer = 0; layer < placeOf.length; layer++) {
        LayerCache cache = caches.get(layer);
        int length = cache.length();
        int room = (int) blocks(cache)[0].size(1);
        left = Math.min(left, room - length);
        placeOf[layer] =
            places.computeIfAbsent(
                length, l -> place(l, room, table.get(0, room, table.beyond(l + 1)), like, device));
      }
      token.zero_();
      Recording recording = record();
      kernels = recording.kernels();
      graph = recording.graph();
      how = recording.how();
    }
  }

  /// Ways to run a step on a GPU, the fastest first; one that fails leaves it to the next.
  private enum Way {
    OVERLAPPED,
    IN_TURN,
    OPERATIONS
  }

  /// What is tried first: `-Dspillway.step=in_turn` or `operations` leaves out what comes before.
  private static Way first(String wanted) {
    for (Way way : Way.values()) {
      if (way.name().equalsIgnoreCase(wanted)) {
        return way;
      }
    }
    throw SpillwayException.badInput(
        "-Dspillway.step is %s; it must be overlapped, in_turn or operations", wanted);
  }

  /// How the step will run.
  private record Recording(@Nullable StepKernels kernels, @Nullable CudaGraph graph, String how) {}

  private Recording record() {
    if (!device.isCuda()) {
      return new Recording(null, null, "without a graph, the device is no GPU");
    }
    Way first = first(System.getProperty("spillway.step", "overlapped"));
    StringBuilder why = new StringBuilder();
    String none = StepKernels.whyNot(decoder);
    if (none != null) {
      why.append(" (").append(none).append(')');
    }
    for (Way way : Way.values()) {
      if (way.ordinal() < first.ordinal() || (none != null && way != Way.OPERATIONS)) {
        continue;
      }
      StepKernels own = null;
      try {
        own = way == Way.OPERATIONS ? null : StepKernels.of(decoder, way == Way.OVERLAPPED);
        StepKernels used = own;
        CudaGraph captured = CudaGraph.capture(device.index(), () -> run(used), this::undo);
        String what = own == null ? "operations" : own.toString();
        return new Recording(own, captured, what + ", recorded as a CUDA graph" + why);
      } catch (RuntimeException | LinkageError e) {
        why.append("; ").append(way).append(": ").append(e.getMessage());
        if (own != null) {
          own.close();
        }
      }
    }
    return new Recording(null, null, "without a graph" + why);
  }

  private Place place(
      int length, int room, Decoder.Angles table, Tensor like, ComputeDevice device) {
    Tensor position = holder.hold(Tensors.to(Tensors.of(new long[] {length}, 1), device));
    Tensor mask = holder.hold(Tensors.empty(DType.F32, device, 1, 1, room));
    mask.fill_(new Scalar(Double.NEGATIVE_INFINITY));
    mask.narrow(2, 0, length).fill_(new Scalar(0.0));
    holder.hold(table.cosines());
    holder.hold(table.sines());
    return new Place(position, mask, table);
  }

  private static Tensor[] blocks(LayerCache cache) {
    Tensor[] blocks = cache.blocks();
    if (blocks == null) {
      throw new IllegalStateException("a recorded step needs plain blocks");
    }
    return blocks;
  }

  /// A step over these caches, or null where they cannot have one: stored otherwise than computed,
  /// of different rooms at one length, or under a sliding window.
  static @Nullable RecordedStep over(
      Decoder decoder, List<LayerCache> caches, AngleTable table, ComputeDevice device) {
    if (decoder.config().slidingWindow() > 0 || decoder.config().usesLongRope()) {
      return null;
    }
    int longest = caches.stream().mapToInt(LayerCache::length).max().orElse(0);
    int room = (longest + ROOM + ROOM - 1) / ROOM * ROOM;
    for (LayerCache cache : caches) {
      if (cache.blocks() == null || !cache.isTurned()) {
        return null;
      }
      cache.reserveExactly(room);
    }
    return new RecordedStep(decoder, caches, table, device);
  }

  /// How the step runs, for reports.
  String how() {
    return how;
  }

  /// Whether there is room for one more entry.
  boolean hasRoom() {
    return left > 0;
  }

  private void run(@Nullable StepKernels own) {
    if (own == null) {
      runOperations();
    } else {
      own.begin(token);
      for (int layer = 0; layer < placeOf.length; layer++) {
        Tensor[] blocks = blocks(caches.get(layer));
        Place place = placeOf[layer];
        own.layer(layer, blocks[0], blocks[1], place.position(), place.table());
      }
      own.logits(logits);
    }
    for (Place place : places.values()) {
      place.position().add_(new Scalar(1));
    }
  }

  private void runOperations() {
    for (Place place : places.values()) {
      place.mask().index_fill_(2, place.position(), new Scalar(0.0));
    }
    Map<Place, Decoder.Angles> angles = new java.util.IdentityHashMap<>();
    places.values().forEach(p -> angles.put(p, p.table().at(p.position())));
    Tensor x = decoder.embed(token);
    for (int layer = 0; layer < placeOf.length; layer++) {
      int at = layer;
      Tensor before = x;
      Place place = placeOf[layer];
      Decoder.Angles turn = java.util.Objects.requireNonNull(angles.get(place));
      x =
          TensorScope.compute(() -> {
            Decoder.Qkv qkv = decoder.project(at, before);
            Tensor[] blocks = blocks(caches.get(at));
            blocks[0].index_copy_(1, place.position(), decoder.rotate(qkv.key(), turn).squeeze(0));
            blocks[1].index_copy_(1, place.position(), qkv.value().squeeze(0));
            Tensor attended =
                StepAttention.attend(
                    decoder.rotate(qkv.query(), turn), blocks[0], blocks[1], place.mask());
            return decoder.finish(at, before, attended);
          });
    }
    logits.copy_(decoder.logits(decoder.finalNorm(x)).view(-1));
  }

  private void undo() {
    for (Place place : places.values()) {
      place.position().sub_(new Scalar(1));
      place.mask().index_fill_(2, place.position(), new Scalar(Double.NEGATIVE_INFINITY));
    }
  }

  /// Reads one token.
  void step(int id) {
    token.fill_(new Scalar((long) id));
    if (graph != null) {
      graph.launch();
    } else {
      TensorScope.run(() -> run(kernels));
    }
    caches.forEach(LayerCache::wroteOne);
    left--;
    if (onHost != null) {
      onHost.copy_(logits, true);
    }
  }

  /// The logits after the last [#step], in an array of the caller's own.
  float[] logits() {
    if (onHost == null) {
      return Tensors.floats(logits);
    }
    Devices.synchronize(device);
    return Tensors.segment(onHost).toArray(ValueLayout.JAVA_FLOAT);
  }

  @Override
  public void close() {
    if (graph != null) {
      graph.close();
    }
    if (kernels != null) {
      kernels.close();
    }
    holder.close();
  }
}
