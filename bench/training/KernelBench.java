import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.ParallelAdam;
import io.spillway.kernels.Precision;
import io.spillway.tensor.DType;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import io.spillway.training.run.Calibration;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** The fused update against libtorch's AdamW with its casts, and against the bytes it moves. */
public final class KernelBench {
  static final long N = 1L << 24;

  public static void main(String[] args) {
    for (int threads : new int[] {1, 2}) {
      Torch.threads(threads);
      double line = Calibration.inPlace(threads);
      System.out.printf(Locale.ROOT, "%d threads: add in place on three arrays %.1f GB/s%n", threads, line / 1e9);
      for (MasterLayout layout : MasterLayout.values()) {
        double[] ours = ours(threads, layout);
        double rate = N / ours[ours.length / 2];
        int bytes = layout == MasterLayout.FULL ? 30 : 26;
        double best = N / ours[0];
        System.out.printf(
            Locale.ROOT, "  ours, %s master: median %.3f, best %.3f Gparam/s (runs %s), best %.1f GB/s of %d bytes each = %.0f %% of in place%n",
            layout, rate / 1e9, best / 1e9, rates(ours), best * bytes / 1e9, bytes, 100 * best * bytes / line);
      }
      double[] theirs = torchAdamW();
      System.out.printf(
          Locale.ROOT, "  libtorch cast + AdamW + cast: %.3f Gparam/s (runs %s)%n",
          N / theirs[theirs.length / 2] / 1e9, rates(theirs));
    }
    System.exit(0);
  }

  static String rates(double[] seconds) {
    StringBuilder out = new StringBuilder();
    for (double s : seconds) {
      out.append(String.format(Locale.ROOT, "%.3f ", N / s / 1e9));
    }
    return out.toString().strip();
  }

  static double[] time(Runnable work) {
    double[] t = new double[9];
    // the compiler needs seconds until every loop runs on vectors
    for (long end = System.nanoTime() + 3_000_000_000L; System.nanoTime() < end; ) {
      work.run();
    }
    for (int i = 0; i < 9; i++) {
      long begin = System.nanoTime();
      work.run();
      t[i] = (System.nanoTime() - begin) / 1e9;
    }
    Arrays.sort(t);
    return t;
  }

  static double[] ours(int threads, MasterLayout layout) {
    try (Arena arena = Arena.ofShared();
        ParallelAdam kernel = new ParallelAdam(threads)) {
      AdamBuffers b =
          new AdamBuffers(
              layout, arena.allocate(N * layout.bytes(), 64), arena.allocate(4 * N, 64),
              arena.allocate(4 * N, 64), arena.allocate(2 * N, 64), Precision.BF16,
              arena.allocate(2 * N, 64), Precision.BF16);
      for (long i = 0; i < N; i++) {
        Precision.BF16.set(b.gradient(), i, (i % 1000) * 1e-5f);
      }
      AdamStep step = AdamStep.of(AdamSettings.adamW(), 1e-3, 1, 1);
      return time(() -> {
        // subgroups of 2^22, as in training
        for (long at = 0; at < N; at += 1 << 22) {
          kernel.update(step, b, at, Math.min(N, at + (1 << 22)));
        }
      });
    }
  }

  /** The preset does not expose the fused operator, so this is libtorch's own AdamW class. */
  static double[] torchAdamW() {
    try (TensorScope scope = TensorScope.open()) {
      int pieces = (int) (N >> 22);
      Tensor[] params = new Tensor[pieces];
      Tensor[] halves = new Tensor[2 * pieces];
      for (int i = 0; i < pieces; i++) {
        params[i] = torch.zeros(1 << 22).requires_grad_(true);
        params[i].mutable_grad().put(torch.zeros(1 << 22));
        halves[2 * i] = torch.zeros(1 << 22).to(torch.ScalarType.BFloat16);
        halves[2 * i + 1] = torch.zeros(1 << 22).to(torch.ScalarType.BFloat16);
      }
      AdamW adam = new AdamW(new TensorVector(params));
      return time(
          () -> TensorScope.run(
              () -> {
                for (int i = 0; i < pieces; i++) {
                  params[i].grad().copy_(halves[2 * i]);
                }
                adam.step();
                for (int i = 0; i < pieces; i++) {
                  halves[2 * i + 1].copy_(params[i].detach());
                }
              }));
    }
  }
}
