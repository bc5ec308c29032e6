import io.spillway.platform.Seeds;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.convert.Idx;
import io.spillway.reservoir.convert.Lauscher;
import io.spillway.reservoir.convert.Likeness;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.convert.Saccades;
import io.spillway.reservoir.events.EventFiles;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.RecordingSet;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Each converter against genuine recordings, and what two genuine recordings reach with each other.
///
/// Images: each recording against its own image emulated by both pixel models, on shifted time
/// grids, against another emulation of the same image, against the mean of sixteen, and against the
/// genuine recording of the most similar other image.
///
/// Sound: counts, channels and intervals of the one genuine recording of N-TIDIGITS against spoken
/// digits through both ears.
///
/// Arguments: the folder of recordings, the IDX images, how many; the genuine .bs1, the folder of WAV
/// files.
public final class Converters {
  private static EventRecording[] genuine;
  private static Idx.Images images;
  private static int n;

  public static void main(String[] a) {
    RecordingSet set = RecordingSet.open(Path.of(a[0]));
    images = Idx.images(Path.of(a[1]));
    n = Integer.parseInt(a[2]);
    genuine = IntStream.range(0, n).mapToObj(set::read).toArray(EventRecording[]::new);
    System.out.printf("%-58s %8s %8s %8s %8s%n", "recordings 1 to " + n, "events", "space", "rate", "both");
    EventRecording[] one = emulate(PixelModel.NMNIST, 1);
    EventRecording[] two = emulate(PixelModel.NMNIST, 2);
    row("emulated (nmnist) against its genuine recording", one, genuine, 0);
    row("emulated (v2e) against its genuine recording", emulate(PixelModel.V2E, 1), genuine, 0);
    for (long shift : new long[] {-10_000, -6000, -4000, -2000, 2000, 4000, 6000, 10_000}) {
      row("emulated (nmnist), later by " + shift / 1000 + " ms", one, genuine, shift);
    }
    row("emulated against another emulation of the same image", one, two, 0);
    EventRecording[] alike = new EventRecording[n];
    double likeness = 0;
    int same = 0;
    for (int i = 0; i < n; i++) {
      int best = nearest(i);
      alike[i] = genuine[best];
      same += set.label(best).equals(set.label(i)) ? 1 : 0;
      likeness += pixels(i, best) / n;
    }
    row(
        "genuine against genuine of the most similar image",
        alike,
        genuine,
        0);
    System.out.printf("  (pixels of those images correlate by %.3f, %d of %d are the same digit)%n", likeness, same, n);
    row("emulated against emulated of the most similar image", emulated(one), one, 0);
    mean();
    sounds(Path.of(a[3]), Path.of(a[4]));
  }

  private static EventRecording[] emulated(EventRecording[] all) {
    return IntStream.range(0, n).mapToObj(i -> all[nearest(i)]).toArray(EventRecording[]::new);
  }

  private static EventRecording[] emulate(PixelModel model, long seed) {
    Seeds seeds = new Seeds(seed);
    EventRecording[] out = new EventRecording[n];
    IntStream.range(0, n)
        .parallel()
        .forEach(i -> out[i] = Saccades.record(images.image(i), model, seeds.stream("likeness", i)));
    return out;
  }

  private static int nearest(int i) {
    int best = -1;
    double most = -2;
    for (int j = 0; j < n; j++) {
      double p = j == i ? -2 : pixels(i, j);
      if (p > most) {
        most = p;
        best = j;
      }
    }
    return best;
  }

  private static double pixels(int i, int j) {
    float[] a = images.image(i);
    float[] b = images.image(j);
    return Likeness.correlation(wide(a), wide(b));
  }

  private static double[] wide(float[] v) {
    double[] out = new double[v.length];
    Arrays.setAll(out, k -> v[k]);
    return out;
  }

  private static void row(String name, EventRecording[] a, EventRecording[] b, long shift) {
    double[] sum = new double[4];
    Likeness[] all = new Likeness[n];
    IntStream.range(0, n).parallel().forEach(i -> all[i] = Likeness.of(a[i], b[i], shift));
    for (Likeness l : all) {
      sum[0] += l.countRatio() / n;
      sum[1] += l.spatial() / n;
      sum[2] += l.temporal() / n;
      sum[3] += l.spatioTemporal() / n;
    }
    System.out.printf("%-58s %8.3f %8.3f %8.3f %8.3f%n", name, sum[0], sum[1], sum[2], sum[3]);
  }

  /// The mean of sixteen emulations against the genuine recording and against a seventeenth: what an
  /// emulation would reach that knew the rate of every address exactly.
  private static void mean() {
    int few = Math.min(n, 100);
    double[] found = new double[2];
    IntStream.range(0, few)
        .parallel()
        .forEach(i -> {
          double[][] cells = new double[18][];
          for (int s = 0; s < 17; s++) {
            cells[s] =
                cells(
                    Saccades.record(
                        images.image(i), PixelModel.NMNIST, new Seeds(100 + s).stream("mean", i)));
          }
          cells[17] = cells(genuine[i]);
          double[] mean = new double[cells[0].length];
          for (int s = 0; s < 16; s++) {
            for (int k = 0; k < mean.length; k++) {
              mean[k] += cells[s][k] / 16;
            }
          }
          synchronized (found) {
            found[0] += Likeness.correlation(mean, cells[17]) / few;
            found[1] += Likeness.correlation(mean, cells[16]) / few;
          }
        });
    System.out.printf(
        "mean of 16 emulations, address and 10 ms, first %d: %.3f against genuine, %.3f against a 17th%n",
        few, found[0], found[1]);
  }

  private static double[] cells(EventRecording e) {
    int size = e.sensor().size();
    double[] out = new double[32 * size];
    for (int i = 0; i < e.size(); i++) {
      out[(int) Math.min(31, e.timeUs(i) / 10_000) * size + e.address(i)]++;
    }
    return out;
  }

  private static void sounds(Path bs1, Path folder) {
    EventRecording real = EventFiles.read(bs1);
    System.out.printf("%nN-TIDIGITS sample: %s%n", figures(real));
    Seeds seeds = new Seeds(1);
    ears("cochlea", real, ConvertedSets.sounds(folder, Cochlea.NTIDIGITS), 1);
    ears(
        "lauscher (700 channels)",
        real,
        ConvertedSets.sounds(folder, (wav, k) -> Lauscher.SHD.listen(wav, seeds.stream("ear", k))),
        45);
  }

  /// Every `step`-th take; the channels of the mean take against those of the genuine recording.
  private static void ears(String name, EventRecording real, RecordingSet set, int step) {
    int[] which = IntStream.range(0, set.size()).filter(i -> i % step == 0).toArray();
    EventRecording[] all = new EventRecording[which.length];
    IntStream.range(0, which.length).parallel().forEach(i -> all[i] = set.read(which[i]));
    double spikes = 0;
    double rate = 0;
    double best = -1;
    int channels = all[0].sensor().width();
    double[] mean = new double[64];
    int below = 0;
    for (EventRecording e : all) {
      spikes += e.size() / (double) all.length;
      rate += e.size() / (e.durationUs() * 1e-6) / all.length;
      double[] own = new double[64];
      for (int i = 0; i < e.size(); i++) {
        own[e.x(i) * 64 / channels]++;
        mean[e.x(i) * 64 / channels]++;
      }
      best = Math.max(best, Likeness.correlation(own, profile(real)));
      below += e.size() < real.size() ? 1 : 0;
    }
    System.out.printf(
        "%s, %d takes: %.0f spikes each, %.0f a second; channels of the mean take correlate with the sample by %.3f, of the most similar take by %.3f; %d takes have fewer spikes than the sample; first take: %s%n",
        name, all.length, spikes, rate, Likeness.correlation(mean, profile(real)), best, below, figures(all[0]));
  }

  private static double[] profile(EventRecording e) {
    double[] out = new double[64];
    for (int i = 0; i < e.size(); i++) {
      out[e.x(i)]++;
    }
    return out;
  }

  private static String figures(EventRecording e) {
    long[] last = new long[e.sensor().width()];
    Arrays.fill(last, -1);
    double[] gaps = new double[e.size()];
    int count = 0;
    for (int i = 0; i < e.size(); i++) {
      if (last[e.x(i)] >= 0) {
        gaps[count++] = (e.timeUs(i) - last[e.x(i)]) / 1000.0;
      }
      last[e.x(i)] = e.timeUs(i);
    }
    double[] sorted = Arrays.copyOf(gaps, count);
    Arrays.sort(sorted);
    long active = Arrays.stream(last).filter(t -> t >= 0).count();
    return String.format(
        "%d spikes in %.2f s on %d of %d channels, intervals of a channel %.1f / %.1f / %.1f ms (quartiles)",
        e.size(), e.durationUs() * 1e-6, active, last.length, sorted[count / 4], sorted[count / 2], sorted[3 * count / 4]);
  }
}
