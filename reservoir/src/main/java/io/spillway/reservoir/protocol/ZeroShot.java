package io.spillway.reservoir.protocol;

import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.learn.AlignedMeans;
import io.spillway.reservoir.learn.Contrastive;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.learn.Projection;
import io.spillway.reservoir.learn.Prototypes;
import io.spillway.reservoir.learn.RidgeReadout;
import io.spillway.reservoir.learn.Scaling;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// Recognition of classes never seen in training, from one sense to the other: the projections
/// learn on seen classes, then a recording of one sense finds its like among recordings of the
/// other.
///
/// Test recordings take no part in training or in choices; choices are made with
/// [Settings#validation()], which treats two seen classes as unseen.
public final class ZeroShot {
  private ZeroShot() {}

  /// How both senses come into one space.
  public sealed interface Method {
    /// Contrastive projections.
    record Contrast(Contrastive.Settings settings) implements Method {}

    /// The scores of the seen classes, centred: one ridge readout a sense.
    record ClassScores(double penalty) implements Method {}

    /// The cosines to the means of the seen classes, centred: the prototype baseline.
    record ClassMeans() implements Method {}

    /// The scores of the seen classes, whitened and turned so that the class means of both senses
    /// meet: Procrustes if `orthogonal`, else canonical correlation.
    record Aligned(double penalty, boolean orthogonal) implements Method {}
  }

  /// A protocol.
  ///
  /// @param seen labels that are trained
  /// @param unseen labels that are not
  /// @param testPerClass recordings of each class and sense kept for the test
  /// @param measure how a query finds its like
  public record Settings(
      List<Integer> seen, List<Integer> unseen, int testPerClass, Retrieval.Measure measure) {
    /// As published: digits 1 to 7 seen, 8 and 9 unseen, 100 of each class.
    public static final Settings PUBLISHED =
        new Settings(List.of(1, 2, 3, 4, 5, 6, 7), List.of(8, 9), 100, Retrieval.Measure.COSINE);

    public Settings {
      seen = List.copyOf(seen);
      unseen = List.copyOf(unseen);
      if (seen.size() < 2 || unseen.size() < 2 || seen.stream().anyMatch(unseen::contains)) {
        throw SpillwayException.badInput(
            "seen %s and unseen %s: two of each at least, none in both", seen, unseen);
      }
    }

    /// Every pair of seen classes in the role of the unseen ones; the unseen ones stay away.
    public List<Settings> validation() {
      java.util.ArrayList<Settings> out = new java.util.ArrayList<>();
      for (int i = 0; i < seen.size(); i++) {
        for (int j = i + 1; j < seen.size(); j++) {
          List<Integer> kept = new java.util.ArrayList<>(seen);
          kept.remove(seen.get(j));
          kept.remove(seen.get(i));
          out.add(new Settings(kept, List.of(seen.get(i), seen.get(j)), testPerClass, measure));
        }
      }
      return out;
    }
  }

  /// Shares of right answers.
  ///
  /// @param soundSeen sound to image among seen classes
  /// @param soundUnseen sound to image among unseen classes
  /// @param imageSeen image to sound among seen classes
  /// @param imageUnseen image to sound among unseen classes
  /// @param generalSeen sounds of seen classes among images of every class
  /// @param generalUnseen sounds of unseen classes among images of every class
  /// @param unseenAtBestEpoch sound to image among unseen classes in the epoch where the test came
  ///   out best: a choice on the test set, for comparison with figures chosen so; as `soundUnseen`
  ///   for methods in closed form
  public record Outcome(
      double soundSeen,
      double soundUnseen,
      double imageSeen,
      double imageUnseen,
      double generalSeen,
      double generalUnseen,
      double unseenAtBestEpoch) {
    /// The harmonic mean of the two generalised figures.
    public double harmonic() {
      double sum = generalSeen + generalUnseen;
      return sum == 0 ? 0 : 2 * generalSeen * generalUnseen / sum;
    }
  }

  /// Trains and tests once.
  ///
  /// @param images counts of the images' recordings, with labels
  /// @param testImages how many of them, from the first, may be tested; later ones only train
  /// @param sounds counts of the sounds, with labels
  public static Outcome run(
      Counts images,
      int[] imageLabels,
      int testImages,
      Counts sounds,
      int[] soundLabels,
      Settings settings,
      Method method,
      Seeds seeds) {
    Part image = new Part(images, imageLabels, testImages, settings, seeds, "images");
    Part sound = new Part(sounds, soundLabels, soundLabels.length, settings, seeds, "sounds");
    Retrieval.Measure measure = settings.measure();
    double[] best = {0};
    switch (method) {
      case Method.Contrast contrast ->
          Contrastive.train(
              image.rows(image.train),
              Splits.pick(imageLabels, image.train),
              sound.rows(sound.train),
              Splits.pick(soundLabels, sound.train),
              contrast.settings(),
              seeds.stream("contrastive"),
              model -> {
                image.embed(model.images());
                sound.embed(model.sounds());
                best[0] =
                    Math.max(
                        best[0],
                        retrieve(sound, settings.unseen(), image, settings.unseen(), measure));
              });
      case Method.ClassScores scores -> {
        image.score(settings.seen(), scores.penalty());
        sound.score(settings.seen(), scores.penalty());
      }
      case Method.ClassMeans _ -> {
        image.likeMeans(settings.seen());
        sound.likeMeans(settings.seen());
      }
      case Method.Aligned aligned -> {
        List<Integer> seen = settings.seen();
        image.score(seen, aligned.penalty());
        sound.score(seen, aligned.penalty());
        AlignedMeans maps =
            AlignedMeans.fit(
                image.embedded(image.train),
                image.places(seen),
                sound.embedded(sound.train),
                sound.places(seen),
                seen.size(),
                aligned.orthogonal());
        image.map(maps::first);
        sound.map(maps::second);
      }
    }
    List<Integer> all =
        java.util.stream.Stream.concat(settings.seen().stream(), settings.unseen().stream())
            .toList();
    double unseen = retrieve(sound, settings.unseen(), image, settings.unseen(), measure);
    return new Outcome(
        retrieve(sound, settings.seen(), image, settings.seen(), measure),
        unseen,
        retrieve(image, settings.seen(), sound, settings.seen(), measure),
        retrieve(image, settings.unseen(), sound, settings.unseen(), measure),
        retrieve(sound, settings.seen(), image, all, measure),
        retrieve(sound, settings.unseen(), image, all, measure),
        Math.max(best[0], unseen));
  }

  private static double retrieve(
      Part queries,
      List<Integer> asked,
      Part gallery,
      List<Integer> offered,
      Retrieval.Measure measure) {
    int[] q = queries.testOf(asked);
    int[] g = gallery.testOf(offered);
    return Retrieval.accuracy(
        queries.embedded(q),
        Splits.pick(queries.labels, q),
        gallery.embedded(g),
        Splits.pick(gallery.labels, g),
        measure);
  }

  /// One sense: its recordings, their division and their embeddings.
  private static final class Part {
    private final Counts counts;
    private final int[] labels;
    private final int[] train;
    private final int[] test;
    private final Scaling scaling;
    private final float[][] embeddings;

    Part(Counts counts, int[] labels, int testable, Settings settings, Seeds seeds, String name) {
      this.counts = counts;
      this.labels = labels;
      int[] order = Splits.shuffled(labels.length, seeds.stream(name));
      int[] taken = new int[1 + Arrays.stream(labels).max().orElse(0)];
      boolean[] forTest = new boolean[labels.length];
      for (int i : order) {
        int label = labels[i];
        if (i < testable
            && (settings.seen().contains(label) || settings.unseen().contains(label))
            && taken[label] < settings.testPerClass()) {
          taken[label]++;
          forTest[i] = true;
        }
      }
      test = Arrays.stream(order).filter(i -> forTest[i]).toArray();
      train =
          Arrays.stream(order)
              .filter(i -> !forTest[i] && settings.seen().contains(labels[i]))
              .toArray();
      if (train.length == 0) {
        throw SpillwayException.badInput(
            "no %s are left to train on; keep fewer than %d of each class for the test",
            name, settings.testPerClass());
      }
      scaling = Scaling.of(counts.select(train));
      embeddings = new float[labels.length][];
    }

    float[] row(int i) {
      float[] out = new float[counts.width()];
      counts.copy(i, out);
      scaling.apply(out);
      return out;
    }

    float[][] rows(int[] which) {
      return Arrays.stream(which).mapToObj(this::row).toArray(float[][]::new);
    }

    int[] testOf(List<Integer> classes) {
      return Arrays.stream(test).filter(i -> classes.contains(labels[i])).toArray();
    }

    void embed(Projection projection) {
      IntStream.of(test).parallel().forEach(i -> embeddings[i] = projection.embed(row(i)));
    }

    void score(List<Integer> seen, double penalty) {
      RidgeReadout readout =
          RidgeReadout.fit(counts.select(train), places(seen), seen.size(), penalty)[0];
      embedByScores(readout::scores);
    }

    void likeMeans(List<Integer> seen) {
      embedByScores(Prototypes.fit(counts.select(train), places(seen), seen.size())::scores);
    }

    private int[] places(List<Integer> seen) {
      return Arrays.stream(train).map(i -> seen.indexOf(labels[i])).toArray();
    }

    /// Maps the embeddings of the test.
    void map(UnaryOperator<float[]> map) {
      for (int i : test) {
        embeddings[i] = map.apply(embeddings[i]);
      }
    }

    private void embedByScores(UnaryOperator<float[]> scores) {
      IntStream.concat(IntStream.of(test), IntStream.of(train))
          .parallel()
          .forEach(i -> {
            float[] raw = new float[counts.width()];
            counts.copy(i, raw);
            float[] s = scores.apply(raw);
            float mean = 0;
            for (float v : s) {
              mean += v / s.length;
            }
            for (int k = 0; k < s.length; k++) {
              s[k] -= mean;
            }
            embeddings[i] = s;
          });
    }

    float[][] embedded(int[] which) {
      return Arrays.stream(which).mapToObj(i -> embeddings[i]).toArray(float[][]::new);
    }
  }
}
