package io.spillway.longcontext.retain;

import io.spillway.longcontext.AdamW;
import io.spillway.longcontext.Ahead;
import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.TrainingLength;
import io.spillway.longcontext.cache.BatchReading;
import io.spillway.models.Decoder;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.Devices;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
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
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Trains retaining heads on a frozen model: smooth L1 against the importance, and a small price on
/// jumps between neighbours.
///
/// **Source:** Locret, section 3.2 and appendix (the smoothness term is summed over layers).
public final class RetainTrainer {
  private static final double SMOOTHNESS = 0.0025;
  private static final double GRADIENT_BOUND = 0.5;
  private static final int CHECKPOINT_EVERY = 200;
  private static final int NOTE_EVERY = 20;
  private static final int AHEAD = 8;

  /// Last tokens of a prompt that are read without eviction.
  private static final int QUESTION = 24;

  /// @param duration steps or seconds of the whole training
  /// @param batch examples in a step; the paper has one
  /// @param rate largest learning rate
  /// @param width hidden units of a head
  /// @param label what is learned
  /// @param inLoop half of the examples are read with eviction by the present heads
  /// @param seed of weights and order
  public record Recipe(
      TrainingLength duration,
      int batch,
      double rate,
      int width,
      Importance.Label label,
      boolean inLoop,
      long seed) {
    public Recipe {
      if (batch < 1 || width < 1 || !(rate > 0)) {
        throw SpillwayException.badInput(
            "batch %d, width %d and rate %s must be positive", batch, width, rate);
      }
    }
  }

  /// A prompt with its answers.
  ///
  /// @param ids the prompt, its answer, and further questions with theirs
  /// @param prompt tokens of `ids` that are the prompt, up to the first answer
  /// @param asking places of the tokens that predict an answer's tokens
  public record Example(int[] ids, int prompt, int[] asking) {
    /// All that follows the prompt is its answer.
    public Example(int[] ids, int prompt) {
      // the answer's last token asks for nothing
      this(ids, prompt, IntStream.range(prompt - 1, ids.length - 1).toArray());
    }
  }

  /// Where examples come from, the same one for the same step; called on several threads.
  @FunctionalInterface
  public interface Source {
    Example next(RandomGenerator random);
  }

  /// How a training ended.
  ///
  /// @param firstLoss mean loss of the first tenth (of this run's steps)
  /// @param lastLoss mean loss of the last tenth
  public record Outcome(int steps, double firstLoss, double lastLoss, double seconds) {}

  private final Decoder decoder;
  private final Source source;
  private final Recipe recipe;
  private final Seeds seeds;
  private final RetainingHeads heads;
  private int ordered;
  private double spent;

  private RetainTrainer(
      Decoder decoder, Source source, Recipe recipe, Optional<Path> from, ComputeDevice device) {
    this.decoder = decoder;
    this.source = source;
    this.recipe = recipe;
    this.seeds = new Seeds(recipe.seed());
    this.heads =
        from.map(file -> RetainingHeads.load(file, decoder.config(), device))
            .orElseGet(() ->
                RetainingHeads.fresh(
                    decoder.config(), recipe.width(), seeds.stream("heads"), device));
  }

  /// Trains on the CPU.
  public static Outcome train(
      Decoder decoder, Source source, Recipe recipe, Path out, Progress progress) {
    return train(decoder, source, recipe, Optional.empty(), Devices.cpu(), 1, out, progress);
  }

  /// Trains and writes `out`; an interrupted training goes on from `out` with the suffix
  /// `.checkpoint` and ends with the same weights as one in a piece.
  ///
  /// @param from file of heads to go on from in place of fresh ones
  /// @param device where the decoder's weights lie
  /// @param threads that make examples
  public static Outcome train(
      Decoder decoder,
      Source source,
      Recipe recipe,
      Optional<Path> from,
      ComputeDevice device,
      int threads,
      Path out,
      Progress progress) {
    RetainTrainer trainer = new RetainTrainer(decoder, source, recipe, from, device);
    try (RetainingHeads heads = trainer.heads) {
      return trainer.run(threads, out, progress);
    }
  }

  private Outcome run(int threads, Path out, Progress progress) {
    Path checkpoint = out.resolveSibling(out.getFileName() + ".checkpoint");
    long begin = System.nanoTime();
    List<Double> losses = new ArrayList<>();
    int step;
    try (AdamW optimizer = new AdamW(heads.parameters(), 0.01);
        Ahead<List<Example>> examples = new Ahead<>(threads, AHEAD, this::order);
        Progress.Task task = progress.start("retaining heads", recipe.duration().units())) {
      step = resume(checkpoint, optimizer);
      ordered = step;
      double before = spent;
      long shown = recipe.duration().unitsDone(step, spent);
      task.advance(shown);
      while (fraction(step) < 1) {
        double loss = learn(optimizer, examples.next(), step);
        if (!Double.isFinite(loss)) {
          throw SpillwayException.badInput(
              "the loss became %s at step %d; lower the learning rate %s",
              loss, step, recipe.rate());
        }
        losses.add(loss);
        step++;
        spent = before + (System.nanoTime() - begin) / 1e9;
        long now = recipe.duration().unitsDone(step, spent);
        task.advance(now - shown);
        shown = now;
        if (step % NOTE_EVERY == 0) {
          task.note(String.format(Locale.ROOT, "step %d, loss %.4f", step, last(losses)));
        }
        if (step % CHECKPOINT_EVERY == 0 && fraction(step) < 1) {
          save(checkpoint, optimizer, step);
        }
      }
      heads.save(out, Map.of("recipe", recipe.toString()));
      Files.deleteIfExists(checkpoint);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + checkpoint, e);
    }
    return new Outcome(step, mean(losses, 0), last(losses), (System.nanoTime() - begin) / 1e9);
  }

  private double fraction(int step) {
    return recipe.duration().fraction(step, spent);
  }

  private static double last(List<Double> losses) {
    return mean(losses, losses.size() - Math.max(1, losses.size() / 10));
  }

  /// Mean of a tenth.
  private static double mean(List<Double> losses, int from) {
    int tenth = Math.max(1, losses.size() / 10);
    return losses.stream()
        .skip(Math.max(0, from))
        .limit(tenth)
        .mapToDouble(v -> v)
        .average()
        .orElse(0);
  }

  private java.util.concurrent.Callable<List<Example>> order() {
    int step = ordered++;
    return () -> {
      List<Example> examples = new ArrayList<>();
      for (int i = 0; i < recipe.batch(); i++) {
        examples.add(source.next(seeds.stream("examples", (long) step * recipe.batch() + i)));
      }
      return examples;
    };
  }

  private double learn(AdamW optimizer, List<Example> examples, int step) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor sum = null;
      for (int i = 0; i < examples.size(); i++) {
        RandomGenerator random = seeds.stream("loop", (long) step * recipe.batch() + i);
        Example example = examples.get(i);
        Tensor part =
            TensorScope.compute(() -> {
              Tensor loss = loss(heads, inputs(example, random));
              loss.mul(new Scalar(1.0 / examples.size())).backward();
              return loss.detach();
            });
        sum = sum == null ? part : sum.add(part);
      }
      double over = fraction(step);
      double warm = Math.min(1, over / 0.2);
      double cool = Math.min(1, (1 - over) / 0.5);
      optimizer.stepClippedByValue(
          step, recipe.rate() * Math.max(1e-3, Math.min(warm, cool)), GRADIENT_BOUND);
      return sum == null ? 0 : sum.item_float() / examples.size();
    }
  }

  /// Labels from full attention; what the heads see comes from full attention as well, or from a
  /// reading with eviction.
  private List<Importance.Layer> inputs(Example example, RandomGenerator random) {
    return NoGrad.supply(() -> {
      List<Importance.Layer> layers = Importance.of(decoder, example, recipe.label());
      if (!recipe.inLoop() || random.nextBoolean()) {
        return layers;
      }
      int most = decoder.config().maxPositions();
      int budget = Math.max(4, most / 24 + random.nextInt(Math.max(1, most / 4 - most / 24)));
      int chunk = Math.min(example.prompt(), Math.max(4, most / 8 + random.nextInt(most / 8 + 1)));
      List<Decoder.Qkv> seen =
          evictedReading(
              Arrays.copyOf(example.ids(), example.prompt()),
              new Policy.Locret(0.4 * random.nextDouble()),
              CacheSettings.of(budget, chunk));
      List<Importance.Layer> evicted = new ArrayList<>();
      for (int layer = 0; layer < layers.size(); layer++) {
        evicted.add(new Importance.Layer(seen.get(layer), layers.get(layer).label()));
      }
      return evicted;
    });
  }

  /// What each layer projects where the present heads evict: after evictions hidden states differ
  /// from those of full attention, and heads that learned from full attention alone never saw such.
  ///
  /// **Source:** ours, training with the eviction in the loop.
  private List<Decoder.Qkv> evictedReading(int[] prompt, Policy policy, CacheSettings settings) {
    List<List<Decoder.Qkv>> parts = new ArrayList<>();
    for (int layer = 0; layer < decoder.config().layers(); layer++) {
      parts.add(new ArrayList<>());
    }
    int tail = Math.min(QUESTION, prompt.length / 4);
    int[][] context = {Arrays.copyOf(prompt, prompt.length - tail)};
    int[][] question = {Arrays.copyOfRange(prompt, prompt.length - tail, prompt.length)};
    try (TensorHolder held = new TensorHolder();
        TensorScope scope = TensorScope.open();
        BatchReading reading =
            new BatchReading(
                decoder,
                policy,
                settings,
                heads,
                null,
                (layer, qkv) ->
                    parts
                        .get(layer)
                        .add(
                            new Decoder.Qkv(
                                held.hold(qkv.query()),
                                held.hold(qkv.key()),
                                held.hold(qkv.value()))))) {
      reading.prefill(context, question);
      return parts.stream()
          .map(of ->
              new Decoder.Qkv(
                  scope.keep(join(of.stream().map(Decoder.Qkv::query).toList())),
                  scope.keep(join(of.stream().map(Decoder.Qkv::key).toList())),
                  scope.keep(join(of.stream().map(Decoder.Qkv::value).toList()))))
          .toList();
    }
  }

  private static Tensor join(List<Tensor> parts) {
    return torch.cat(new TensorVector(parts.toArray(Tensor[]::new)), 2);
  }

  /// The loss of one example; a scalar tensor.
  static Tensor loss(RetainingHeads heads, List<Importance.Layer> layers) {
    Tensor fit = null;
    Tensor jumps = null;
    for (int layer = 0; layer < layers.size(); layer++) {
      Tensor score = heads.score(layer, layers.get(layer).qkv());
      Tensor error = torch.smooth_l1_loss(score, layers.get(layer).label());
      long tokens = score.size(1);
      Tensor jump =
          score.narrow(1, 1, tokens - 1).sub(score.narrow(1, 0, tokens - 1)).square().mean();
      fit = fit == null ? error : fit.add(error);
      jumps = jumps == null ? jump : jumps.add(jump);
    }
    if (fit == null || jumps == null) {
      throw new IllegalArgumentException("a model without layers");
    }
    return fit.mul(new Scalar(1.0 / layers.size())).add(jumps.mul(new Scalar(SMOOTHNESS)));
  }

  private void save(Path checkpoint, AdamW optimizer, int done) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("done", String.valueOf(done));
    facts.put("spent", String.valueOf(spent));
    facts.put("recipe", recipe.toString());
    Weights.save(checkpoint, optimizer.state(), facts);
  }

  private int resume(Path checkpoint, AdamW optimizer) {
    if (!Files.isRegularFile(checkpoint)) {
      return 0;
    }
    try (Weights weights = Weights.open(checkpoint);
        TensorScope scope = TensorScope.open()) {
      Map<String, String> metadata = weights.model().metadata();
      if (!recipe.toString().equals(metadata.get("recipe"))) {
        throw SpillwayException.badFile(
            checkpoint,
            "",
            "this checkpoint belongs to another recipe (%s); remove it or give the same options",
            String.valueOf(metadata.get("recipe")));
      }
      Map<String, Tensor> state = new HashMap<>();
      optimizer.state().keySet().forEach(name -> state.put(name, weights.tensor(name)));
      optimizer.restore(state);
      spent = Double.parseDouble(metadata.getOrDefault("spent", "0"));
      return Integer.parseInt(metadata.getOrDefault("done", "0"));
    }
  }

  /// Loss over examples without learning.
  public static double evaluate(
      Decoder decoder, RetainingHeads heads, Source source, int count, Importance.Label label) {
    Seeds seeds = new Seeds(77);
    double sum = 0;
    for (int i = 0; i < count; i++) {
      Example example = source.next(seeds.stream("held out", i));
      try (TensorScope scope = TensorScope.open();
          NoGrad guard = NoGrad.begin()) {
        sum += loss(heads, Importance.of(decoder, example, label)).item_float();
      }
    }
    return sum / count;
  }
}
