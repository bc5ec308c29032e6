package io.spillway.training.engine;

import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.GradientNorm;
import io.spillway.kernels.Precision;
import io.spillway.tensor.cuda.CudaCompiler;
import io.spillway.tensor.cuda.CudaContext;
import io.spillway.tensor.cuda.CudaModule;
import io.spillway.tensor.cuda.CudaStream;
import io.spillway.tensor.cuda.LockedMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The optimizer's kernels (`adam.cu`) on one GPU, on a stream of their own. Bits are those of
/// [io.spillway.kernels.ScalarAdam] and [GradientNorm].
final class CudaKernels implements AutoCloseable {
  private static final int THREADS = 256;
  private static final int MOST_BLOCKS = 1 << 14;
  private static final int LANES = 16;

  private final CudaContext context;
  private final CudaStream stream;
  private final Map<String, Kernels> compiled = new HashMap<>();
  private long partials;
  private long sums;
  private @Nullable LockedMemory hostSums;
  private int scratchBlocks;

  private record Kernels(
      CudaModule.Kernel adam, CudaModule.Kernel partialSquares, CudaModule.Kernel sumPartials) {}

  CudaKernels(CudaContext context) {
    this.context = context;
    stream = context.stream();
  }

  private Kernels kernels(Precision gradient, Precision weight) {
    return compiled.computeIfAbsent(
        gradient + "/" + weight,
        _ -> {
          byte[] code =
              CudaCompiler.compile(
                  CudaCompiler.source(CudaKernels.class, "adam.cu"),
                  "adam.cu",
                  context.architecture(),
                  List.of("-DGRADIENT=" + format(gradient), "-DWEIGHT=" + format(weight)));
          CudaModule module = context.module(code);
          return new Kernels(
              module.kernel("adam"),
              module.kernel("partial_squares"),
              module.kernel("sum_partials"));
        });
  }

  private static int format(Precision precision) {
    return switch (precision) {
      case BF16 -> 0;
      case F16 -> 1;
      case F32 -> 2;
    };
  }

  synchronized void update(AdamStep k, AdamBuffers b) {
    long n = b.size();
    int blocks = (int) Math.min(MOST_BLOCKS, (n + THREADS - 1) / THREADS);
    kernels(b.gradientPrecision(), b.weightPrecision())
        .adam()
        .launch(
            stream,
            blocks,
            THREADS,
            b.master().address(),
            b.momentum().address(),
            b.variance().address(),
            b.gradient().address(),
            b.weight().address(),
            n,
            b.layout() == AdamBuffers.MasterLayout.SPLIT ? 1 : 0,
            k.gradientScale(),
            k.decay(),
            k.coupledDecay(),
            k.oneMinusBeta1(),
            k.beta2(),
            k.oneMinusBeta2(),
            k.stepSize(),
            k.inverseRootCorrection2(),
            k.epsilon());
    stream.await();
  }

  synchronized double[] sumsOfSquares(
      MemorySegment gradient, Precision precision, long from, long n) {
    long first = from / GradientNorm.BLOCK;
    int blocks = (int) ((from + n + GradientNorm.BLOCK - 1) / GradientNorm.BLOCK - first);
    Kernels kernels = kernels(precision, precision);
    LockedMemory host = scratch(blocks);
    kernels
        .partialSquares()
        .launch(
            stream,
            (blocks * LANES + THREADS - 1) / THREADS,
            THREADS,
            gradient.address(),
            partials,
            from,
            n,
            blocks);
    kernels
        .sumPartials()
        .launch(stream, (blocks + THREADS - 1) / THREADS, THREADS, partials, sums, blocks);
    MemorySegment target = host.segment().asSlice(0, 8L * blocks);
    stream.download(sums, target);
    stream.await();
    return target.toArray(ValueLayout.JAVA_DOUBLE);
  }

  private LockedMemory scratch(int blocks) {
    LockedMemory host = hostSums;
    if (host == null || blocks > scratchBlocks) {
      freeScratch();
      partials = context.allocate(8L * LANES * blocks);
      sums = context.allocate(8L * blocks);
      host = LockedMemory.allocate(context, 8L * blocks);
      hostSums = host;
      scratchBlocks = blocks;
    }
    return host;
  }

  private void freeScratch() {
    LockedMemory host = hostSums;
    if (host != null) {
      context.free(partials);
      context.free(sums);
      host.close();
      hostSums = null;
    }
  }

  @Override
  public void close() {
    freeScratch();
    stream.close();
  }
}
