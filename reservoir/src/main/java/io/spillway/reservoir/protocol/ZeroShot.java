package io.spillway.reservoir.protocol;

import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.learn.Contrastive;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.learn.Projection;
import io.spillway.reservoir.learn.RidgeReadout;
import io.spillway.reservoir.learn.Scaling;
import java.util.Arrays;
import java.util.List;
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
  }

  /// A protocol.
  ///
  /// @param seen labels that are trained
  /// @param unseen labels that are not
  /// @param testPerClass recordings of each class and sense kept for the test
  public record Settings(List<Integer> seen, List<Integer> unseen, int testPerClass) {
    /// As published: digits 1 to 7 seen, 8 and 9 unseen, 100 of each class.
    public static final Settings PUBLISHED =
        new Settings(List.of(1, 2, 3, 4, 5, 6, 7), List.of(8, 9), 100);

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
          out.add(new Settings(kept, List.of(seen.get(i), seen.get(j)), testPerClass));
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
  public record Outcome(
      double soundSeen,
      double soundUnseen,
      double imageSeen,
      double imageUnseen,
      double generalSeen,
      double generalUnseen) {
    /// The harmonic mean of the two generalised figures.
    public double harmonic() {
      double sum = generalSeen + generalUnseen;
      return sum == 0 ? 0 : 2 * generalSeen * generalUnseen / sum;
    }
  }

  /// Trains and tests once.
  ///
  /// @param images counts of the images' recordings, with labels
  /// @param sounds counts of the sounds, with labels
  public static Outcome run(
      Counts images,
      int[] imageLabels,
      Counts sounds,
      int[] soundLabels,
      Settings settings,
      Method method,
      Seeds seeds) {
    Part image = new Part(images, imageLabels, settings, seeds, "images");
    Part sound = new Part(sounds, soundLabels, settings, seeds, "sounds");
    switch (method) {
      case Method.Contrast contrast -> {
        Contrastive model =
            Contrastive.train(
                image.rows(image.train),
                Splits.pick(imageLabels, image.train),
                sound.rows(sound.train),
                Splits.pick(soundLabels, sound.train),
                contrast.settings(),
                seeds.stream("contrastive"));
        image.embed(model.images());
        sound.embed(model.sounds());
      }
      case Method.ClassScores scores -> {
        image.score(settings.seen(), scores.penalty());
        sound.score(settings.seen(), scores.penalty());
      }
    }
    boolean cosine =
        switch (method) {
          case Method.Contrast contrast ->
              contrast.settings().loss() instanceof Contrastive.Loss.Normalised;
          case Method.ClassScores _ -> true;
        };
    List<Integer> all =
        java.util.stream.Stream.concat(settings.seen().stream(), settings.unseen().stream())
            .toList();
    return new Outcome(
        retrieve(sound, settings.seen(), image, settings.seen(), cosine),
        retrieve(sound, settings.unseen(), image, settings.unseen(), cosine),
        retrieve(image, settings.seen(), sound, settings.seen(), cosine),
        retrieve(image, settings.unseen(), sound, settings.unseen(), cosine),
        retrieve(sound, settings.seen(), image, all, cosine),
        retrieve(sound, settings.unseen(), image, all, cosine));
  }

  private static double retrieve(
      Part queries, List<Integer> asked, Part gallery, List<Integer> offered, boolean cosine) {
    int[] q = queries.testOf(asked);
    int[] g = gallery.testOf(offered);
    return Retrieval.accuracy(
        queries.embedded(q),
        Splits.pick(queries.labels, q),
        gallery.embedded(g),
        Splits.pick(gallery.labels, g),
        cosine);
  }

  /// One sense: its recordings, their division and their embeddings.
  private static final class Part {
    private final Counts counts;
    private final int[] labels;
    private final int[] train;
    private final int[] test;
    private final Scaling scaling;
    private final float[][] embeddings;

    Part(Counts counts, int[] labels, Settings settings, Seeds seeds, String name) {
      this.counts = counts;
      this.labels = labels;
      int[] order = Splits.shuffled(labels.length, seeds.stream(name));
      int[] taken = new int[1 + Arrays.stream(labels).max().orElse(0)];
      boolean[] forTest = new boolean[labels.length];
      for (int i : order) {
        int label = labels[i];
        if ((settings.seen().contains(label) || settings.unseen().contains(label))
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
      int[] places = Arrays.stream(train).map(i -> seen.indexOf(labels[i])).toArray();
      RidgeReadout readout =
          RidgeReadout.fit(counts.select(train), places, seen.size(), penalty)[0];
      IntStream.of(test)
          .parallel()
          .forEach(i -> {
            float[] raw = new float[counts.width()];
            counts.copy(i, raw);
            float[] s = readout.scores(raw);
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
