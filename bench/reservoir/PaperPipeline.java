import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.report.Spread;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Contrastive;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.protocol.Encoding;
import io.spillway.reservoir.protocol.Retrieval;
import io.spillway.reservoir.protocol.ZeroShot;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// The published pipeline as it stands: liquids of 200 neurons with the published constants on the
/// centre crop and on 64 channels, one count a neuron, contrastive projections of 128 with the
/// published loss, batches of 8; the gallery as published (every recording, dot product) and with
/// class means in it. No choice is made on anything that is tested: the last epoch counts, and
/// beside it stands the epoch that is best on the test.
///
/// Every pair of the seen digits is held out in turn, with liquids of several seeds; digits 8 and 9
/// take no part unless `published` is the last argument, which runs the published division.
///
/// Arguments: the folder of recordings, the folder of WAV files, epochs, seeds of liquids, pairs or
/// published.
public final class PaperPipeline {
  public static void main(String[] a) {
    RecordingSet written = RecordingSet.open(Path.of(a[0]));
    RecordingSet spoken = ConvertedSets.sounds(Path.of(a[1]), Cochlea.NTIDIGITS);
    int epochs = Integer.parseInt(a[2]);
    int seeds = Integer.parseInt(a[3]);
    List<String> names = spoken.classes();
    int[] imageLabels = written.indices(names);
    int[] soundLabels = spoken.indices(names);
    ZeroShot.Settings base =
        new ZeroShot.Settings(
            List.of(1, 2, 3, 4, 5, 6, 7), List.of(8, 9), 80, Retrieval.Measure.DOT);
    List<ZeroShot.Settings> runs =
        a[4].equals("published") ? List.of(base) : base.validation();
    ZeroShot.Method method =
        new ZeroShot.Method.Contrast(
            new Contrastive.Settings(128, 8, epochs, 1e-3, .1, new Contrastive.Loss.Soft(1)));
    List<double[]> all = new ArrayList<>();
    for (int seed = 1; seed <= seeds; seed++) {
      Counts images = encode(written, LiquidConfig.PUBLISHED_NMNIST, Framing.NMNIST_CENTRE, seed);
      Counts sounds = encode(spoken, LiquidConfig.PUBLISHED_TIDIGITS, Framing.TIDIGITS, seed);
      int s = seed;
      double[][] found = new double[runs.size()][];
      IntStream.range(0, runs.size())
          .parallel()
          .forEach(k -> {
            double[] row = new double[5];
            for (int m = 0; m < 2; m++) {
              ZeroShot.Settings settings =
                  new ZeroShot.Settings(
                      runs.get(k).seen(),
                      runs.get(k).unseen(),
                      80,
                      m == 0 ? Retrieval.Measure.DOT : Retrieval.Measure.PROTOTYPE);
              // the same seed trains the same projections; only the gallery differs
              ZeroShot.Outcome o =
                  ZeroShot.run(
                      images, imageLabels, imageLabels.length, sounds, soundLabels, settings,
                      method, new Seeds(s));
              row[m == 0 ? 0 : 3] = o.soundSeen();
              row[m == 0 ? 1 : 4] = o.soundUnseen();
              row[2] = m == 0 ? o.unseenAtBestEpoch() : row[2];
            }
            found[k] = row;
          });
      for (int k = 0; k < runs.size(); k++) {
        all.add(found[k]);
        System.out.printf(
            "liquid %d, unseen %s: seen %.1f unseen %.1f best epoch %.1f | class means: seen %.1f unseen %.1f%n",
            seed, runs.get(k).unseen(), 100 * found[k][0], 100 * found[k][1], 100 * found[k][2],
            100 * found[k][3], 100 * found[k][4]);
      }
    }
    String[] what = {
      "seen", "unseen", "unseen, epoch best on the test", "class means in the gallery: seen",
      "class means in the gallery: unseen"
    };
    for (int c = 0; c < what.length; c++) {
      int column = c;
      double[] values = all.stream().mapToDouble(r -> r[column]).toArray();
      System.out.printf(
          "%s: %s over %d runs, %.1f to %.1f %%%n",
          what[c],
          Spread.of(values).percent(),
          values.length,
          100 * Arrays.stream(values).min().orElse(0),
          100 * Arrays.stream(values).max().orElse(0));
    }
  }

  private static Counts encode(RecordingSet set, LiquidConfig config, Framing framing, long seed) {
    Liquid liquid = new Liquid(config.withSeed(seed), framing);
    return Encoding.of(liquid, new Engine.Sparse(), set, Progress.silent()).counts();
  }
}
