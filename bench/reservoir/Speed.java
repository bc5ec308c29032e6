import static org.bytedeco.pytorch.global.torch.matmul;

import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.liquid.DenseLiquid;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.liquid.Wiring;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Events a second of the sparse liquid, its dense twin and a plain libtorch loop, in one run on the
/// same noiseless weights and recordings; the spikes of both are compared.
///
/// Arguments: the folder of N-MNIST recordings, how many of them, `local` or `dense`.
public final class Speed {
  public static void main(String[] a) {
    RecordingSet set = RecordingSet.open(Path.of(a[0]));
    int n = Integer.parseInt(a[1]);
    Framing framing = Framing.NMNIST;
    LiquidConfig config = LiquidConfig.LOCAL_NMNIST.withNoise(false);
    if (a[2].equals("dense")) {
      config = config.withWiring(new Wiring.Dense()).withScales(.03, .03).withNeurons(1000);
    }
    SpikeFrames[] frames = new SpikeFrames[n];
    long events = 0;
    for (int i = 0; i < n; i++) {
      var recording = set.read(i);
      events += recording.size();
      frames[i] = framing.frames(recording);
    }
    Liquid liquid = new Liquid(config, framing);
    DenseLiquid twin = liquid.dense();
    float[][] counts = new float[n][];
    long[] sparse = {0};
    report("sparse, 1 thread", events, 3, () -> {
      long spikes = 0;
      for (int i = 0; i < n; i++) {
        var r = liquid.run(frames[i], i);
        counts[i] = r.counts();
        spikes += r.spikes();
      }
      sparse[0] = spikes;
    });
    report("sparse, every core", events, 3, () -> Encoder.parallel(n, i -> liquid.run(frames[i], i)));
    int few = Math.min(3, n);
    long fewEvents = 0;
    for (int i = 0; i < few; i++) {
      fewEvents += set.read(i).size();
    }
    report("dense twin, 1 thread", fewEvents, 1, () -> {
      for (int i = 0; i < few; i++) {
        twin.run(frames[i], i);
      }
    });
    for (int batch : new int[] {1, 100}) {
      int b = Math.min(batch, n);
      int used = Math.min(n, b == 1 ? 20 : n);
      long usedEvents = 0;
      for (int i = 0; i < used; i++) {
        usedEvents += set.read(i).size();
      }
      double[] total = {0};
      report("libtorch loop, batch " + b, usedEvents, 2, () -> total[0] = loop(liquid, twin, frames, used, b));
      System.out.printf("  spikes of the loop %.0f, of the liquid on all %d: %d%n", total[0], n, sparse[0]);
    }
  }

  private static double loop(Liquid liquid, DenseLiquid twin, SpikeFrames[] frames, int used, int batch) {
    LiquidConfig c = liquid.config();
    int inputs = frames[0].inputs();
    int h = c.neurons();
    double spikes = 0;
    try (PointerScope outer = new PointerScope(); NoGradGuard guard = new NoGradGuard()) {
      Tensor wi = matrix(twin.inputWeights());
      Tensor wr = matrix(twin.recurrentWeights());
      for (int from = 0; from < used; from += batch) {
        int size = Math.min(batch, used - from);
        try (PointerScope scope = new PointerScope()) {
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
            Tensor in = Tensor.create(x, size, inputs);
            m = m.mul(new Scalar(c.leak())).mul(s.rsub(new Scalar(1))).add(matmul(in, wi)).add(matmul(s, wr));
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
    return Tensor.create(flat, rows.length, rows[0].length);
  }

  private static void report(String what, long events, int repeats, Runnable work) {
    for (int r = 0; r < repeats; r++) {
      long begin = System.nanoTime();
      work.run();
      double seconds = (System.nanoTime() - begin) / 1e9;
      System.out.printf("%-24s run %d: %.3f s, %.3f million events/s%n", what, r + 1, seconds, events / seconds / 1e6);
    }
  }
}
