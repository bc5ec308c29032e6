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
import org.bytedeco.pytorch.CompilationUnit;
import org.bytedeco.pytorch.Function;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The fused update against libtorch's AdamW and its fused operator, both with the casts they need,
 * and against the bytes it moves.
 */
public final class KernelBench {
  static final long N = 1L << 24;
  static final long WARM_NS = 2_500_000_000L;

  /**
   * The fused operator has no generated method, but a script may call it. It returns an element of
   * the list: an operator whose lists nobody reads would be taken for dead code.
   */
  static final String FUSED =
      """
      def update(p: Tensor, g: Tensor, m: Tensor, v: Tensor, t: Tensor) -> Tensor:
          none: List[Tensor] = []
          parameters = [p]
          torch._fused_adamw_(parameters, [g], [m], [v], none, [t], lr=1e-3, beta1=0.9, beta2=0.999,
              weight_decay=0.01, eps=1e-8, amsgrad=False, maximize=False)
          return parameters[0]
      """;

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
      double[] fused = torchFused(true);
      System.out.printf(
          Locale.ROOT, "  libtorch cast + fused AdamW + cast: %.3f Gparam/s (runs %s)%n",
          N / fused[fused.length / 2] / 1e9, rates(fused));
      double[] bare = torchFused(false);
      System.out.printf(
          Locale.ROOT, "  libtorch fused AdamW alone, all fp32: %.3f Gparam/s (runs %s), best %.1f GB/s of 28 bytes each%n",
          N / bare[bare.length / 2] / 1e9, rates(bare), N / bare[0] * 28 / 1e9);
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
    for (long end = System.nanoTime() + WARM_NS; System.nanoTime() < end; ) {
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

  /** The operator behind `AdamW(fused=True)` of Python, one pass over four arrays. */
  static double[] torchFused(boolean casts) {
    try (TensorScope scope = TensorScope.open()) {
      CompilationUnit unit = torch.compile(FUSED);
      Function update = unit.get_function(new QualifiedName("update"));
      int pieces = (int) (N >> 22);
      Tensor[][] state = new Tensor[pieces][];
      Tensor[] halves = new Tensor[2 * pieces];
      IValueVector[] arguments = new IValueVector[pieces];
      for (int i = 0; i < pieces; i++) {
        state[i] = new Tensor[] {
          torch.zeros(1 << 22), torch.full(new long[] {1 << 22}, new Scalar(1e-5)), torch.zeros(1 << 22),
          torch.zeros(1 << 22), torch.ones(1)
        };
        halves[2 * i] = torch.full(new long[] {1 << 22}, new Scalar(1e-5)).to(torch.ScalarType.BFloat16);
        halves[2 * i + 1] = torch.zeros(1 << 22).to(torch.ScalarType.BFloat16);
        arguments[i] = new IValueVector();
        for (Tensor t : state[i]) {
          arguments[i].push_back(new IValue(t));
        }
      }
      double[] seconds = time(
          () -> TensorScope.run(
              () -> {
                for (int i = 0; i < pieces; i++) {
                  if (casts) {
                    state[i][1].copy_(halves[2 * i]);
                  }
                  update.apply(arguments[i]).close();
                  if (casts) {
                    halves[2 * i + 1].copy_(state[i][0]);
                  }
                }
              }));
      if (state[0][0].select(0, 0).item_float() == 0) {
        throw new IllegalStateException("the fused operator changed nothing");
      }
      return seconds;
    }
  }

  /** libtorch's own AdamW class, whose update is several operators. */
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
