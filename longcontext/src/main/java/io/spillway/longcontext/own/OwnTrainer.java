package io.spillway.longcontext.own;

import io.spillway.longcontext.AdamW;
import io.spillway.longcontext.Ahead;
import io.spillway.longcontext.tasks.Task;
import io.spillway.models.ConfigReader;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.tensor.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/// Trains our own model from nothing: mixed retrieval tasks in generated text, first short, then as
/// long as the model will be able to read. Tasks that are solved badly come more often. The weights
/// that did best in the examination are written; an interrupted training goes on from
/// `training.checkpoint` in the model's folder, whatever it was killed by.
///
/// On a GPU the forward pass runs in bf16 over an f32 master copy, rows are made ahead on several
/// threads and nothing waits for the device between two examinations.
public final class OwnTrainer {
  private static final int AHEAD = 16;

  /// Seconds between two checkpoints.
  static final double SAVE_SECONDS = 45;

  private final Recipe recipe;
  private final Optional<Start> from;
  private final ComputeDevice device;
  private final DType type;
  private final double saveSeconds;
  private final OwnVocabulary vocabulary = new OwnVocabulary();
  private final DecoderConfig config;
  private final Seeds seeds;
  private final TensorHolder holder = new TensorHolder();
  private final Map<String, Tensor> weights = new LinkedHashMap<>();
  private final Map<Integer, Decoder.Angles> angles = new HashMap<>();
  private final Map<String, Tensor> best = new LinkedHashMap<>();
  private Map<Task, Double> accuracy = new EnumMap<>(Task.class);
  private double bestScore = -1;
  private int ordered;
  private double spent;

  private OwnTrainer(
      Recipe recipe, Optional<Start> from, ComputeDevice device, DType type, double saveSeconds) {
    this.saveSeconds = saveSeconds;
    this.recipe = recipe;
    this.from = from;
    this.device = device;
    this.type = type;
    this.config =
        from.map(start -> ConfigReader.read(start.from()))
            .orElseGet(() ->
                OwnModel.config(vocabulary, recipe.hidden(), recipe.layers(), recipe.longest()));
    if (config.vocabulary() < vocabulary.size() || config.maxPositions() != recipe.longest()) {
      throw SpillwayException.badInput(
          "the model to go on from has %d tokens and %d positions, this training needs %d and %d",
          config.vocabulary(), config.maxPositions(), vocabulary.size(), recipe.longest());
    }
    this.seeds = new Seeds(recipe.seed());
    for (Task task : Task.values()) {
      accuracy.put(task, 0.0);
    }
  }

  /// How a training ended.
  ///
  /// @param exact share of examined samples answered exactly, by task, of the written weights
  public record Outcome(long parameters, int steps, Map<String, Double> exact, double seconds) {}

  /// Trains and writes a model's folder.
  ///
  /// @param from trained weights of ours that are the start, in place of fresh ones
  /// @param type bf16 or f32 to compute in
  /// @param threads that make rows
  public static Outcome train(
      Recipe recipe,
      Optional<Start> from,
      ComputeDevice device,
      DType type,
      int threads,
      Path folder,
      Progress progress) {
    return train(recipe, from, device, type, threads, SAVE_SECONDS, folder, progress);
  }

  /// @param saveSeconds seconds between two checkpoints
  static Outcome train(
      Recipe recipe,
      Optional<Start> from,
      ComputeDevice device,
      DType type,
      int threads,
      double saveSeconds,
      Path folder,
      Progress progress) {
    OwnTrainer trainer = new OwnTrainer(recipe, from, device, type, saveSeconds);
    try {
      return trainer.run(threads, folder, progress);
    } finally {
      trainer.holder.close();
    }
  }

  private Outcome run(int threads, Path folder, Progress progress) {
    Path checkpoint = folder.resolve("training.checkpoint");
    Examination examination =
        new Examination(vocabulary, recipe.examined(), recipe.longest(), seeds);
    initialise();
    int step;
    try (AdamW optimizer = new AdamW(new ArrayList<>(weights.values()), 0.05);
        Ahead<Batch> batches = new Ahead<>(threads, AHEAD, this::order);
        Progress.Task task = progress.start("our own model", recipe.duration().units())) {
      Decoder decoder = new Decoder(config, weights);
      Tensor tally = tally();
      step = resume(checkpoint, optimizer);
      ordered = step;
      double before = spent;
      long begin = System.nanoTime();
      long shown = recipe.duration().unitsDone(step, spent);
      task.advance(shown);
      double saved = spent;
      while (recipe.duration().fraction(step, spent) < 1) {
        learn(decoder, batches.next(), optimizer, step, tally);
        step++;
        spent = before + (System.nanoTime() - begin) / 1e9;
        boolean ends = recipe.duration().fraction(step, spent) >= 1;
        if (step % recipe.examineEvery() == 0 || ends) {
          accuracy = examination.of(decoder, device);
          task.note(note(step, tally));
          keepBest(optimizer);
          spent = before + (System.nanoTime() - begin) / 1e9;
        }
        if (!ends && spent - saved > saveSeconds) {
          saved = spent;
          save(checkpoint, optimizer, step);
          OwnModel.write(folder, config, vocabulary, best, recipe.toString());
        }
        long now = recipe.duration().unitsDone(step, spent);
        task.advance(now - shown);
        shown = now;
      }
    }
    OwnModel.write(folder, config, vocabulary, best, recipe.toString());
    Map<String, Double> exact = new LinkedHashMap<>();
    TensorScope.run(() -> {
      Map<String, Tensor> written = new HashMap<>();
      best.forEach((name, t) -> written.put(name, Tensors.to(t, DType.F32)));
      examination
          .of(new Decoder(config, written), device)
          .forEach((task, share) -> exact.put(task.label(), share));
    });
    try {
      Files.deleteIfExists(checkpoint);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + checkpoint, e);
    }
    return new Outcome(config.parameters(), step, exact, spent);
  }

  /// The work that makes the next step's rows.
  private Callable<Batch> order() {
    int step = ordered++;
    double fraction = recipe.duration().fraction(step, spent);
    double[] solved = new double[Task.values().length];
    accuracy.forEach((task, share) -> solved[task.ordinal()] = share);
    Mix mix = Mix.of(fraction < 0.1 && !recipe.goesOn() ? 0.25 : 0.05, solved);
    return () -> {
      RandomGenerator random = seeds.stream("data", step);
      int length = recipe.length(fraction, random);
      TrainingRows rows = new TrainingRows(vocabulary);
      List<TrainingRows.Row> made = new ArrayList<>();
      for (int r = 0; r < recipe.rows(fraction, length); r++) {
        made.add(rows.row(length, mix, random));
      }
      return Batch.of(made, length, random);
    };
  }

  private void initialise() {
    TensorScope.run(() -> {
      Map<String, Tensor> values = from.map(this::between).orElseGet(this::fresh);
      for (String name : config.shapes().keySet()) {
        Tensor value = Objects.requireNonNull(values.get(name), name);
        weights.put(name, holder.hold(Tensors.to(value, device, type)));
        best.put(name, holder.hold(Tensors.to(value, device, DType.F16)));
      }
    });
  }

  private Map<String, Tensor> between(Start start) {
    Map<String, Tensor> values = stored(start.from());
    if (start.toward().isEmpty()) {
      return values;
    }
    Path folder = start.toward().get();
    if (!ConfigReader.read(folder).equals(config)) {
      throw SpillwayException.badInput(
          "%s has another shape than %s; weights between them need the same", folder, start.from());
    }
    Map<String, Tensor> others = stored(folder);
    Map<String, Tensor> mixed = new HashMap<>();
    values.forEach((name, value) -> {
      Tensor other = Tensors.to(Objects.requireNonNull(others.get(name), name), DType.F32);
      mixed.put(name, Tensors.to(value, DType.F32).lerp(other, new Scalar(start.share())));
    });
    return mixed;
  }

  private Map<String, Tensor> stored(Path folder) {
    try (Weights saved = Weights.open(folder)) {
      Map<String, Tensor> values = new HashMap<>();
      config.shapes().keySet().forEach(name -> values.put(name, saved.tensor(name).clone()));
      return values;
    }
  }

  private Map<String, Tensor> fresh() {
    RandomGenerator random = seeds.stream("init");
    Map<String, float[]> values = new HashMap<>();
    config.shapes().forEach((name, shape) -> values.put(name, start(name, shape, random)));
    InductionStart.lay(config, values, seeds.stream("induction"));
    Map<String, Tensor> tensors = new HashMap<>();
    config
        .shapes()
        .forEach((name, shape) ->
            tensors.put(name, Tensors.of(Objects.requireNonNull(values.get(name)), shape)));
    return tensors;
  }

  private float[] start(String name, long[] shape, RandomGenerator random) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    if (shape.length == 1) {
      Arrays.fill(values, 1);
      return values;
    }
    boolean writes = name.contains("o_proj") || name.contains("down_proj");
    double spread =
        name.contains("embed")
            ? 0.05
            : 1 / Math.sqrt(shape[1]) * (writes ? 1 / Math.sqrt(2.0 * config.layers()) : 1);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() * spread);
    }
    return values;
  }

  /// Answer tokens seen, right ones and the sum of their losses, on the device.
  private Tensor tally() {
    try (TensorScope scope = TensorScope.open()) {
      return holder.hold(Tensors.to(Tensors.of(new float[3], 3), device));
    }
  }

  private void learn(Decoder decoder, Batch batch, AdamW optimizer, int step, Tensor tally) {
    try (TensorScope scope = TensorScope.open()) {
      Decoder.Angles turn = angles(decoder, batch.length());
      int count = batch.places().length;
      Tensor[] x = {
        decoder.embed(Tensors.to(Tensors.of(batch.ids(), batch.rows(), batch.length()), device))
      };
      for (int l = 0; l < config.layers(); l++) {
        int layer = l;
        x[0] = TensorScope.compute(() -> decoder.layer(layer, x[0], turn));
      }
      Tensor places = Tensors.to(Tensors.of(batch.places(), count), device);
      Tensor hidden = decoder.finalNorm(x[0]).view(-1, config.hidden()).index_select(0, places);
      Tensor logits = Tensors.to(decoder.logits(hidden), DType.F32);
      Tensor target = Tensors.to(Tensors.of(batch.targets(), count), device);
      Tensor surprise =
          torch.cross_entropy_loss(logits, target, new TensorOptional(), 0, -100, 0.0);
      Tensor weight = Tensors.to(Tensors.of(batch.weights(), count), device);
      surprise.mul(weight).sum().mul(new Scalar(1 / batch.sum())).backward();
      count(tally, logits.detach(), surprise.detach(), target, weight);
      double rate = recipe.rate() * recipe.cooled(recipe.duration().fraction(step, spent));
      optimizer.stepClippedByNorm(step, rate * Math.min(1, (step + 1) / 200.0), 1.0);
    }
  }

  private Decoder.Angles angles(Decoder decoder, int length) {
    return angles.computeIfAbsent(
        length,
        n -> {
          Decoder.Angles made = decoder.angles(0, n, n);
          holder.hold(made.cosines());
          holder.hold(made.sines());
          return made;
        });
  }

  private static void count(
      Tensor tally, Tensor logits, Tensor surprise, Tensor target, Tensor weight) {
    try (NoGrad guard = NoGrad.begin()) {
      Tensor answer = Tensors.to(weight.ge(new Scalar(0.99)), DType.F32);
      Tensor right = Tensors.to(logits.argmax(new LongOptional(1), false).eq(target), DType.F32);
      tally.narrow(0, 0, 1).add_(answer.sum());
      tally.narrow(0, 1, 1).add_(answer.dot(right));
      tally.narrow(0, 2, 1).add_(answer.dot(surprise));
    }
  }

  private String note(int step, Tensor tally) {
    float[] sums = Tensors.floats(tally);
    tally.zero_();
    StringBuilder exact = new StringBuilder();
    accuracy.forEach(
        (task, share) -> exact.append(String.format(Locale.ROOT, " %s %.2f", task.label(), share)));
    return String.format(
        Locale.ROOT,
        "step %d, %.0f s, answer tokens: loss %.4f, right %.4f; exact:%s",
        step,
        spent,
        sums[2] / Math.max(1, sums[0]),
        sums[1] / Math.max(1, sums[0]),
        exact);
  }

  /// Copies the weights if they did at least as well as those before.
  private void keepBest(AdamW optimizer) {
    double worst = accuracy.values().stream().mapToDouble(v -> v).min().orElse(0);
    double mean = accuracy.values().stream().mapToDouble(v -> v).average().orElse(0);
    double score = worst + mean;
    if (!(score >= bestScore)) {
      return;
    }
    bestScore = score;
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      int index = 0;
      for (Tensor copy : best.values()) {
        copy.copy_(scope.adopt(optimizer.master(index++)));
      }
    }
  }

  private void save(Path checkpoint, AdamW optimizer, int done) {
    Map<String, Tensor> state = new LinkedHashMap<>(optimizer.state());
    best.forEach((name, weight) -> state.put("best." + name, weight));
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("done", String.valueOf(done));
    facts.put("spent", String.valueOf(spent));
    facts.put("bestScore", String.valueOf(bestScore));
    accuracy.forEach((task, share) -> facts.put("exact." + task.label(), share.toString()));
    facts.put("recipe", recipe.toString());
    Weights.save(checkpoint, state, facts);
  }

  private int resume(Path checkpoint, AdamW optimizer) {
    if (!Files.isRegularFile(checkpoint)) {
      return 0;
    }
    try (Weights saved = Weights.open(checkpoint);
        TensorScope scope = TensorScope.open()) {
      Map<String, String> facts = saved.model().metadata();
      if (!recipe.toString().equals(facts.get("recipe"))) {
        throw SpillwayException.badFile(
            checkpoint,
            "",
            "this checkpoint belongs to another recipe; remove it or give the same options");
      }
      Map<String, Tensor> state = new HashMap<>();
      optimizer.state().keySet().forEach(name -> state.put(name, saved.tensor(name)));
      optimizer.restore(state);
      best.forEach((name, weight) -> weight.copy_(saved.tensor("best." + name)));
      spent = Double.parseDouble(facts.getOrDefault("spent", "0"));
      bestScore = Double.parseDouble(facts.getOrDefault("bestScore", "-1"));
      for (Task task : Task.values()) {
        accuracy.put(task, Double.parseDouble(facts.getOrDefault("exact." + task.label(), "0")));
      }
      return Integer.parseInt(facts.getOrDefault("done", "0"));
    }
  }
}
