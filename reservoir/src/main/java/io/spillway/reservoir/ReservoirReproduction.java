package io.spillway.reservoir;

import io.spillway.platform.Seeds;
import io.spillway.report.Claim;
import io.spillway.report.Claim.Better;
import io.spillway.report.Claim.Finding;
import io.spillway.report.Claim.Published;
import io.spillway.report.Reproduction;
import io.spillway.report.Spread;
import io.spillway.reservoir.convert.Cochlea;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.energy.EnergyModel;
import io.spillway.reservoir.events.RecordingSet;
import io.spillway.reservoir.learn.Counts;
import io.spillway.reservoir.liquid.Engine;
import io.spillway.reservoir.liquid.Framing;
import io.spillway.reservoir.liquid.Liquid;
import io.spillway.reservoir.liquid.LiquidConfig;
import io.spillway.reservoir.protocol.CrossValidation;
import io.spillway.reservoir.protocol.Encoding;
import io.spillway.reservoir.protocol.Retrieval;
import io.spillway.reservoir.protocol.ZeroShot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What the zero-shot liquid state machine claims, on genuine recordings where they are at hand.
public final class ReservoirReproduction implements Reproduction {
  private static final String NMNIST = "nmnist-train";
  private static final String SPOKEN = "fsdd-train";
  private static final String NATURE = "Nature Computational Science 5, 2025";

  private final Map<Integer, ZeroShot.Outcome[]> zeroShot = new ConcurrentHashMap<>();

  @Override
  public String system() {
    return "reservoir";
  }

  @Override
  public String paper() {
    return "Resistive memory-based zero-shot liquid state machine for multimodal event data (2025)";
  }

  @Override
  public List<Claim> claims() {
    return List.of(
        new Claim(
            "nmnist",
            "a random reservoir on resistive memory recognises N-MNIST",
            Published.of(89.66, "%", Better.HIGHER, NATURE),
            "1,000 genuine recordings by folds instead of 60,000; 1,936 neurons with local fields"
                + " instead of 200, read noise on",
            s -> folds(s, LiquidConfig.LOCAL_NMNIST, Framing.NMNIST)),
        new Claim(
            "nmnist-published-size",
            "so does the published network of 200 neurons",
            Published.of(89.66, "%", Better.HIGHER, NATURE),
            "1,000 genuine recordings by folds instead of 60,000; the network as published, ridge"
                + " readout",
            s -> folds(s, LiquidConfig.PUBLISHED_NMNIST, Framing.NMNIST_CENTRE)),
        new Claim(
            "noise-costs",
            "read noise of the memory costs no accuracy",
            Published.of(0.55, "points gained", Better.HIGHER, "89.66 on the array, 89.11 without"),
            "1,936 neurons with local fields, the same folds with and without noise",
            ReservoirReproduction::noise),
        new Claim(
            "seen-classes",
            "a spoken digit finds its image among the seen classes",
            Published.of(67.42, "%", Better.HIGHER, "LSM on the array, audio to image"),
            "N-MNIST genuine, sound from FSDD through a cochlea; contrastive, unit length",
            s -> retrieval(s, ZeroShot.Outcome::soundSeen)),
        new Claim(
            "unseen-classes",
            "and among classes that were never trained",
            Published.of(87.5, "%", Better.HIGHER, "LSM on the array, audio to image, chance 50 %"),
            "as above",
            s -> retrieval(s, ZeroShot.Outcome::soundUnseen)),
        new Claim(
            "energy",
            "the array takes a twentieth of a digital chip's energy",
            Published.of(23.34, "x", Better.HIGHER, "N-MNIST"),
            "the group's own accounting, spikes counted on recordings of ours",
            ReservoirReproduction::energy),
        new Claim(
            "training-cost",
            "training costs 152.8 times less than the recurrent contrastive network",
            Published.of(152.83, "x", Better.HIGHER, "against SRNN-CLIP, audio-visual"),
            "the sizes of the networks compared there are not at hand",
            _ ->
                new Finding.NotMeasurable(
                    "the paper's ratio counts networks whose sizes are not published with it")));
  }

  /// The folder of a set, from its archive where only that is there.
  private static <T> Optional<T> with(
      Reproduction.Setting setting, String part, String name, String archive, Use<T> use) {
    Path folder = setting.data().resolve(part).resolve(name);
    if (Files.isDirectory(folder)) {
      return Optional.of(use.of(folder));
    }
    Path packed = setting.data().resolve(part).resolve(archive);
    if (!Files.exists(packed)) {
      return Optional.empty();
    }
    try {
      Path here = Files.createTempDirectory("spillway-data");
      try {
        Process tar =
            new ProcessBuilder("tar", "-xzf", packed.toString(), "-C", here.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return tar.waitFor() == 0 ? Optional.of(use.of(here.resolve(name))) : Optional.empty();
      } finally {
        try (Stream<Path> files = Files.walk(here)) {
          for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
            Files.delete(file);
          }
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private interface Use<T> {
    T of(Path folder);
  }

  private static <T> Optional<T> nmnist(Reproduction.Setting setting, Use<T> use) {
    return with(setting, "events", NMNIST, "nmnist-train-1000.tar.gz", use);
  }

  private static Finding absent(String what) {
    return new Finding.NotMeasurable(
        what + " is not there; name the data's folder by --data (docs/data.md)");
  }

  private static Spread accuracy(
      Path folder, LiquidConfig config, Framing framing, Reproduction.Setting setting) {
    return CrossValidation.run(
            RecordingSet.open(folder),
            config.withSeed(setting.seeds().seed()),
            framing,
            new Engine.Sparse(),
            setting.choose(3, 5),
            setting.seeds(),
            setting.progress())
        .accuracy();
  }

  private static Finding folds(Reproduction.Setting setting, LiquidConfig config, Framing framing) {
    return nmnist(
            setting,
            folder -> {
              double[] values = accuracy(folder, config, framing, setting).values();
              return (Finding) Finding.Measured.mean(percent(values), "folds", Map.of());
            })
        .orElseGet(() -> absent(NMNIST));
  }

  private static double[] percent(double[] shares) {
    return java.util.Arrays.stream(shares).map(v -> 100 * v).toArray();
  }

  private static Finding noise(Reproduction.Setting setting) {
    return nmnist(
            setting,
            folder -> {
              LiquidConfig config = LiquidConfig.LOCAL_NMNIST;
              double[] with = accuracy(folder, config, Framing.NMNIST, setting).values();
              double[] without =
                  accuracy(folder, config.withNoise(false), Framing.NMNIST, setting).values();
              double[] gain = new double[with.length];
              java.util.Arrays.setAll(gain, i -> 100 * (with[i] - without[i]));
              return (Finding) Finding.Measured.mean(gain, "folds", Map.of());
            })
        .orElseGet(() -> absent(NMNIST));
  }

  private interface Share {
    double of(ZeroShot.Outcome outcome);
  }

  private Finding retrieval(Reproduction.Setting setting, Share share) {
    int seeds = setting.choose(3, 5);
    ZeroShot.Outcome @Nullable [] outcomes = zeroShot.get(seeds);
    if (outcomes == null) {
      Optional<ZeroShot.Outcome[]> measured =
          nmnist(
                  setting,
                  images ->
                      with(
                          setting,
                          "speech",
                          SPOKEN,
                          "fsdd-train-2700.tar.gz",
                          sounds -> across(images, sounds, seeds, setting)))
              .flatMap(inner -> inner);
      if (measured.isEmpty()) {
        return absent(NMNIST + " or " + SPOKEN);
      }
      outcomes = measured.get();
      zeroShot.put(seeds, outcomes);
    }
    double[] values = Stream.of(outcomes).mapToDouble(o -> 100 * share.of(o)).toArray();
    return Finding.Measured.mean(values, "seeds", Map.of("values", values));
  }

  private static ZeroShot.Outcome[] across(
      Path imageFolder, Path soundFolder, int seeds, Reproduction.Setting setting) {
    RecordingSet images = RecordingSet.open(imageFolder);
    RecordingSet all = ConvertedSets.sounds(soundFolder, Cochlea.NTIDIGITS);
    // a quick run takes every third sound
    int step = setting.choose(3, 1);
    RecordingSet sounds =
        all.select(IntStream.range(0, all.size()).filter(i -> i % step == 0).toArray());
    Counts seen =
        counts(images, LiquidConfig.LOCAL_NMNIST.withNeurons(784), Framing.NMNIST, setting);
    Counts heard =
        counts(sounds, LiquidConfig.DENSE_SOUND.withNeurons(500), Framing.TIDIGITS, setting);
    ZeroShot.Settings protocol =
        new ZeroShot.Settings(
            ZeroShot.Settings.PUBLISHED.seen(),
            ZeroShot.Settings.PUBLISHED.unseen(),
            40,
            Retrieval.Measure.COSINE);
    ZeroShot.Method method = new ZeroShot.Method.ClassScores(1);
    ZeroShot.Outcome[] out = new ZeroShot.Outcome[seeds];
    for (int s = 0; s < seeds; s++) {
      out[s] =
          ZeroShot.run(
              seen,
              digits(images),
              images.size(),
              heard,
              digits(sounds),
              protocol,
              method,
              new Seeds(setting.seeds().seed() + s));
    }
    return out;
  }

  private static int[] digits(RecordingSet set) {
    return IntStream.range(0, set.size()).map(i -> Integer.parseInt(set.label(i))).toArray();
  }

  private static Counts counts(
      RecordingSet set, LiquidConfig config, Framing framing, Reproduction.Setting setting) {
    Liquid liquid = new Liquid(config.withSeed(setting.seeds().seed()), framing);
    return Encoding.of(liquid, new Engine.Sparse(), set, setting.progress()).counts();
  }

  private static Finding energy(Reproduction.Setting setting) {
    return nmnist(
            setting,
            folder -> {
              RecordingSet set = RecordingSet.open(folder);
              Framing framing = Framing.NMNIST_CENTRE;
              LiquidConfig config = LiquidConfig.PUBLISHED_NMNIST.withSeed(setting.seeds().seed());
              Liquid liquid = new Liquid(config, framing);
              double[] ratios = new double[setting.choose(50, 500)];
              for (int i = 0; i < ratios.length; i++) {
                ratios[i] =
                    EnergyModel.PUBLISHED
                        .of(
                            config,
                            framing.inputs(),
                            framing.steps(),
                            10,
                            liquid.run(framing.frames(set.read(i)), i))
                        .groupRatio();
              }
              Map<String, Object> figures = new HashMap<>();
              figures.put("recordings", ratios.length);
              return (Finding) Finding.Measured.mean(ratios, "recordings", figures);
            })
        .orElseGet(() -> absent(NMNIST));
  }
}
