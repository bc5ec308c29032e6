package io.spillway.tensor.cuda;

import static io.spillway.tensor.cuda.NativeLibrary.ADDRESS;
import static io.spillway.tensor.cuda.NativeLibrary.INT;
import static io.spillway.tensor.cuda.NativeLibrary.LONG;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The functions of `libcuda.so.1` that are used here.
///
/// **Source:** CUDA driver API reference, the `_v2` entry points that `cuda.h` selects.
final class Driver {
  private static final int OUT_OF_MEMORY = 2;

  private static @Nullable Driver loaded;

  final MethodHandle deviceGet;
  final MethodHandle contextRetain;
  final MethodHandle contextSet;
  final MethodHandle attribute;
  final MethodHandle memoryInfo;
  final MethodHandle allocate;
  final MethodHandle free;
  final MethodHandle register;
  final MethodHandle unregister;
  final MethodHandle upload;
  final MethodHandle download;
  final MethodHandle fill;
  final MethodHandle streamCreate;
  final MethodHandle streamDestroy;
  final MethodHandle eventCreate;
  final MethodHandle eventRecord;
  final MethodHandle eventQuery;
  final MethodHandle eventDestroy;
  final MethodHandle moduleLoad;
  final MethodHandle moduleFunction;
  final MethodHandle launch;
  final MethodHandle functionAttribute;
  private final MethodHandle version;
  private final MethodHandle errorText;

  private Driver() {
    NativeLibrary lib =
        NativeLibrary.open(List.of("libcuda.so.1"), "install NVIDIA's driver or use --device cpu");
    MethodHandle init = lib.function("cuInit", INT);
    version = lib.function("cuDriverGetVersion", ADDRESS);
    errorText = lib.function("cuGetErrorString", INT, ADDRESS);
    deviceGet = lib.function("cuDeviceGet", ADDRESS, INT);
    contextRetain = lib.function("cuDevicePrimaryCtxRetain", ADDRESS, INT);
    contextSet = lib.function("cuCtxSetCurrent", ADDRESS);
    attribute = lib.function("cuDeviceGetAttribute", ADDRESS, INT, INT);
    memoryInfo = lib.function("cuMemGetInfo_v2", ADDRESS, ADDRESS);
    allocate = lib.function("cuMemAlloc_v2", ADDRESS, LONG);
    free = lib.function("cuMemFree_v2", LONG);
    register = lib.function("cuMemHostRegister_v2", ADDRESS, LONG, INT);
    unregister = lib.function("cuMemHostUnregister", ADDRESS);
    upload = lib.function("cuMemcpyHtoDAsync_v2", LONG, ADDRESS, LONG, ADDRESS);
    download = lib.function("cuMemcpyDtoHAsync_v2", ADDRESS, LONG, LONG, ADDRESS);
    fill = lib.function("cuMemsetD8Async", LONG, ValueLayout.JAVA_BYTE, LONG, ADDRESS);
    streamCreate = lib.function("cuStreamCreate", ADDRESS, INT);
    streamDestroy = lib.function("cuStreamDestroy_v2", ADDRESS);
    eventCreate = lib.function("cuEventCreate", ADDRESS, INT);
    eventRecord = lib.function("cuEventRecord", ADDRESS, ADDRESS);
    eventQuery = lib.function("cuEventQuery", ADDRESS);
    eventDestroy = lib.function("cuEventDestroy_v2", ADDRESS);
    moduleLoad = lib.function("cuModuleLoadData", ADDRESS, ADDRESS);
    moduleFunction = lib.function("cuModuleGetFunction", ADDRESS, ADDRESS, ADDRESS);
    launch = lib.function("cuLaunchKernelEx", ADDRESS, ADDRESS, ADDRESS, ADDRESS);
    functionAttribute = lib.function("cuFuncSetAttribute", ADDRESS, INT, INT);
    check("cuInit", call(init, 0));
  }

  /// The driver, loaded once.
  ///
  /// **Errors:** no driver as [ErrorCode#NOT_AVAILABLE], each time.
  static synchronized Driver get() {
    Driver driver = loaded;
    if (driver == null) {
      driver = new Driver();
      loaded = driver;
    }
    return driver;
  }

  /// The newest CUDA version that the driver serves, for example 13010.
  int version() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(INT);
      check("cuDriverGetVersion", call(version, out));
      return out.get(INT, 0);
    }
  }

  /// Calls a function and gives back its status.
  static int call(MethodHandle function, Object... arguments) {
    try {
      return (int) function.invokeWithArguments(arguments);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /// Turns a status that is not 0 into an error.
  void check(String what, int status) {
    if (status == 0) {
      return;
    }
    String text = text(status);
    if (status == OUT_OF_MEMORY) {
      throw SpillwayException.doesNotFit("%s: the GPU or the host is out of memory", what);
    }
    throw new SpillwayException(
        ErrorCode.NOT_AVAILABLE, "CUDA: " + what + " failed with " + status + ", " + text);
  }

  private String text(int status) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      if (call(errorText, status, out) != 0) {
        return "unknown error";
      }
      return out.get(ADDRESS, 0).reinterpret(1024).getString(0);
    }
  }
}
