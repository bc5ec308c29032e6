package io.spillway.longcontext.own;

import io.spillway.longcontext.AdamW;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Trains our own model from nothing: mixed retrieval tasks in text of a small grammar, first
/// short, then as long as the model will be able to read.
public final class OwnTrainer {
  private static final int CHECKPOINT_EVERY = 100;

  /// One step in so many text positions counts, with so much more weight: the large output matrix
  /// is then not multiplied for the others.
  private static final int TEXT_SHARE = 5;

  /// A part of the curriculum.
  ///
  /// @param length tokens in a row
  /// @param until step at which the next part begins
  /// @param tokens tokens in a step
  public record Stage(int length, int until, int tokens) {}

  /// The curriculum of the shipped model.
  public static final List<Stage> CURRICULUM =
      List.of(
          new Stage(96, 2000, 2048),
          new Stage(160, 2500, 2560),
          new Stage(256, 3300, 3072),
          new Stage(512, 3900, 4096));

  /// What is trained.
  ///
  /// @param hidden width, a multiple of 64
  /// @param layers at least 2
  /// @param stages parts of the curriculum in order
  /// @param rate largest learning rate
  public record Recipe(int hidden, int layers, List<Stage> stages, double rate, long seed) {
    public Recipe {
      stages = List.copyOf(stages);
      if (hidden < 128 || hidden % 64 != 0 || layers < 2 || stages.isEmpty()) {
        throw SpillwayException.badInput(
            "hidden %d must be a multiple of 64 from 128 on, layers %d at least 2, stages %d at"
                + " least 1",
            hidden, layers, stages.size());
      }
    }

    int steps() {
      return stages.getLast().until();
    }

    Stage at(int step) {
      return stages.stream().filter(s -> step < s.until()).findFirst().orElseThrow();
    }

    int longest() {
      return stages.stream().mapToInt(Stage::length).max().orElseThrow();
    }
  }

  private final Recipe recipe;
  private final OwnVocabulary vocabulary = new OwnVocabulary();
  private final DecoderConfig config;
  private final Seeds seeds;
  private final TensorHolder holder = new TensorHolder();
  private final Map<String, Tensor> weights = new LinkedHashMap<>();
  private double answerLoss;
  private double answersRight;
  private double answers;

  private OwnTrainer(Recipe recipe) {
    this.recipe = recipe;
    this.config = OwnModel.config(vocabulary, recipe.hidden(), recipe.layers(), recipe.longest());
    this.seeds = new Seeds(recipe.seed());
  }

  /// How a training ended.
  ///
  /// @param tokenAccuracy share of answer tokens predicted in the last steps
  public record Outcome(long parameters, int steps, double tokenAccuracy, double seconds) {}

  /// Trains and writes a model's folder; an interrupted training goes on from
  /// `folder/training.checkpoint`.
  public static Outcome train(Recipe recipe, Path folder, Progress progress) {
    OwnTrainer trainer = new OwnTrainer(recipe);
    try {
      return trainer.run(folder, progress);
    } finally {
      trainer.holder.close();
    }
  }

  private Outcome run(Path folder, Progress progress) {
    long begin = System.nanoTime();
    Path checkpoint = folder.resolve("training.checkpoint");
    initialise();
    double accuracy = 0;
    try (AdamW optimizer = new AdamW(new ArrayList<>(weights.values()), 0.05);
        Progress.Task task = progress.start("our own model", recipe.steps())) {
      Decoder decoder = new Decoder(config, weights);
      TrainingRows rows = new TrainingRows(vocabulary);
      int done = resume(checkpoint, optimizer);
      task.advance(done);
      for (int step = done; step < recipe.steps(); step++) {
        learn(decoder, rows, optimizer, step);
        task.advance(1);
        if ((step + 1) % CHECKPOINT_EVERY == 0 || step + 1 == recipe.steps()) {
          accuracy = answersRight / answers;
          task.note(
              String.format(
                  Locale.ROOT,
                  "length %d, answers: loss %.4f, right %.4f",
                  recipe.at(step).length(),
                  answerLoss / answers,
                  accuracy));
          answerLoss = 0;
          answersRight = 0;
          answers = 0;
          save(checkpoint, optimizer, step + 1);
        }
      }
    }
    OwnModel.write(folder, config, vocabulary, weights, recipe.toString());
    try {
      Files.deleteIfExists(checkpoint);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + checkpoint, e);
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    return new Outcome(config.parameters(), recipe.steps(), accuracy, seconds);
  }

  private void initialise() {
    RandomGenerator random = seeds.stream("init");
    Map<String, float[]> values = new HashMap<>();
    config.shapes().forEach((name, shape) -> values.put(name, start(name, shape, random)));
    InductionStart.lay(config, values, seeds.stream("induction"));
    try (TensorScope scope = TensorScope.open()) {
      config
          .shapes()
          .forEach((name, shape) ->
              weights.put(
                  name,
                  holder.hold(
                      Tensors.of(java.util.Objects.requireNonNull(values.get(name)), shape))));
    }
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

  /// The rows of one step, flattened; only the chosen positions are predicted.
  private record Batch(long[] ids, int rows, int length, Chosen chosen) {}

  /// @param places in the flattened rows
  private record Chosen(long[] places, long[] targets, float[] weights, double sum) {}

  private Batch batch(TrainingRows rows, int step) {
    Stage stage = recipe.at(step);
    RandomGenerator random = seeds.stream("data", step);
    int count = stage.tokens() / stage.length();
    double copies = step < 1000 ? 0.25 : 0.1;
    long[] ids = new long[count * stage.length()];
    long[] places = new long[ids.length];
    long[] targets = new long[ids.length];
    float[] weights = new float[ids.length];
    int chosen = 0;
    double sum = 0;
    for (int r = 0; r < count; r++) {
      TrainingRows.Row row = rows.row(stage.length(), copies, random);
      for (int i = 0; i < stage.length(); i++) {
        int at = r * stage.length() + i;
        ids[at] = row.ids()[i];
        float weight = row.weights()[i];
        if (weight > 0 && weight < 0.2f) {
          weight = random.nextInt(TEXT_SHARE) == 0 ? weight * TEXT_SHARE : 0;
        }
        if (weight > 0) {
          places[chosen] = at;
          targets[chosen] = row.ids()[i + 1];
          weights[chosen++] = weight;
          sum += weight;
        }
      }
    }
    return new Batch(
        ids,
        count,
        stage.length(),
        new Chosen(
            Arrays.copyOf(places, chosen),
            Arrays.copyOf(targets, chosen),
            Arrays.copyOf(weights, chosen),
            sum));
  }

  private void learn(Decoder decoder, TrainingRows rows, AdamW optimizer, int step) {
    Batch batch = batch(rows, step);
    Chosen chosen = batch.chosen();
    try (TensorScope scope = TensorScope.open()) {
      Tensor hidden =
          decoder
              .hidden(Tensors.of(batch.ids(), batch.rows(), batch.length()))
              .view(-1, config.hidden())
              .index_select(0, Tensors.of(chosen.places(), chosen.places().length));
      Tensor logits = decoder.logits(hidden);
      Tensor target = Tensors.of(chosen.targets(), chosen.targets().length, 1);
      Tensor surprise = torch.log_softmax(logits, 1).gather(1, target).squeeze(1).neg();
      Tensor weight = Tensors.of(chosen.weights(), chosen.weights().length);
      surprise.mul(weight).sum().mul(new Scalar(1 / chosen.sum())).backward();
      note(logits.detach(), surprise.detach(), chosen);
      optimizer.clipNorm(1.0);
      double warm = Math.min(1, (step + 1) / 200.0);
      double cosine = 0.5 * (1 + Math.cos(Math.PI * step / recipe.steps()));
      optimizer.step(step, recipe.rate() * warm * (0.05 + 0.95 * cosine));
    }
  }

  private void note(Tensor logits, Tensor surprise, Chosen chosen) {
    long[] best = Tensors.longs(logits.argmax(new LongOptional(1), false));
    float[] losses = Tensors.floats(surprise);
    for (int i = 0; i < best.length; i++) {
      if (chosen.weights()[i] == 1) {
        answers++;
        answerLoss += losses[i];
        answersRight += best[i] == chosen.targets()[i] ? 1 : 0;
      }
    }
  }

  private void save(Path checkpoint, AdamW optimizer, int done) {
    Map<String, Tensor> state = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      int i = 0;
      for (Map.Entry<String, Tensor> weight : weights.entrySet()) {
        state.put(weight.getKey(), weight.getValue().detach());
        state.put("mean." + i, optimizer.means().get(i));
        state.put("square." + i, optimizer.squares().get(i));
        i++;
      }
      Weights.save(
          checkpoint, state, Map.of("done", String.valueOf(done), "recipe", recipe.toString()));
    }
  }

  private int resume(Path checkpoint, AdamW optimizer) {
    if (!Files.isRegularFile(checkpoint)) {
      return 0;
    }
    try (Weights saved = Weights.open(checkpoint);
        TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      Map<String, String> metadata = saved.model().metadata();
      if (!recipe.toString().equals(metadata.get("recipe"))) {
        throw SpillwayException.badFile(
            checkpoint,
            "",
            "this checkpoint belongs to another recipe; remove it or give the same options");
      }
      int i = 0;
      for (Map.Entry<String, Tensor> weight : weights.entrySet()) {
        weight.getValue().detach().copy_(saved.tensor(weight.getKey()));
        optimizer.means().get(i).copy_(saved.tensor("mean." + i));
        optimizer.squares().get(i).copy_(saved.tensor("square." + i));
        i++;
      }
      return Integer.parseInt(metadata.getOrDefault("done", "0"));
    }
  }
}
