package io.spillway.tensor;

import io.spillway.tensor.safetensors.SafetensorsModel;
import io.spillway.tensor.safetensors.SafetensorsWriter;
import io.spillway.tensor.safetensors.TensorEntry;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.PointerConsumer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Safetensors as libtorch tensors, without a copy: a tensor's storage is the mapped file.
///
/// The mapping outlives its tensors: closing this object only lets go of it, and the file is
/// unmapped when the last tensor (or view of one) over it is released.
///
/// Writing into such a tensor changes memory, never the file; where the file is read-only for this
/// user such a write is a fault of the process, so clone first.
public final class Weights implements AutoCloseable {
  static {
    Torch.load();
  }

  /// Which mapping the storage at an address keeps alive.
  private static final Map<Long, Weights> LENT = new ConcurrentHashMap<>();

  /// Called by libtorch, on any thread, when it lets go of a storage.
  private static final PointerConsumer RETURNED = new Returned();

  private static final class Returned extends PointerConsumer {
    Returned() {
      retainReference(); // lives as long as the process, whatever scope is open now
    }

    @Override
    public void call(Pointer data) {
      Weights weights = LENT.get(data.address());
      if (weights != null) {
        weights.release();
      }
    }
  }

  private final SafetensorsModel model;
  private final Set<Long> addresses = ConcurrentHashMap.newKeySet();
  private int users = 1;
  private boolean closed;

  private Weights(SafetensorsModel model) {
    this.model = model;
  }

  /// Opens a file, an index file or a model folder.
  public static Weights open(Path path) {
    return new Weights(SafetensorsModel.open(path));
  }

  /// Names, types, shapes and metadata.
  public SafetensorsModel model() {
    return model;
  }

  public boolean contains(String name) {
    return model.contains(name);
  }

  public Set<String> names() {
    return model.names();
  }

  /// One tensor over the mapped file; it belongs to the innermost [TensorScope]. Tensors that the
  /// file does not align to their type are copied.
  ///
  /// **Errors:** an unknown name, with the nearest known one.
  public synchronized Tensor tensor(String name) {
    if (closed) {
      throw new IllegalStateException("these Weights are closed");
    }
    TensorEntry entry = model.entry(name);
    MemorySegment memory = model.segment(name);
    if (entry.bytes() == 0) {
      return Tensors.empty(entry.dtype(), entry.sizes());
    }
    if (memory.address() % entry.dtype().bytes() != 0) {
      Tensor copy = Tensors.empty(entry.dtype(), entry.sizes());
      Tensors.segment(copy).copyFrom(memory);
      return copy;
    }
    users++;
    addresses.add(memory.address());
    LENT.put(memory.address(), this);
    return torch.from_blob(
        new Tensors.Address(memory.address()),
        entry.sizes(),
        RETURNED,
        Tensors.options(entry.dtype()));
  }

  private synchronized void release() {
    users--;
    if (users == 0) {
      addresses.forEach(a -> LENT.remove(a, this));
      model.close();
    }
  }

  /// Lets go of the file; tensors over it stay valid.
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      release();
    }
  }

  /// Writes tensors from any device into one file, atomically.
  public static void save(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
    try (TensorScope scope = TensorScope.open()) {
      SafetensorsWriter.write(file, sources(scope, tensors), metadata);
    }
  }

  /// Writes a model folder: one file, or shards with an index when it exceeds `maxShardBytes`.
  public static void saveSharded(
      Path folder, Map<String, Tensor> tensors, Map<String, String> metadata, long maxShardBytes) {
    try (TensorScope scope = TensorScope.open()) {
      SafetensorsWriter.writeSharded(folder, sources(scope, tensors), metadata, maxShardBytes);
    }
  }

  private static Map<String, SafetensorsWriter.Source> sources(
      TensorScope scope, Map<String, Tensor> tensors) {
    Map<String, SafetensorsWriter.Source> sources = new LinkedHashMap<>();
    tensors.forEach((name, t) -> {
      Tensor host = scope.adopt(t.detach().cpu().contiguous());
      sources.put(
          name,
          new SafetensorsWriter.Source(
              Tensors.dtype(host),
              Arrays.stream(Tensors.shape(host)).boxed().toList(),
              Tensors.segment(host)));
    });
    return sources;
  }
}
