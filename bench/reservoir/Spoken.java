import io.spillway.platform.Seeds;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.events.EventRecording;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Encoder;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.liquid.SpikeFrames;
import io.spillway.reservoir.protocol.ReadoutTrainer;
import io.spillway.reservoir.protocol.Splits;
import io.spillway.report.Spread;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Spoken digits through the cochlea of 64 channels, with and without the liquid: mixed speakers on
/// the fifth of the recordings that no choice of a setting has seen, with liquids of five seeds, and
/// each speaker left out in turn.
///
/// Arguments: the folder of WAV files.
public final class Spoken {
  public static void main(String[] a) {
    RecordingSet set = ConvertedSets.sounds(Path.of(a[0]), Cochlea.NTIDIGITS);
    int[] labels = set.indices(set.classes());
    int n = set.size();
    SpikeFrames[] frames = new SpikeFrames[n];
    double[] spikes = new double[n];
    Encoder.parallel(
        n,
        i -> {
          EventRecording recording = set.read(i);
          spikes[i] = recording.size();
          frames[i] = Framing.TIDIGITS.frames(recording);
        });
    System.out.printf("%d recordings, %.0f spikes each%n", n, Arrays.stream(spikes).average().orElse(0));
    Splits.Split mixed = Splits.folds(labels, 5, new Seeds(1).stream("folds"))[0];
    Counts raw = new Counts(n, 8 * frames[0].inputs());
    for (int i = 0; i < n; i++) {
      raw.set(i, frames[i].counts(8));
    }
    System.out.printf("mixed, without a liquid: %.2f %%%n", 100 * score(raw, labels, mixed));
    double[] accuracy = new double[5];
    Counts first = raw;
    for (int seed = 1; seed <= accuracy.length; seed++) {
      LiquidConfig config = LiquidConfig.LOCAL_SOUND.withSeed(seed);
      Liquid liquid = new Liquid(config, Framing.TIDIGITS);
      Counts counts = new Counts(n, config.segments() * config.neurons());
      Encoder.parallel(n, i -> counts.set(i, liquid.run(frames[i], i).counts()));
      accuracy[seed - 1] = score(counts, labels, mixed);
      System.out.printf("mixed, liquid of seed %d: %.2f %%%n", seed, 100 * accuracy[seed - 1]);
      first = seed == 1 ? counts : first;
    }
    System.out.println("mixed, five liquids: " + Spread.of(accuracy).percent());
    String[] speakers =
        IntStream.range(0, n).mapToObj(i -> ConvertedSets.speaker(set.name(i))).toArray(String[]::new);
    String[] names = Arrays.stream(speakers).distinct().sorted().toArray(String[]::new);
    double[] without = new double[names.length];
    double[] with = new double[names.length];
    for (int s = 0; s < names.length; s++) {
      String name = names[s];
      Splits.Split split =
          new Splits.Split(
              IntStream.range(0, n).filter(i -> !speakers[i].equals(name)).toArray(),
              IntStream.range(0, n).filter(i -> speakers[i].equals(name)).toArray());
      without[s] = score(raw, labels, split);
      with[s] = score(first, labels, split);
      System.out.printf("without %s: no liquid %.2f %%, liquid %.2f %%%n", name, 100 * without[s], 100 * with[s]);
    }
    System.out.println("speakers left out, no liquid: " + Spread.of(without).percent());
    System.out.println("speakers left out, liquid: " + Spread.of(with).percent());
  }

  private static double score(Counts counts, int[] labels, Splits.Split split) {
    return ReadoutTrainer.accuracy(
        ReadoutTrainer.train(
                counts.select(split.train()), Splits.pick(labels, split.train()), 10, new Seeds(1).stream("validation"))
            .readout()
            .predict(counts.select(split.test())),
        Splits.pick(labels, split.test()));
  }
}
