package io.spillway.longcontext.own;

import io.spillway.longcontext.tasks.Task;
import io.spillway.models.Decoder;
import io.spillway.platform.Seeds;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;

/// The share of fixed samples of each task that the model answers without one wrong token. Greedy
/// decoding gives an answer exactly when every token of it is the most likely one after the true
/// tokens before it, so one pass over the text with its answer decides.
public final class Examination {
  private static final int ROWS = 32;

  private final int samples;
  private final List<Batch> batches = new ArrayList<>();

  /// @param samples of each task
  /// @param length tokens of a sample with its answers
  public Examination(OwnVocabulary vocabulary, int samples, int length, Seeds seeds) {
    this.samples = samples;
    TrainingRows rows = new TrainingRows(vocabulary);
    List<TrainingRows.Row> all = new ArrayList<>();
    for (Task task : Task.values()) {
      RandomGenerator random = seeds.stream("examination " + task.label());
      for (int i = 0; i < samples; i++) {
        TrainingRows.Row row = rows.plain(task, length, random);
        for (int at = 0; at < row.weights().length; at++) {
          if (row.weights()[at] < 1) {
            row.weights()[at] = 0;
          }
        }
        all.add(row);
      }
    }
    for (int from = 0; from < all.size(); from += ROWS) {
      List<TrainingRows.Row> some = all.subList(from, Math.min(all.size(), from + ROWS));
      batches.add(Batch.of(some, length, seeds.stream("unused")));
    }
  }

  /// Share of samples answered exactly, by task.
  public Map<Task, Double> of(Decoder decoder, ComputeDevice device) {
    boolean[] wrong = new boolean[samples * Task.values().length];
    boolean[] asked = new boolean[wrong.length];
    int row = 0;
    for (Batch batch : batches) {
      try (TensorScope scope = TensorScope.open();
          NoGrad guard = NoGrad.begin()) {
        Tensor ids = Tensors.to(Tensors.of(batch.ids(), batch.rows(), batch.length()), device);
        Tensor places = Tensors.to(Tensors.of(batch.places(), batch.places().length), device);
        Tensor hidden = decoder.hidden(ids).view(-1, decoder.config().hidden());
        Tensor logits = Tensors.to(decoder.logits(hidden.index_select(0, places)), DType.F32);
        long[] best = Tensors.longs(logits.argmax(new LongOptional(1), false));
        for (int i = 0; i < best.length; i++) {
          int at = row + (int) (batch.places()[i] / batch.length());
          asked[at] = true;
          wrong[at] |= best[i] != batch.targets()[i];
        }
      }
      row += batch.rows();
    }
    Map<Task, Double> shares = new EnumMap<>(Task.class);
    for (Task task : Task.values()) {
      int right = 0;
      for (int i = 0; i < samples; i++) {
        int at = task.ordinal() * samples + i;
        if (!asked[at]) {
          throw new IllegalStateException("a sample of " + task.label() + " lost its answer");
        }
        right += wrong[at] ? 0 : 1;
      }
      shares.put(task, (double) right / samples);
    }
    return shares;
  }
}
