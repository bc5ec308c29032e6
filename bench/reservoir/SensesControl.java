import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.report.Spread;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.protocol.Encoding;
import io.spillway.reservoir.protocol.Retrieval;
import io.spillway.reservoir.protocol.SenseGeometry;
import io.spillway.reservoir.protocol.ZeroShot;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/// The zero-shot protocol where an answer is known to exist: genuine recordings through one liquid
/// in the place of the images, emulated recordings of other images of the same digits through
/// another liquid in the place of the sounds. Only the classes are shared, as between image and
/// sound, but here the likeness of classes is the same in both. Every pair of the seen digits is
/// held out in turn; digits 8 and 9 take no part.
///
/// Arguments: the folder of recordings, the IDX images, their labels, how many to emulate.
public final class SensesControl {
  public static void main(String[] a) {
    RecordingSet genuine = RecordingSet.open(Path.of(a[0]));
    RecordingSet all =
        ConvertedSets.images(Path.of(a[1]), Path.of(a[2]), PixelModel.NMNIST, false, new Seeds(1));
    // the genuine recordings show the first thousand images
    RecordingSet emulated =
        all.select(IntStream.range(1000, 1000 + Integer.parseInt(a[3])).toArray());
    List<String> names = genuine.classes();
    int[] labels = genuine.indices(names);
    int[] otherLabels = emulated.indices(names);
    Counts counts = encode(genuine, 1);
    Counts other = encode(emulated, 2);
    ZeroShot.Settings base =
        new ZeroShot.Settings(
            List.of(1, 2, 3, 4, 5, 6, 7), List.of(8, 9), 80, Retrieval.Measure.COSINE);
    for (ZeroShot.Method method :
        new ZeroShot.Method[] {
          new ZeroShot.Method.ClassScores(.1),
          new ZeroShot.Method.Aligned(.1, true),
          new ZeroShot.Method.Aligned(.1, false)
        }) {
      double[] seen = new double[base.validation().size()];
      double[] unseen = new double[seen.length];
      for (int k = 0; k < seen.length; k++) {
        ZeroShot.Outcome outcome =
            ZeroShot.run(
                counts,
                labels,
                labels.length,
                other,
                otherLabels,
                base.validation().get(k),
                method,
                new Seeds(1));
        seen[k] = outcome.soundSeen();
        unseen[k] = outcome.soundUnseen();
      }
      System.out.printf(
          "%s: seen %s, unseen %s over %d pairs%n",
          method, Spread.of(seen).percent(), Spread.of(unseen).percent(), seen.length);
    }
    System.out.println(
        SenseGeometry.of(counts, labels, other, otherLabels, base.seen(), new Seeds(1)));
  }

  private static Counts encode(RecordingSet set, long seed) {
    Liquid liquid =
        new Liquid(LiquidConfig.LOCAL_NMNIST.withNeurons(784).withSeed(seed), Framing.NMNIST);
    return Encoding.of(liquid, new Engine.Sparse(), set, Progress.silent()).counts();
  }
}
