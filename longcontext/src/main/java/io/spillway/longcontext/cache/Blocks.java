package io.spillway.longcontext.cache;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.DType;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/// InfLLM's attention: sinks, the newest entries, and those blocks of older entries whose
/// representative keys match the queries best. All entries stay in memory; only the budget is
/// looked at.
///
/// **Source:** Xiao et al., InfLLM. Representatives are the keys of a block that received most
/// attention so far; relevance is the sum over queries and heads of un-rotated products.
final class Blocks {
  private Blocks() {}

  static Tensor attend(
      Policy.InfLlm policy,
      CacheSettings settings,
      Decoder decoder,
      AngleTable table,
      LayerCache cache,
      Decoder.Qkv qkv,
      int past) {
    int added = cache.length() - past;
    long[] chosen = choose(policy, settings, decoder.config(), cache, qkv, past);
    Tensor key = cache.keys();
    Tensor value = cache.values();
    if (chosen.length < cache.length()) {
      Tensor places =
          Tensors.of(chosen, chosen.length).to(key.device(), Tensors.scalarType(DType.I64));
      key = key.index_select(1, places);
      value = value.index_select(1, places);
    }
    int before = chosen.length - added;
    Tensor rotatedKey = decoder.rotate(key.unsqueeze(0), table.get(0, chosen.length));
    Tensor query = decoder.rotate(qkv.query(), table.get(before, added));
    Tensor weights = Scorer.weights(decoder.config(), query, rotatedKey, added);
    Tensor places = Tensors.of(chosen, chosen.length);
    cache
        .scores()
        .index_add_(
            1, places.to(key.device(), places.scalar_type()), weights.sum(new long[] {1, 2}));
    Tensor mask = added > 1 && before > 0 ? decoder.mask(added, before) : null;
    return decoder.attend(query, rotatedKey, value.unsqueeze(0), before, mask);
  }

  /// Ascending places to look at, the new entries included.
  private static long[] choose(
      Policy.InfLlm policy,
      CacheSettings settings,
      DecoderConfig config,
      LayerCache cache,
      Decoder.Qkv qkv,
      int past) {
    if (past <= settings.budget()) {
      return LongStream.range(0, cache.length()).toArray();
    }
    int sinks = settings.sinks();
    int local = Math.max(1, settings.budget() / 2 - sinks);
    int blocks = (past - local - sinks) / policy.block();
    int fetched = Math.min(blocks, (settings.budget() - sinks - local) / policy.block());
    List<Long> places = new ArrayList<>();
    for (long i = 0; i < sinks; i++) {
      places.add(i);
    }
    if (fetched > 0) {
      for (long block : best(policy, config, cache, qkv, sinks, blocks, fetched)) {
        for (int i = 0; i < policy.block(); i++) {
          places.add(sinks + block * policy.block() + i);
        }
      }
    }
    for (long i = (long) past - local; i < cache.length(); i++) {
      places.add(i);
    }
    return places.stream().mapToLong(Long::longValue).toArray();
  }

  private static long[] best(
      Policy.InfLlm policy,
      DecoderConfig config,
      LayerCache cache,
      Decoder.Qkv qkv,
      int sinks,
      int blocks,
      int fetched) {
    long span = (long) blocks * policy.block();
    Tensor query =
        Tensors.to(qkv.query().squeeze(0), DType.F32)
            .sum(new long[] {1})
            .view(config.kvHeads(), config.groupSize(), config.headDim())
            .sum(new long[] {1})
            .unsqueeze(2); // [kvHeads, headDim, 1]
    Tensor relevance =
        Tensors.to(cache.keys().narrow(1, sinks, span), DType.F32).matmul(query).squeeze(2);
    int representatives = Math.min(policy.representatives(), policy.block());
    Tensor received = cache.scores().narrow(1, sinks, span).reshape(-1, blocks, policy.block());
    Tensor stands = received.topk(representatives, 2, true, false).get1();
    Tensor block =
        relevance
            .reshape(-1, blocks, policy.block())
            .gather(2, stands)
            .sum(new long[] {0, 2})
            .mul(new Scalar(1.0));
    Tensor top = block.topk(fetched, 0, true, true).get1();
    return LongStream.of(Tensors.longs(top)).sorted().toArray();
  }
}
