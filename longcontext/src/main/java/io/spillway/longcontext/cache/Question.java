package io.spillway.longcontext.cache;

import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.DType;
import io.spillway.tensor.NoGrad;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.Arrays;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// What a question looks for in a text that is still to be read: the question's queries in every
/// layer, computed before the text and without it, then held against the keys of each chunk as if
/// the question stood right behind it. The question takes no room in the cache.
///
/// Queries find the words that the question repeats; the answer stands a few tokens on, so that an
/// entry is worth what the best of its neighbours is.
///
/// **Source:** ours. Locret's query-aware variant puts the question's tokens before the text and
/// trains further heads for it, SnapKV lets the end of the prompt choose when all was read.
final class Question implements AutoCloseable {
  /// Last tokens of the question whose queries count.
  private static final int QUERIES = 64;

  /// Standard deviations of a head's scores by which full attention raises an entry.
  private static final double WEIGHT = 4;

  /// Entries behind an attended one that are raised with it, and entries before it.
  private static final int BEHIND = 9;

  private static final int BEFORE = 2;

  private final DecoderConfig config;
  private final Decoder decoder;
  private final AngleTable table;
  private final boolean beyond;
  private final Tensor[] queries;
  private final TensorHolder holder = new TensorHolder();

  /// Reads the question by itself.
  ///
  /// @param table angles of the sequence that the text is read into
  /// @param beyond whether the sequence turns by LongRoPE's second set of frequencies
  /// @param tokens begin token and question of each prompt, of one length
  Question(Decoder decoder, AngleTable table, boolean beyond, int[][] tokens) {
    this.config = decoder.config();
    this.decoder = decoder;
    this.table = table;
    this.beyond = beyond;
    this.queries = new Tensor[config.layers()];
    int length = tokens[0].length;
    try (TensorScope scope = TensorScope.open();
        NoGrad guard = NoGrad.begin()) {
      long[] flat = Arrays.stream(tokens).flatMapToInt(Arrays::stream).asLongStream().toArray();
      Tensor x =
          decoder.embed(Tensors.to(Tensors.of(flat, tokens.length, length), decoder.device()));
      Decoder.Angles turn = table.get(0, length, beyond);
      long last = Math.min(length, QUERIES);
      for (int l = 0; l < config.layers(); l++) {
        int layer = l;
        Tensor before = x;
        x =
            TensorScope.compute(() -> {
              Decoder.Qkv qkv = decoder.project(layer, before);
              queries[layer] = holder.hold(qkv.query().narrow(2, length - last, last).contiguous());
              Tensor attended =
                  decoder.attend(
                      decoder.rotate(qkv.query(), turn),
                      decoder.rotate(qkv.key(), turn),
                      qkv.value(),
                      0,
                      null);
              return decoder.finish(layer, before, attended);
            });
      }
    }
  }

  /// The begin token and the question, its end if it is long.
  static int[] tokens(int[] context, int[] question, int most) {
    int count = Math.min(question.length, most);
    int[] tokens = new int[count + 1];
    tokens[0] = context[0];
    System.arraycopy(question, question.length - count, tokens, 1, count);
    return tokens;
  }

  /// What the question adds to the scores of some heads.
  ///
  /// @param keys before rotation, `[batch, heads, entries, headDim]`
  /// @param scores of the same entries, `[batch, heads, entries]` f32
  /// @param first the first of these key-value heads
  /// @return `[batch, heads, entries]` f32
  Tensor adds(int layer, Tensor keys, Tensor scores, int first) {
    int entries = (int) keys.size(2);
    long count = queries[layer].size(2);
    Decoder.Angles angles = table.get(0, (int) (entries + count), beyond);
    Tensor asking = decoder.rotate(queries[layer], angles.narrow(entries, (int) count));
    TensorVector all = new TensorVector();
    for (long head = 0; head < keys.size(1); head++) {
      long at = head;
      all.push_back(
          TensorScope.compute(() -> {
            Tensor key = decoder.rotate(keys.narrow(1, at, 1), angles.narrow(0, entries));
            Tensor query =
                asking
                    .narrow(1, (first + at) * config.groupSize(), config.groupSize())
                    .reshape(keys.size(0), 1, config.groupSize() * count, config.headDim());
            Tensor products =
                Tensors.to(query, DType.F32)
                    .matmul(Tensors.to(key, DType.F32).transpose(2, 3))
                    .mul_(new Scalar(1 / Math.sqrt(config.headDim())));
            return torch.amax(torch.softmax(products, -1), new long[] {2}, false);
          }));
    }
    Tensor padded =
        torch.constant_pad_nd(torch.cat(all, 1), new long[] {BEHIND, BEFORE}, new Scalar(0.0));
    Tensor near =
        torch.max_pool1d(
            padded,
            new long[] {BEHIND + 1L + BEFORE},
            new long[] {1},
            new long[] {0},
            new long[] {1},
            false);
    return near.mul(spread(scores)).mul(new Scalar(WEIGHT));
  }

  /// Standard deviation over the entries, `[batch, heads, 1]`.
  private static Tensor spread(Tensor scores) {
    Tensor mean = scores.mean(new long[] {2}).unsqueeze(2);
    return scores.sub(mean).square().mean(new long[] {2}).sqrt().unsqueeze(2);
  }

  @Override
  public void close() {
    holder.close();
  }
}
