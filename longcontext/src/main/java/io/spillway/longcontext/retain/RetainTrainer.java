package io.spillway.longcontext.retain;

import io.spillway.longcontext.AdamW;
import io.spillway.models.Decoder;
import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Weights;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/// Trains retaining heads on a frozen model: smooth L1 against the importance, and a small price on
/// jumps between neighbours.
///
/// **Source:** Locret, section 3.2 and appendix (the smoothness term is summed over layers).
public final class RetainTrainer {
  private static final double SMOOTHNESS = 0.0025;
  private static final double GRADIENT_BOUND = 0.5;
  private static final int CHECKPOINT_EVERY = 200;

  /// @param steps samples to learn from, one a step
  /// @param rate largest learning rate
  /// @param width hidden units of a head
  /// @param label what is learned
  /// @param seed of weights and order
  public record Recipe(int steps, double rate, int width, Importance.Label label, long seed) {
    public Recipe {
      if (steps < 1 || width < 1 || !(rate > 0)) {
        throw SpillwayException.badInput(
            "steps %d, width %d and rate %s must be positive", steps, width, rate);
      }
    }
  }

  /// A prompt with its answer.
  ///
  /// @param prompt tokens of `ids` that are the prompt
  public record Example(int[] ids, int prompt) {}

  /// Where examples come from, the same one for the same step.
  @FunctionalInterface
  public interface Source {
    Example next(RandomGenerator random);
  }

  /// How a training ended.
  ///
  /// @param firstLoss mean loss of the first tenth
  /// @param lastLoss mean loss of the last tenth
  public record Outcome(int steps, double firstLoss, double lastLoss, double seconds) {}

  private RetainTrainer() {}

  /// Trains and writes `out`; an interrupted training goes on from `out` with the suffix
  /// `.checkpoint`.
  public static Outcome train(
      Decoder decoder, Source source, Recipe recipe, Path out, Progress progress) {
    Seeds seeds = new Seeds(recipe.seed());
    RetainingHeads heads =
        RetainingHeads.fresh(decoder.config(), recipe.width(), seeds.stream("heads"));
    Path checkpoint = out.resolveSibling(out.getFileName() + ".checkpoint");
    long begin = System.nanoTime();
    double first = 0;
    double last = 0;
    int tenth = Math.max(1, recipe.steps() / 10);
    try (heads;
        AdamW optimizer = new AdamW(heads.parameters(), 0.01);
        Progress.Task task = progress.start("retaining heads", recipe.steps())) {
      int done = resume(checkpoint, heads, optimizer, recipe);
      task.advance(done);
      for (int step = done; step < recipe.steps(); step++) {
        Example example = source.next(seeds.stream("examples", step));
        double loss = learn(decoder, heads, optimizer, example, recipe, step);
        if (step < tenth) {
          first += loss / tenth;
        }
        if (step >= recipe.steps() - tenth) {
          last += loss / tenth;
        }
        if (!Double.isFinite(loss)) {
          throw SpillwayException.badInput(
              "the loss became %s at step %d; lower the learning rate %s",
              loss, step, recipe.rate());
        }
        task.advance(1);
        task.note(String.format(Locale.ROOT, "loss %.4f", loss));
        if ((step + 1) % CHECKPOINT_EVERY == 0 && step + 1 < recipe.steps()) {
          save(checkpoint, heads, optimizer, recipe, step + 1);
        }
      }
      heads.save(out, Map.of("recipe", recipe.toString()));
      Files.deleteIfExists(checkpoint);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + checkpoint, e);
    }
    return new Outcome(recipe.steps(), first, last, (System.nanoTime() - begin) / 1e9);
  }

  private static double learn(
      Decoder decoder,
      RetainingHeads heads,
      AdamW optimizer,
      Example example,
      Recipe recipe,
      int step) {
    try (TensorScope scope = TensorScope.open()) {
      List<Importance.Layer> layers =
          NoGrad.supply(
              () -> Importance.of(decoder, example.ids(), example.prompt(), recipe.label()));
      Tensor loss = loss(heads, layers);
      loss.backward();
      optimizer.clipValues(GRADIENT_BOUND);
      double warm = Math.min(1, (step + 1) / (recipe.steps() * 0.2));
      double cool = Math.min(1, (recipe.steps() - step) / (recipe.steps() * 0.5));
      optimizer.step(step, recipe.rate() * Math.min(warm, cool));
      return loss.item_float();
    }
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

  private static void save(
      Path checkpoint, RetainingHeads heads, AdamW optimizer, Recipe recipe, int done) {
    Map<String, Tensor> state = new LinkedHashMap<>();
    try (TensorScope scope = TensorScope.open()) {
      for (int i = 0; i < heads.parameters().size(); i++) {
        state.put("weight." + i, heads.parameters().get(i).detach());
        state.put("mean." + i, optimizer.means().get(i));
        state.put("square." + i, optimizer.squares().get(i));
      }
      Weights.save(
          checkpoint, state, Map.of("done", String.valueOf(done), "recipe", recipe.toString()));
    }
  }

  private static int resume(Path checkpoint, RetainingHeads heads, AdamW optimizer, Recipe recipe) {
    if (!Files.isRegularFile(checkpoint)) {
      return 0;
    }
    try (Weights weights = Weights.open(checkpoint);
        TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      Map<String, String> metadata = weights.model().metadata();
      if (!recipe.toString().equals(metadata.get("recipe"))) {
        throw SpillwayException.badFile(
            checkpoint,
            "",
            "this checkpoint belongs to another recipe (%s); remove it or give the same options",
            String.valueOf(metadata.get("recipe")));
      }
      for (int i = 0; i < heads.parameters().size(); i++) {
        heads.parameters().get(i).detach().copy_(weights.tensor("weight." + i));
        optimizer.means().get(i).copy_(weights.tensor("mean." + i));
        optimizer.squares().get(i).copy_(weights.tensor("square." + i));
      }
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
        sum +=
            loss(heads, Importance.of(decoder, example.ids(), example.prompt(), label))
                .item_float();
      }
    }
    return sum / count;
  }
}
