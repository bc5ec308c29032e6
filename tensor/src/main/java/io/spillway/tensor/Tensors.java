package io.spillway.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/// Bridges between Java and libtorch: dtypes, options, arrays, and memory shared both ways.
///
/// New tensors belong to the innermost [TensorScope].
public final class Tensors {
  static {
    Torch.load();
  }

  private Tensors() {}

  /// libtorch's name of an element type.
  public static ScalarType scalarType(DType type) {
    return switch (type) {
      case F64 -> ScalarType.Double;
      case F32 -> ScalarType.Float;
      case F16 -> ScalarType.Half;
      case BF16 -> ScalarType.BFloat16;
      case I64 -> ScalarType.Long;
      case I32 -> ScalarType.Int;
      case I16 -> ScalarType.Short;
      case I8 -> ScalarType.Char;
      case U8 -> ScalarType.Byte;
      case BOOL -> ScalarType.Bool;
    };
  }

  /// The element type of a tensor.
  ///
  /// **Errors:** [IllegalArgumentException] for types without a [DType], such as complex numbers.
  public static DType dtype(Tensor t) {
    return dtype(t.scalar_type());
  }

  static DType dtype(ScalarType type) {
    return switch (type.intern()) {
      case Double -> DType.F64;
      case Float -> DType.F32;
      case Half -> DType.F16;
      case BFloat16 -> DType.BF16;
      case Long -> DType.I64;
      case Int -> DType.I32;
      case Short -> DType.I16;
      case Char -> DType.I8;
      case Byte -> DType.U8;
      case Bool -> DType.BOOL;
      default -> throw new IllegalArgumentException("no DType for torch's " + type);
    };
  }

  /// Options for `torch.zeros`, `torch.empty` and the like.
  public static TensorOptions options(DType type, ComputeDevice device) {
    return new TensorOptions()
        .dtype(new ScalarTypeOptional(scalarType(type)))
        .device(new DeviceOptional(device.torch()));
  }

  /// Options on the CPU.
  public static TensorOptions options(DType type) {
    return new TensorOptions().dtype(new ScalarTypeOptional(scalarType(type)));
  }

  /// Options that put a tensor into page-locked host memory, for fast copies to and from a GPU.
  public static TensorOptions pinned(DType type) {
    return options(type).pinned_memory(new BoolOptional(true));
  }

  /// The sizes of a tensor, outermost first.
  public static long[] shape(Tensor t) {
    long[] shape = new long[(int) t.dim()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = t.size(i);
    }
    return shape;
  }

  /// A CPU tensor whose elements are not set.
  public static Tensor empty(DType type, long... shape) {
    return torch.empty(shape, options(type), new MemoryFormatOptional());
  }

  /// A tensor on `device` whose elements are not set.
  public static Tensor empty(DType type, ComputeDevice device, long... shape) {
    return torch.empty(shape, options(type, device), new MemoryFormatOptional());
  }

  /// A copy of `values` in a new CPU tensor of that shape, f32.
  public static Tensor of(float[] values, long... shape) {
    Tensor t = empty(DType.F32, checked(values.length, shape));
    MemorySegment.copy(values, 0, segment(t), ValueLayout.JAVA_FLOAT, 0, values.length);
    return t;
  }

  /// A copy of `values` in a new CPU tensor of that shape, f64.
  public static Tensor of(double[] values, long... shape) {
    Tensor t = empty(DType.F64, checked(values.length, shape));
    MemorySegment.copy(values, 0, segment(t), ValueLayout.JAVA_DOUBLE, 0, values.length);
    return t;
  }

  /// A copy of `values` in a new CPU tensor of that shape, i64: token numbers, indices.
  public static Tensor of(long[] values, long... shape) {
    Tensor t = empty(DType.I64, checked(values.length, shape));
    MemorySegment.copy(values, 0, segment(t), ValueLayout.JAVA_LONG, 0, values.length);
    return t;
  }

  /// All elements in order as f32, from any device and type.
  public static float[] floats(Tensor t) {
    try (TensorScope scope = TensorScope.open()) {
      scope.check();
      Tensor flat = host(t, DType.F32);
      float[] values = new float[Math.toIntExact(flat.numel())];
      MemorySegment.copy(segment(flat), ValueLayout.JAVA_FLOAT, 0, values, 0, values.length);
      return values;
    }
  }

  /// All elements in order as f64, from any device and type.
  public static double[] doubles(Tensor t) {
    try (TensorScope scope = TensorScope.open()) {
      scope.check();
      Tensor flat = host(t, DType.F64);
      double[] values = new double[Math.toIntExact(flat.numel())];
      MemorySegment.copy(segment(flat), ValueLayout.JAVA_DOUBLE, 0, values, 0, values.length);
      return values;
    }
  }

  /// All elements in order as i64, from any device and whole-number type.
  public static long[] longs(Tensor t) {
    try (TensorScope scope = TensorScope.open()) {
      scope.check();
      Tensor flat = host(t, DType.I64);
      long[] values = new long[Math.toIntExact(flat.numel())];
      MemorySegment.copy(segment(flat), ValueLayout.JAVA_LONG, 0, values, 0, values.length);
      return values;
    }
  }

  /// `t` in that element type; `t` itself if it has it already.
  public static Tensor to(Tensor t, DType type) {
    return t.to(scalarType(type));
  }

  /// `t` on that device; `t` itself if it lies there already.
  public static Tensor to(Tensor t, ComputeDevice device) {
    return t.to(device.torch(), t.scalar_type());
  }

  /// `t` on that device in that element type.
  public static Tensor to(Tensor t, ComputeDevice device, DType type) {
    return t.to(device.torch(), scalarType(type));
  }

  /// The memory of a contiguous CPU tensor. It stays valid only while some tensor holds it.
  ///
  /// **Errors:** [IllegalArgumentException] for tensors on a GPU or with gaps.
  public static MemorySegment segment(Tensor t) {
    if (!t.is_cpu() || !t.is_contiguous()) {
      throw new IllegalArgumentException(
          "only contiguous CPU tensors share memory with Java; call cpu() and contiguous() first");
    }
    long bytes = t.numel() * t.element_size();
    if (bytes == 0) {
      return MemorySegment.ofAddress(0).reinterpret(0);
    }
    return MemorySegment.ofAddress(t.data_ptr().address()).reinterpret(bytes);
  }

  /// A tensor over native memory, without a copy. The segment's arena must outlive the tensor and
  /// every view of it.
  ///
  /// **Errors:** [IllegalArgumentException] for heap segments, wrong sizes or bad alignment.
  public static Tensor view(MemorySegment memory, DType type, long... shape) {
    if (!memory.isNative()) {
      throw new IllegalArgumentException("a tensor cannot share memory on the Java heap");
    }
    long elements = elements(shape);
    if (memory.byteSize() != Math.multiplyExact(elements, (long) type.bytes())) {
      throw new IllegalArgumentException(
          "a segment of "
              + memory.byteSize()
              + " bytes is no "
              + type
              + " tensor of shape "
              + Arrays.toString(shape));
    }
    if (memory.address() % type.bytes() != 0) {
      throw new IllegalArgumentException("the segment is not aligned to " + type);
    }
    if (elements == 0) {
      return empty(type, shape);
    }
    return torch.from_blob(new Address(memory.address()), shape, options(type));
  }

  /// A tensor over memory of `device`, without a copy; the memory must outlive every view of it.
  ///
  /// @param address as the CUDA driver gave it, or of native host memory for the CPU
  public static Tensor view(long address, ComputeDevice device, DType type, long... shape) {
    if (address % type.bytes() != 0) {
      throw new IllegalArgumentException("the memory is not aligned to " + type);
    }
    if (elements(shape) == 0) {
      return empty(type, device, shape);
    }
    return torch.from_blob(new Address(address), shape, options(type, device));
  }

  private static long elements(long[] shape) {
    long elements = 1;
    for (long size : shape) {
      if (size < 0) {
        throw new IllegalArgumentException("negative size in shape " + Arrays.toString(shape));
      }
      elements = Math.multiplyExact(elements, size);
    }
    return elements;
  }

  private static long[] checked(int count, long[] shape) {
    if (elements(shape) != count) {
      throw new IllegalArgumentException(
          count + " values do not fill shape " + Arrays.toString(shape));
    }
    return shape;
  }

  private static Tensor host(Tensor t, DType type) {
    return t.detach().cpu().to(scalarType(type)).contiguous();
  }

  /// A bare address; it owns nothing.
  static final class Address extends Pointer {
    Address(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }
}
