import static org.bytedeco.pytorch.global.torch.matmul;

import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.liquid.DenseLiquid;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.liquid.Wiring;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Torch;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Events a second of the sparse liquid, its dense twin and a plain libtorch loop, in one run on the
/// same noiseless weights and recordings; the spikes of all are compared. The sides take turns, so
/// that whatever else the machine does meets each of them.
///
/// Arguments: the folder of N-MNIST recordings, how many of them, `local` or `dense`, how many turns.
public final class Speed {
  private final Liquid liquid;
  private final Liquid noisy;
  private final DenseLiquid twin;
  private final SpikeFrames[] frames;
  private final long[] events;

  private Speed(Liquid liquid, Liquid noisy, SpikeFrames[] frames, long[] events) {
    this.liquid = liquid;
    this.noisy = noisy;
    this.twin = liquid.dense();
    this.frames = frames;
    this.events = events;
  }

  public static void main(String[] a) {
    RecordingSet set = RecordingSet.open(Path.of(a[0]));
    int n = Math.min(set.size(), Integer.parseInt(a[1]));
    Framing framing = Framing.NMNIST;
    LiquidConfig config = LiquidConfig.LOCAL_NMNIST;
    if (a[2].equals("dense")) {
      config = config.withWiring(new Wiring.Dense()).withScales(.03, .03).withNeurons(1000);
    }
    SpikeFrames[] frames = new SpikeFrames[n];
    long[] events = new long[n];
    for (int i = 0; i < n; i++) {
      var recording = set.read(i);
      events[i] = recording.size();
      frames[i] = framing.frames(recording);
    }
    Liquid noisy = new Liquid(config, framing);
    Liquid liquid = new Liquid(config.withNoise(false), framing);
    new Speed(liquid, noisy, frames, events).turns(a.length > 3 ? Integer.parseInt(a[3]) : 5);
  }

  private void turns(int turns) {
    int n = frames.length;
    int few = Math.min(2, n);
    int single = Math.min(5, n);
    Side[] sides = {
      new Side("sparse, 1 thread", n, () -> sparse(liquid, n)),
      new Side("sparse, every core", n, () -> parallel(liquid)),
      new Side("sparse with read noise, 1 thread", n, () -> sparse(noisy, n)),
      new Side("sparse with read noise, every core", n, () -> parallel(noisy)),
      new Side("libtorch loop, batch 100, 1 thread", n, () -> loop(n, 100, 1)),
      new Side("libtorch loop, batch 100, every core", n, () -> loop(n, 100, cores())),
      new Side("libtorch loop, one by one, 1 thread", single, () -> loop(single, 1, 1)),
      new Side("dense twin, 1 thread", few, () -> dense(few)),
    };
    for (int warm = 0; warm < 8; warm++) {
      sparse(liquid, n);
      sparse(noisy, n);
    }
    for (int turn = 0; turn < turns; turn++) {
      for (Side side : sides) {
        side.once();
      }
    }
    System.out.printf("%d recordings, %d events%n", n, Arrays.stream(events).sum());
    for (Side side : sides) {
      side.print();
    }
    System.out.printf("spikes of the first %d: sparse %.0f, dense twin %.0f%n", few, sparse(liquid, few), dense(few));
    System.out.printf("spikes of all %d: sparse %.0f, libtorch %.0f%n", n, sparse(liquid, n), loop(n, 100, cores()));
    double one = sides[0].median();
    double all = sides[1].median();
    System.out.printf(
        "sparse over the loop in batches: %.1f (1 thread each), %.1f (every core each)%n",
        one / sides[4].median(), all / sides[5].median());
    System.out.printf(
        "sparse over the loop one by one %.0f, over the dense twin %.0f, scaling over %d cores %.2f (with noise %.2f)%n",
        one / sides[6].median(),
        one / sides[7].median(),
        cores(),
        all / one,
        sides[3].median() / sides[2].median());
  }

  private static int cores() {
    return Runtime.getRuntime().availableProcessors();
  }

  /// One contestant and its figures in million events a second.
  private final class Side {
    private final String name;
    private final double millions;
    private final Runnable work;
    private double[] rates = {};

    Side(String name, int recordings, Runnable work) {
      this.name = name;
      this.millions = Arrays.stream(events).limit(recordings).sum() / 1e6;
      this.work = work;
    }

    void once() {
      long begin = System.nanoTime();
      work.run();
      rates = Arrays.copyOf(rates, rates.length + 1);
      rates[rates.length - 1] = millions / ((System.nanoTime() - begin) / 1e9);
    }

    double median() {
      double[] sorted = rates.clone();
      Arrays.sort(sorted);
      return sorted[sorted.length / 2];
    }

    void print() {
      System.out.printf("%-38s %8.4f million events/s, turns:", name, median());
      for (double r : rates) {
        System.out.printf(" %.4f", r);
      }
      System.out.println();
    }
  }

  private double sparse(Liquid liquid, int n) {
    double spikes = 0;
    for (int i = 0; i < n; i++) {
      spikes += liquid.run(frames[i], i).spikes();
    }
    return spikes;
  }

  private void parallel(Liquid liquid) {
    Encoder.parallel(frames.length, i -> liquid.run(frames[i], i));
  }

  private double dense(int n) {
    double spikes = 0;
    for (int i = 0; i < n; i++) {
      spikes += twin.run(frames[i], i).spikes();
    }
    return spikes;
  }

  private double loop(int used, int batch, int threads) {
    Torch.threads(threads);
    LiquidConfig c = liquid.config();
    int inputs = frames[0].inputs();
    int h = c.neurons();
    double spikes = 0;
    try (TensorScope outer = TensorScope.open(); NoGrad guard = NoGrad.begin()) {
      Tensor wi = matrix(twin.inputWeights());
      Tensor wr = matrix(twin.recurrentWeights());
      for (int from = 0; from < used; from += batch) {
        int size = Math.min(batch, used - from);
        try (TensorScope scope = TensorScope.open()) {
          Tensor m = torch.zeros(size, h);
          Tensor s = torch.zeros(size, h);
          Tensor sum = torch.zeros(size, h);
          for (int t = 0; t < frames[0].steps(); t++) {
            float[] x = new float[size * inputs];
            for (int k = 0; k < size; k++) {
              SpikeFrames f = frames[from + k];
              for (int p = f.start(t); p < f.start(t + 1); p++) {
                x[k * inputs + f.input(p)] = 1;
              }
            }
            Tensor in = Tensors.of(x, size, inputs);
            m = m.mul(new Scalar(c.leak())).mul(torch.rsub(s, new Scalar(1))).add(matmul(in, wi)).add(matmul(s, wr));
            s = m.gt(new Scalar(c.threshold())).to(torch.ScalarType.Float);
            sum = sum.add(s);
          }
          spikes += sum.sum().item_float();
        }
      }
    }
    return spikes;
  }

  private static Tensor matrix(float[][] rows) {
    float[] flat = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * rows[0].length, rows[0].length);
    }
    return Tensors.of(flat, rows.length, rows[0].length);
  }
}
