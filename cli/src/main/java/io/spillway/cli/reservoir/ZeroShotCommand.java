package io.spillway.cli.reservoir;

import io.spillway.cli.SpillwayCommand;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.report.Spread;
import io.spillway.report.TextTable;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Contrastive;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.protocol.Encoding;
import io.spillway.reservoir.protocol.KeptEncodings;
import io.spillway.reservoir.protocol.Retrieval;
import io.spillway.reservoir.protocol.SenseGeometry;
import io.spillway.reservoir.protocol.ZeroShot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `reservoir zero-shot`: from sound to image and back, for classes never seen in training.
@Command(
    name = "zero-shot",
    description = {
      "Learn to match sounds with event recordings on some digits and test on digits never seen:"
          + " from sound to image, from image to sound, and with every class in the gallery.",
      "The same command goes on after Ctrl-C or a kill: finished encodings lie in the folder of runs"
          + " until its end."
    })
public final class ZeroShotCommand extends SpillwayCommand {
  @Option(
      names = "--events",
      required = true,
      paramLabel = "PATH",
      description = "Recordings of written digits; tests take theirs from these only.")
  private Path events = Path.of("");

  @Option(
      names = "--sounds",
      required = true,
      paramLabel = "PATH",
      description =
          "Spoken digits: a folder of WAV files LABEL_SPEAKER_TAKE.wav, or recordings of a cochlea of"
              + " 64 channels: an N-TIDIGITS file (of which single digits are taken) or a folder.")
  private Path sounds = Path.of("");

  @Mixin private ImageOptions images = new ImageOptions();

  @Option(
      names = "--skip",
      defaultValue = "0",
      paramLabel = "N",
      description = "Images to leave out at the start; default ${DEFAULT-VALUE}.")
  private int skip;

  @Option(
      names = "--limit",
      defaultValue = "2000",
      paramLabel = "N",
      description = "Images to emulate at most; default ${DEFAULT-VALUE}.")
  private int limit = 2000;

  @Option(
      names = "--seen",
      split = ",",
      defaultValue = "1,2,3,4,5,6,7",
      paramLabel = "D,...",
      description = "Digits that are trained; default ${DEFAULT-VALUE}.")
  private List<String> seen = List.of();

  @Option(
      names = "--unseen",
      split = ",",
      defaultValue = "8,9",
      paramLabel = "D,...",
      description = "Digits that are only tested; default ${DEFAULT-VALUE}.")
  private List<String> unseen = List.of();

  @Option(
      names = "--method",
      defaultValue = "scores",
      paramLabel = "NAME",
      description =
          "scores (ridge scores of the seen classes), means (cosines to their means: the prototype"
              + " baseline), procrustes or canonical (scores turned so that the class means of both"
              + " senses meet), contrastive (published loss), normalised (unit length, learned"
              + " scale); default ${DEFAULT-VALUE}.")
  private String method = "scores";

  @Option(
      names = "--penalty",
      defaultValue = "0.1",
      paramLabel = "X",
      description =
          "Penalty of the class scores, relative to a recording's mean square; default"
              + " ${DEFAULT-VALUE}.")
  private double penalty = .1;

  @Option(
      names = "--measure",
      paramLabel = "NAME",
      description =
          "dot, cosine, centred, csls or prototype (class means in the gallery); default dot for the"
              + " published loss, cosine for the others. centred and csls look at all queries at"
              + " once.")
  private @Nullable String measure;

  @Option(
      names = "--epochs",
      defaultValue = "30",
      paramLabel = "N",
      description = "Passes of the contrastive methods; default ${DEFAULT-VALUE}.")
  private int epochs = 30;

  @Option(
      names = "--width",
      defaultValue = "64",
      paramLabel = "N",
      description = "Width of the contrastive embedding; default ${DEFAULT-VALUE}.")
  private int width = 64;

  @Option(
      names = "--seeds",
      defaultValue = "5",
      paramLabel = "N",
      description = "Divisions and trainings; default ${DEFAULT-VALUE}.")
  private int seeds = 5;

  @Option(
      names = "--test-per-class",
      defaultValue = "80",
      paramLabel = "N",
      description = "Recordings of each class and sense for the test; default ${DEFAULT-VALUE}.")
  private int testPerClass = 80;

  @Option(
      names = "--validate",
      description =
          "Hold out every pair of seen digits in turn instead; the unseen digits take no part.")
  private boolean validate;

  @Mixin private EngineOptions engine = new EngineOptions();

  @Override
  protected void execute() {
    if (seeds < 2 || seeds > 100) {
      throw SpillwayException.badInput("--seeds %d, 2 to 100 are possible", seeds);
    }
    if (!(penalty > 0)) {
      throw SpillwayException.badInput("--penalty %s, above 0 is possible", penalty);
    }
    try (KeptEncodings seen = Keeping.beside(runsFolder().resolve("reservoir-zero-shot-seen"));
        KeptEncodings more = Keeping.beside(runsFolder().resolve("reservoir-zero-shot-emulated"));
        KeptEncodings heard = Keeping.beside(runsFolder().resolve("reservoir-zero-shot-heard"))) {
      match(new Kept(seen, more, heard));
      seen.remove();
      more.remove();
      heard.remove();
    }
  }

  private record Kept(KeptEncodings seen, KeptEncodings emulated, KeptEncodings heard) {}

  private void match(Kept kept) {
    ZeroShot.Method chosen = method();
    Retrieval.Measure how = measure(chosen);
    RecordingSet heardSet = heard();
    List<String> names = heardSet.classes();
    RecordingSet seenSet = known(RecordingSet.open(events), names, events);
    int[] soundLabels = heardSet.indices(names);
    RecordingSet visual = seenSet;
    LiquidConfig eye = LiquidConfig.LOCAL_NMNIST.withNeurons(784);
    Counts counts = encode(eye, Framing.NMNIST, visual, kept.seen());
    int[] labels = visual.indices(names);
    RecordingSet emulated = images.open(1);
    if (emulated != null) {
      RecordingSet more = known(SetOptions.slice(emulated, skip, limit), names, events);
      counts = Counts.join(counts, encode(eye, Framing.NMNIST, more, kept.emulated()));
      labels = IntStream.concat(IntStream.of(labels), IntStream.of(more.indices(names))).toArray();
    }
    LiquidConfig ear = LiquidConfig.LOCAL_SOUND.withNeurons(500);
    Counts heard = encode(ear, Framing.TIDIGITS, heardSet, kept.heard());
    ZeroShot.Settings base =
        new ZeroShot.Settings(places(seen, names), places(unseen, names), testPerClass, how);
    List<ZeroShot.Outcome> outcomes = new ArrayList<>();
    List<ZeroShot.Settings> runs = validate ? base.validation() : List.of(base);
    int repeats = validate ? 1 : seeds;
    for (ZeroShot.Settings settings : runs) {
      for (int s = 1; s <= repeats; s++) {
        outcomes.add(
            ZeroShot.run(
                counts,
                labels,
                seenSet.size(),
                heard,
                soundLabels,
                settings,
                chosen,
                new Seeds(s)));
      }
    }
    List<Integer> compared = new ArrayList<>(base.seen());
    if (!validate) {
      compared.addAll(base.unseen());
    }
    report(
        outcomes,
        base,
        runs.size(),
        SenseGeometry.of(counts, labels, heard, soundLabels, compared, new Seeds(1)));
  }

  private RecordingSet heard() {
    if (Files.isDirectory(sounds) && ConvertedSets.holdsSounds(sounds)) {
      return ConvertedSets.sounds(sounds, Cochlea.NTIDIGITS);
    }
    return RecordingSet.open(sounds, RecordingSet.Part.ALL, true);
  }

  /// The recordings whose class has a name among the sounds: those of digits never spoken there
  /// take no part.
  private static RecordingSet known(RecordingSet set, List<String> names, Path source) {
    int[] kept = IntStream.range(0, set.size()).filter(i -> names.contains(set.label(i))).toArray();
    if (kept.length == 0) {
      throw SpillwayException.badInput(
          "%s has the classes %s, the sounds have %s: none in common",
          source, set.classes(), names);
    }
    return kept.length == set.size() ? set : set.select(kept);
  }

  private Counts encode(
      LiquidConfig config, Framing framing, RecordingSet set, KeptEncodings kept) {
    Liquid liquid = new Liquid(config, framing);
    return Encoding.of(liquid, engine.engine(), set, kept, progress()).counts();
  }

  private void report(
      List<ZeroShot.Outcome> outcomes, ZeroShot.Settings base, int pairs, SenseGeometry geometry) {
    int kept = validate ? base.seen().size() - 2 : base.seen().size();
    int hidden = validate ? 2 : base.unseen().size();
    Map<String, Object> results = new LinkedHashMap<>();
    results.put("method", method);
    results.put("measure", base.measure());
    results.put("runs", outcomes.size());
    TextTable table = new TextTable("figure", "accuracy (95 %)", "chance");
    row(table, results, "sound to image, seen", outcomes, ZeroShot.Outcome::soundSeen, kept);
    row(table, results, "sound to image, unseen", outcomes, ZeroShot.Outcome::soundUnseen, hidden);
    row(table, results, "image to sound, seen", outcomes, ZeroShot.Outcome::imageSeen, kept);
    row(table, results, "image to sound, unseen", outcomes, ZeroShot.Outcome::imageUnseen, hidden);
    int all = kept + hidden;
    row(table, results, "every class offered, seen", outcomes, ZeroShot.Outcome::generalSeen, all);
    row(
        table,
        results,
        "every class offered, unseen",
        outcomes,
        ZeroShot.Outcome::generalUnseen,
        all);
    row(table, results, "harmonic mean", outcomes, ZeroShot.Outcome::harmonic, all);
    row(
        table,
        results,
        "unseen in the epoch best on the test",
        outcomes,
        ZeroShot.Outcome::unseenAtBestEpoch,
        hidden);
    if (hidden == 2) {
      // what one more bit would give: which of the two shapes belongs to which word
      row(
          table,
          results,
          "sound to image, unseen, order given",
          outcomes,
          o -> Math.max(o.soundUnseen(), 1 - o.soundUnseen()),
          hidden);
      results.put(
          "runs_above_80_percent", outcomes.stream().filter(o -> o.soundUnseen() >= .8).count());
      results.put(
          "runs_below_20_percent", outcomes.stream().filter(o -> o.soundUnseen() <= .2).count());
    }
    results.put("geometry", geometry);
    record(newRunFolder(), 1, results);
    answer(
        results,
        String.format(
            "%s, %s: %d runs%s%n%n%s%n%s",
            method,
            base.measure().name().toLowerCase(Locale.ROOT),
            outcomes.size(),
            validate ? " over " + pairs + " pairs of seen digits held out" : "",
            table.render(),
            String.format(
                Locale.ROOT,
                "distances of the class means in both senses correlate by %.2f (%.1f %% of random"
                    + " assignments reach that); they tell the order of %d of %d pairs",
                geometry.correlation(),
                100 * geometry.byChance(),
                geometry.pairsRight(),
                geometry.pairs())));
  }

  private static void row(
      TextTable table,
      Map<String, Object> results,
      String name,
      List<ZeroShot.Outcome> outcomes,
      ToDoubleFunction<ZeroShot.Outcome> of,
      int classes) {
    Spread spread = Spread.of(outcomes.stream().mapToDouble(of).toArray());
    results.put(name.replace(",", "").replace(' ', '_'), ProbeCommand.figures(spread));
    table.row(name, spread.percent(), String.format("%.1f %%", 100.0 / classes));
  }

  private static List<Integer> places(List<String> digits, List<String> names) {
    List<Integer> out = new ArrayList<>();
    for (String digit : digits) {
      int place = names.indexOf(digit.strip());
      if (place < 0) {
        throw SpillwayException.badInput("class '%s' is none of %s", digit, names);
      }
      out.add(place);
    }
    return out;
  }

  private ZeroShot.Method method() {
    return switch (method) {
      case "scores" -> new ZeroShot.Method.ClassScores(penalty);
      case "procrustes" -> new ZeroShot.Method.Aligned(penalty, true);
      case "canonical" -> new ZeroShot.Method.Aligned(penalty, false);
      case "means" -> new ZeroShot.Method.ClassMeans();
      case "contrastive" ->
          new ZeroShot.Method.Contrast(
              new Contrastive.Settings(width, 8, epochs, 1e-3, .1, new Contrastive.Loss.Soft(1)));
      case "normalised" ->
          new ZeroShot.Method.Contrast(
              new Contrastive.Settings(
                  width, 64, epochs, 1e-3, .1, new Contrastive.Loss.Normalised(10)));
      default ->
          throw SpillwayException.badInput(
              "--method %s, known: scores, means, procrustes, canonical, contrastive, normalised",
              method);
    };
  }

  private Retrieval.Measure measure(ZeroShot.Method chosen) {
    if (measure == null) {
      return chosen instanceof ZeroShot.Method.Contrast c
              && c.settings().loss() instanceof Contrastive.Loss.Soft
          ? Retrieval.Measure.DOT
          : Retrieval.Measure.COSINE;
    }
    for (Retrieval.Measure m : Retrieval.Measure.values()) {
      if (m.name().equalsIgnoreCase(measure)) {
        return m;
      }
    }
    throw SpillwayException.badInput(
        "--measure %s, known: dot, cosine, centred, csls, prototype", measure);
  }
}
