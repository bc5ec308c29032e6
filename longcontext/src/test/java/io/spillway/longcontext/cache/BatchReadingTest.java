package io.spillway.longcontext.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.longcontext.TinyModel;
import io.spillway.longcontext.retain.Importance;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.platform.Seeds;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Reading many prompts side by side gives each the tokens that a session of its own gives it.
class BatchReadingTest {
  private static final int ROWS = 3;
  private static final int ANSWER = 6;

  /// Random scores are drawn in another order, and InfLLM has no batch.
  static Stream<Policy> policies() {
    return Policy.NAMED.stream()
        .map(Supplier::get)
        .filter(p -> !(p instanceof Policy.Random || p instanceof Policy.InfLlm));
  }

  @ParameterizedTest
  @MethodSource("policies")
  void agreesWithASessionForEachPrompt(Policy policy) {
    RandomGenerator random = new Seeds(6).stream("batch");
    CacheSettings settings = CacheSettings.of(24, 16);
    try (TinyModel model = new TinyModel(random);
        RetainingHeads heads = RetainingHeads.fresh(model.decoder().config(), 16, random);
        TensorScope scope = TensorScope.open()) {
      int[][] contexts = rows(random, 93);
      int[][] questions = rows(random, 7);
      Tensor[][] labels = new Tensor[ROWS][];
      for (int i = 0; i < ROWS; i++) {
        int[] ids = java.util.Arrays.copyOf(contexts[i], 100 + ANSWER);
        System.arraycopy(questions[i], 0, ids, 93, 7);
        labels[i] = NoGrad.supply(() -> Importance.labels(model.decoder(), ids, 100));
      }
      int[][] together;
      long peak;
      try (BatchReading reading =
          new BatchReading(model.decoder(), policy, settings, heads, stacked(labels), null)) {
        reading.prefill(contexts, questions);
        together = reading.greedy(ANSWER);
        peak = reading.peakEntries();
      }
      for (int i = 0; i < ROWS; i++) {
        try (Session session = new Session(model.decoder(), policy, settings, heads, labels[i])) {
          session.prefill(contexts[i], questions[i]);
          int[] alone = new int[ANSWER];
          float[] logits = session.logits();
          for (int t = 0; t < ANSWER; t++) {
            alone[t] = largest(logits);
            logits = session.extend(new int[] {alone[t]});
          }
          assertThat(together[i]).as("prompt %d", i).isEqualTo(alone);
        }
      }
      if (policy.evicts() && !(policy instanceof Policy.SnapKvWhole)) {
        assertThat(peak).isBetween(24L, 40L);
      } else {
        assertThat(peak).isGreaterThanOrEqualTo(100);
      }
    }
  }

  private static int[][] rows(RandomGenerator random, int tokens) {
    int[][] rows = new int[ROWS][];
    for (int i = 0; i < ROWS; i++) {
      rows[i] = random.ints(tokens, 2, 40).toArray();
    }
    return rows;
  }

  private static Tensor[] stacked(Tensor[][] labels) {
    Tensor[] out = new Tensor[labels[0].length];
    for (int layer = 0; layer < out.length; layer++) {
      TensorVector of = new TensorVector();
      for (Tensor[] row : List.of(labels)) {
        of.push_back(row[layer]);
      }
      out[layer] = torch.stack(of, 0);
    }
    return out;
  }

  private static int largest(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }
}
