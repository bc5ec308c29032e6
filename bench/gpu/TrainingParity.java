import io.spillway.kernels.AdamBuffers;
import io.spillway.kernels.AdamBuffers.MasterLayout;
import io.spillway.kernels.AdamSettings;
import io.spillway.kernels.AdamStep;
import io.spillway.kernels.GradientNorm;
import io.spillway.kernels.Precision;
import io.spillway.kernels.ScalarAdam;
import io.spillway.kernels.SplitMaster;
import io.spillway.training.engine.Device;
import io.spillway.training.engine.Lanes;
import io.spillway.training.optimizer.OffloadedOptimizer;
import io.spillway.training.optimizer.OptimizerOptions;
import io.spillway.training.plan.Schedule;
import io.spillway.training.plan.Subgroup;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** The CUDA device's kernels and schedules against the scalar twin, bit for bit; part of TrainingBench. */
final class TrainingParity {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT;
  private final List<Map<String, String>> results = new ArrayList<>();

  /** One row a check; writes what adam.py needs into `folder`. */
  static List<Map<String, String>> run(Device device, Path folder) {
    TrainingParity parity = new TrainingParity();
    for (MasterLayout layout : MasterLayout.values()) {
      for (Precision p : Precision.values()) {
        if (layout == MasterLayout.FULL || p == Precision.BF16) {
          parity.attempt("kernel " + layout + " " + p, () -> kernel(device, layout, p));
        }
      }
    }
    for (Precision p : Precision.values()) {
      parity.attempt("norm " + p, () -> norm(device, p));
    }
    for (MasterLayout layout : MasterLayout.values()) {
      for (String name :
          List.of(
              "all-gpu", "zero-offload", "stride:1", "stride:2", "stride:3", "twinflow:0.4",
              "fraction:0.37:0.2", "fraction:0.5", "fraction:0")) {
        parity.attempt("schedule " + name + " " + layout, () -> schedule(device, layout, name));
      }
    }
    parity.attempt("reference for torch", () -> reference(device, folder));
    return parity.results;
  }

  private interface Check {
    /** How many numbers were compared and how many differ. */
    long[] run() throws IOException;
  }

  private void attempt(String name, Check check) {
    String outcome;
    try {
      long[] counts = check.run();
      outcome = counts[1] == 0 ? "same bits" : "DIFFERS in " + counts[1] + " of " + counts[0];
    } catch (Exception | Error e) {
      outcome = "FAILED: " + e;
      e.printStackTrace();
    }
    if (!outcome.equals("same bits")) {
      System.out.printf("%-40s %s%n", name, outcome);
    }
    results.add(Map.of("check", name, "outcome", outcome));
  }

  private static long differing(MemorySegment a, MemorySegment b) {
    long count = 0;
    for (long at = a.mismatch(b); at >= 0; ) {
      count++;
      long next = at / 4 * 4 + 4;
      if (next >= a.byteSize()) {
        break;
      }
      long more = a.asSlice(next).mismatch(b.asSlice(next));
      at = more < 0 ? -1 : next + more;
    }
    return count;
  }

  /** One Adam step on numbers of every kind: subnormal, huge, ties of the rounding, NaN, infinity. */
  private static long[] kernel(Device device, MasterLayout layout, Precision p) {
    int n = 100_003;
    SplittableRandom random = new SplittableRandom(5);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment[] host = {
        arena.allocate((long) layout.bytes() * n + 4, 64), arena.allocate(4L * n, 64),
        arena.allocate(4L * n, 64), arena.allocate((long) p.bytes() * n + 4, 64),
        arena.allocate((long) p.bytes() * n + 4, 64)
      };
      for (int i = 0; i < n; i++) {
        float master = number(random, i);
        float momentum = number(random, i + 1) * 0.1f;
        float variance = Math.abs(number(random, i + 2));
        p.set(host[3], i, number(random, i + 3));
        p.set(host[4], i, master);
        host[1].set(F32, 4L * i, momentum);
        if (layout == MasterLayout.SPLIT) {
          host[0].set(ValueLayout.JAVA_SHORT, 2L * i, SplitMaster.low(master));
          host[2].set(F32, 4L * i, SplitMaster.tag(master, variance));
        } else {
          host[0].set(F32, 4L * i, master);
          host[2].set(F32, 4L * i, variance);
        }
      }
      MemorySegment[] there = new MemorySegment[host.length];
      for (int i = 0; i < host.length; i++) {
        there[i] = device.allocate(host[i].byteSize(), "parity");
        device.upload(host[i], there[i]);
      }
      AdamSettings[] settings = {
        AdamSettings.adamW(), new AdamSettings(0.9, 0.95, 1e-8, 0.1, false)
      };
      for (int step = 1; step <= 3; step++) {
        AdamStep k = AdamStep.of(settings[step % 2], 1e-2, step, 0.7);
        new ScalarAdam().update(k, buffers(layout, p, n, host));
        device.update(k, buffers(layout, p, n, there));
      }
      long differ = 0;
      long numbers = 0;
      for (int i = 0; i < host.length; i++) {
        MemorySegment back = arena.allocate(host[i].byteSize(), 64);
        device.download(there[i], back);
        differ +=
            i == 0 && layout == MasterLayout.SPLIT
                ? differing(host[i], back)
                : differingNumbers(host[i], back, i >= 3 ? p : Precision.F32);
        numbers += n;
        device.free(there[i]);
      }
      return new long[] {numbers, differ};
    }
  }

  /** NaN is NaN whatever its payload, which processors and GPUs choose differently. */
  private static long differingNumbers(MemorySegment a, MemorySegment b, Precision p) {
    long count = 0;
    for (long i = 0; i < a.byteSize() / p.bytes(); i++) {
      float x = p.get(a, i);
      float y = p.get(b, i);
      count +=
          Float.floatToRawIntBits(x) == Float.floatToRawIntBits(y) || x != x && y != y ? 0 : 1;
    }
    return count;
  }

  private static AdamBuffers buffers(MasterLayout layout, Precision p, long n, MemorySegment[] m) {
    return new AdamBuffers(
        layout, m[0].asSlice(0, layout.bytes() * n), m[1], m[2], m[3].asSlice(0, p.bytes() * n), p,
        m[4].asSlice(0, p.bytes() * n), p);
  }

  /** Mostly ordinary numbers, every 16th an odd one. */
  private static float number(SplittableRandom random, int i) {
    float ordinary = (float) (random.nextDouble() - 0.5);
    return switch (i & 63) {
      case 0 -> ordinary * 1e-40f;
      case 16 -> ordinary * 1e30f;
      case 32 -> Float.intBitsToFloat(Float.floatToRawIntBits(ordinary) & 0xFFFF0000 | 0x8000);
      case 48 -> 0f;
      default -> ordinary;
    };
  }

  private static long[] norm(Device device, Precision p) {
    int n = 70_001;
    SplittableRandom random = new SplittableRandom(6);
    long differ = 0;
    long count = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocate((long) p.bytes() * n, 64);
      for (int i = 0; i < n; i++) {
        p.set(host, i, (float) (random.nextDouble() - 0.5));
      }
      MemorySegment there = device.allocate(host.byteSize(), "parity");
      device.upload(host, there);
      for (long from : new long[] {0, 1, 4095, 4096, 12_289}) {
        double[] sums = device.sumsOfSquares(there, p, from, n);
        long first = from / GradientNorm.BLOCK;
        for (int b = 0; b < sums.length; b++) {
          long begin = Math.max(from, (first + b) * GradientNorm.BLOCK);
          long end = Math.min(from + n, (first + b + 1) * GradientNorm.BLOCK);
          double mine = GradientNorm.sumOfSquares(host, p, begin - from, end - from);
          differ += Double.doubleToRawLongBits(mine) == Double.doubleToRawLongBits(sums[b]) ? 0 : 1;
          count++;
        }
      }
      device.free(there);
    }
    return new long[] {count, differ};
  }

  private static float gradient(long step, long i, float weight) {
    long z = (step * 0x9E3779B97F4A7C15L) ^ (i * 0xBF58476D1CE4E5B9L);
    z = (z ^ (z >>> 30)) * 0x94D049BB133111EBL;
    return (float) (((z ^ (z >>> 27)) >> 40) * 0x1p-24) + 0.3f * weight;
  }

  private static final int STEPS = 4;

  private static OptimizerOptions options(MasterLayout layout) {
    return new OptimizerOptions(
        AdamSettings.adamW(), Precision.BF16, Precision.BF16, layout, 1.0, 2,
        Double.POSITIVE_INFINITY, 2, 2, Optional.empty(), Double.POSITIVE_INFINITY, false,
        Long.MAX_VALUE);
  }

  /** Steps whose gradients follow from the weights before, so that a lost or stale one shows. */
  private static long[] schedule(Device device, MasterLayout layout, String name) {
    int n = 400_003;
    try (Arena arena = Arena.ofConfined();
        Lanes lanes = new Lanes()) {
      MemorySegment weights = device.allocate(2L * n, "weights");
      MemorySegment gradients = device.allocate(2L * n, "gradients");
      MemorySegment host = arena.allocate(2L * n, 64);
      MemorySegment master = arena.allocate(4L * n, 64);
      MemorySegment momentum = arena.allocate(4L * n, 64);
      MemorySegment variance = arena.allocate(4L * n, 64);
      for (int i = 0; i < n; i++) {
        master.set(F32, 4L * i, gradient(77, i, 0) * 0.5f);
      }
      byte[] expected = plain(n, master);
      List<Subgroup> subgroups = Subgroup.cut(0, n, 30_000);
      try (OffloadedOptimizer o =
          new OffloadedOptimizer(
              device, weights, gradients, subgroups, Schedule.parse(name), options(layout), lanes,
              x -> x)) {
        for (Subgroup g : subgroups) {
          o.set(
              g, master.asSlice(4 * g.from(), 4 * g.size()),
              momentum.asSlice(4 * g.from(), 4 * g.size()),
              variance.asSlice(4 * g.from(), 4 * g.size()));
        }
        for (int step = 0; step < STEPS; step++) {
          o.awaitWeights(0, n);
          device.download(weights, host);
          for (int i = 0; i < n; i++) {
            Precision.BF16.set(host, i, gradient(step, i, Precision.BF16.get(host, i)));
          }
          o.beginBackward(1e-2);
          device.upload(host, gradients);
          o.gradientsReady(0, n);
          o.finishBackward(1);
        }
        o.drain();
        device.download(weights, host);
      }
      device.free(weights);
      device.free(gradients);
      return new long[] {n, differing(host, MemorySegment.ofArray(expected))};
    }
  }

  private static byte[] plain(int n, MemorySegment start) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment master = arena.allocate(4L * n, 64).copyFrom(start);
      MemorySegment gradient = arena.allocate(2L * n, 64);
      MemorySegment weight = arena.allocate(2L * n, 64);
      AdamBuffers b =
          new AdamBuffers(
              MasterLayout.FULL, master, arena.allocate(4L * n, 64), arena.allocate(4L * n, 64),
              gradient, Precision.BF16, weight, Precision.BF16);
      for (int i = 0; i < n; i++) {
        Precision.BF16.set(weight, i, master.get(F32, 4L * i));
      }
      for (int step = 0; step < STEPS; step++) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
          Precision.BF16.set(gradient, i, gradient(step, i, Precision.BF16.get(weight, i)));
        }
        for (long at = 0; at < n; at += GradientNorm.BLOCK) {
          sum +=
              GradientNorm.sumOfSquares(
                  gradient, Precision.BF16, at, Math.min(n, at + GradientNorm.BLOCK));
        }
        double norm = Math.sqrt(sum);
        AdamStep k =
            AdamStep.of(AdamSettings.adamW(), 1e-2, step + 1L, norm > 1 ? 1 / norm : 1);
        new ScalarAdam().update(k, b);
      }
      return weight.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /** Twenty steps on the device with the inputs written down, for torch.optim.AdamW in adam.py. */
  private static long[] reference(Device device, Path folder) throws IOException {
    int n = 65_536;
    int steps = 20;
    Files.createDirectories(folder);
    SplittableRandom random = new SplittableRandom(8);
    AdamSettings settings = new AdamSettings(0.9, 0.95, 1e-8, 0.1, true);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment[] host = new MemorySegment[5];
      MemorySegment[] there = new MemorySegment[5];
      for (int i = 0; i < 5; i++) {
        host[i] = arena.allocate(4L * n, 64);
        there[i] = device.allocate(4L * n, "reference");
      }
      for (int i = 0; i < n; i++) {
        host[0].set(F32, 4L * i, (float) (random.nextDouble() - 0.5));
      }
      write(folder.resolve("start.f32"), host[0]);
      for (int i = 0; i < 5; i++) {
        device.upload(host[i], there[i]);
      }
      ByteBuffer all = ByteBuffer.allocate(4 * n * steps).order(ByteOrder.LITTLE_ENDIAN);
      for (int step = 1; step <= steps; step++) {
        for (int i = 0; i < n; i++) {
          float g = (float) (random.nextDouble() - 0.5);
          host[3].set(F32, 4L * i, g);
          all.putFloat(g);
        }
        device.upload(host[3], there[3]);
        device.update(
            AdamStep.of(settings, 1e-3, step, 1),
            buffers(MasterLayout.FULL, Precision.F32, n, there));
      }
      Files.write(folder.resolve("gradients.f32"), all.array());
      for (int i = 0; i < 3; i++) {
        device.download(there[i], host[i]);
      }
      for (MemorySegment m : there) {
        device.free(m);
      }
      write(folder.resolve("end.f32"), host[0]);
      write(folder.resolve("momentum.f32"), host[1]);
      write(folder.resolve("variance.f32"), host[2]);
      Files.writeString(
          folder.resolve("settings.json"),
          String.format(
              Locale.ROOT,
              "{\"n\": %d, \"steps\": %d, \"lr\": 1e-3, \"betas\": [0.9, 0.95], \"eps\": 1e-8,"
                  + " \"weight_decay\": 0.1}",
              n, steps));
    }
    return new long[] {n, 0};
  }

  private static void write(Path file, MemorySegment segment) throws IOException {
    Files.write(file, segment.toArray(ValueLayout.JAVA_BYTE));
  }
}
