package io.spillway.longcontext.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.longcontext.TinyModel;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import io.spillway.testkit.Cases;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.assertj.core.data.Offset;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;

class QuestionTest {
  @Test
  void addsWhatLoopsAdd() {
    Cases.run(
        8,
        random -> {
          try (TinyModel model = new TinyModel(random);
              AngleTable table = new AngleTable(model.decoder());
              TensorScope scope = TensorScope.open();
              NoGrad guard = NoGrad.begin()) {
            int[] tokens = random.ints(2 + random.nextInt(80), 0, 40).toArray();
            int entries = 1 + random.nextInt(40);
            int layer = random.nextInt(model.decoder().config().layers());
            DecoderConfig config = model.decoder().config();
            Tensor keys =
                Tensors.of(
                    gaussians(random, config.kvHeads() * entries * config.headDim()),
                    1,
                    config.kvHeads(),
                    entries,
                    config.headDim());
            float[] scores = gaussians(random, config.kvHeads() * entries);
            try (Question question =
                new Question(model.decoder(), table, false, new int[][] {tokens})) {
              Tensor all = Tensors.of(scores, 1, config.kvHeads(), entries);
              float[] wanted = reference(model.decoder(), tokens, layer, keys, scores, entries);
              assertThat(Tensors.floats(question.adds(layer, keys, all, 0)))
                  .containsExactly(wanted, Offset.offset(1e-4f));
              // a head by itself, as where heads have caches of their own
              Tensor second = question.adds(layer, keys.narrow(1, 1, 1), all.narrow(1, 1, 1), 1);
              assertThat(Tensors.floats(second))
                  .containsExactly(
                      Arrays.copyOfRange(wanted, entries, 2 * entries), Offset.offset(1e-4f));
            }
          }
        });
  }

  @Test
  void aLongQuestionIsReadFromItsEnd() {
    int[] context = {7, 1, 2};
    int[] question = {3, 4, 5, 6};
    assertThat(Question.tokens(context, question, 2)).containsExactly(7, 5, 6);
    assertThat(Question.tokens(context, question, 9)).containsExactly(7, 3, 4, 5, 6);
  }

  /// Loops over heads, queries and entries; the question stands right behind the entries.
  private static float[] reference(
      Decoder decoder, int[] tokens, int layer, Tensor keys, float[] scores, int entries) {
    DecoderConfig config = decoder.config();
    long[] ids = Arrays.stream(tokens).asLongStream().toArray();
    Decoder.Angles angles = decoder.angles(0, entries + tokens.length, entries + tokens.length);
    Tensor x = decoder.embed(Tensors.of(ids, 1, ids.length));
    for (int l = 0; l < layer; l++) {
      x = decoder.layer(l, x, angles.narrow(0, tokens.length));
    }
    int count = Math.min(64, tokens.length);
    Tensor last = decoder.project(layer, x).query().narrow(2, tokens.length - (long) count, count);
    float[] query = Tensors.floats(decoder.rotate(last, angles.narrow(entries, count)));
    float[] key = Tensors.floats(decoder.rotate(keys, angles.narrow(0, entries)));
    int dim = config.headDim();
    float[] out = new float[config.kvHeads() * entries];
    for (int head = 0; head < config.kvHeads(); head++) {
      double[] most = new double[entries];
      for (int q = 0; q < config.groupSize() * count; q++) {
        int at = (head * config.groupSize() * count + q) * dim;
        double[] weights = new double[entries];
        double sum = 0;
        for (int i = 0; i < entries; i++) {
          double product = 0;
          for (int d = 0; d < dim; d++) {
            product += query[at + d] * key[(head * entries + i) * dim + d];
          }
          weights[i] = Math.exp(product / Math.sqrt(dim));
          sum += weights[i];
        }
        for (int i = 0; i < entries; i++) {
          most[i] = Math.max(most[i], weights[i] / sum);
        }
      }
      double spread = spread(Arrays.copyOfRange(scores, head * entries, (head + 1) * entries));
      for (int i = 0; i < entries; i++) {
        double near = 0;
        for (int j = Math.max(0, i - 9); j <= Math.min(entries - 1, i + 2); j++) {
          near = Math.max(near, most[j]);
        }
        out[head * entries + i] = (float) (4 * spread * near);
      }
    }
    return out;
  }

  private static double spread(float[] values) {
    double mean = 0;
    for (float value : values) {
      mean += value / values.length;
    }
    double square = 0;
    for (float value : values) {
      square += (value - mean) * (value - mean) / values.length;
    }
    return Math.sqrt(square);
  }

  private static float[] gaussians(RandomGenerator random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
