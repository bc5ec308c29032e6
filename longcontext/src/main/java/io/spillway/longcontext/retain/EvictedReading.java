package io.spillway.longcontext.retain;

import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// Reads a prompt in chunks with eviction by the present heads and records what each layer's heads
/// would be given: after evictions hidden states differ from those of full attention, and heads
/// that learned from full attention alone never saw such.
///
/// **Source:** ours (training with the eviction in the loop). Eviction goes as in Locret, section
/// 3.3; one sink stays.
final class EvictedReading {
  /// How the prompt is read.
  ///
  /// @param budget entries that stay per layer and head
  /// @param chunk tokens read at a time
  /// @param stabilizer newest entries that stay between chunks
  /// @param sinks first entries that always stay
  record Settings(int budget, int chunk, int stabilizer, int sinks) {}

  private final Decoder decoder;
  private final DecoderConfig config;
  private final RetainingHeads heads;
  private final Settings settings;

  EvictedReading(Decoder decoder, RetainingHeads heads, Settings settings) {
    this.decoder = decoder;
    this.config = decoder.config();
    this.heads = heads;
    this.settings = settings;
  }

  /// One layer's kept entries.
  ///
  /// @param keys before rotation, `[kvHeads, entries, headDim]`
  /// @param scores `[kvHeads, entries]`
  private record Kept(Tensor keys, Tensor values, Tensor scores) {}

  /// Queries, keys and values of all prompt tokens, by layer.
  List<Decoder.Qkv> read(int[] prompt) {
    List<Kept> kept = new ArrayList<>();
    List<List<Decoder.Qkv>> seen = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      seen.add(new ArrayList<>());
    }
    for (int at = 0; at < prompt.length; at += settings.chunk()) {
      int end = Math.min(prompt.length, at + settings.chunk());
      chunk(Arrays.copyOfRange(prompt, at, end), end == prompt.length, kept, seen);
    }
    return seen.stream()
        .map(parts ->
            new Decoder.Qkv(
                join(parts.stream().map(Decoder.Qkv::query).toList(), 2),
                join(parts.stream().map(Decoder.Qkv::key).toList(), 2),
                join(parts.stream().map(Decoder.Qkv::value).toList(), 2)))
        .toList();
  }

  private void chunk(int[] tokens, boolean last, List<Kept> kept, List<List<Decoder.Qkv>> seen) {
    long[] ids = Arrays.stream(tokens).asLongStream().toArray();
    Tensor like = decoder.weight("model.norm.weight");
    Tensor all = Tensors.of(ids, 1, ids.length);
    Tensor x = decoder.embed(all.to(like.device(), all.scalar_type()));
    long past = kept.isEmpty() ? 0 : kept.getFirst().keys().size(1);
    Decoder.Angles angles = decoder.angles(0, (int) past + ids.length, past + ids.length);
    Tensor mask = past == 0 ? null : decoder.mask(ids.length, past);
    for (int layer = 0; layer < config.layers(); layer++) {
      Decoder.Qkv qkv = decoder.project(layer, x);
      seen.get(layer).add(qkv);
      Tensor score = heads.score(layer, qkv);
      Kept now =
          past == 0
              ? new Kept(qkv.key().squeeze(0), qkv.value().squeeze(0), score)
              : new Kept(
                  join(List.of(kept.get(layer).keys(), qkv.key().squeeze(0)), 1),
                  join(List.of(kept.get(layer).values(), qkv.value().squeeze(0)), 1),
                  join(List.of(kept.get(layer).scores(), score), 1));
      Tensor attended =
          decoder.attend(
              decoder.rotate(qkv.query(), angles.narrow(past, ids.length)),
              decoder.rotate(now.keys().unsqueeze(0), angles),
              now.values().unsqueeze(0),
              past,
              mask);
      x = decoder.finish(layer, x, attended);
      Kept left = last ? now : evict(now);
      if (layer < kept.size()) {
        kept.set(layer, left);
      } else {
        kept.add(left);
      }
    }
  }

  private Kept evict(Kept all) {
    long length = all.keys().size(1);
    if (length <= settings.budget()) {
      return all;
    }
    return TensorScope.computeAll(
            () -> {
              Tensor scores = all.scores().clone();
              Scalar always = new Scalar(1e30);
              scores.narrow(1, 0, settings.sinks()).fill_(always);
              long recent = Math.min(settings.stabilizer(), settings.budget() - settings.sinks());
              scores.narrow(1, length - recent, recent).fill_(always);
              Tensor best =
                  scores.topk(settings.budget(), 1, true, false).get1().sort(1, false).get0();
              Tensor wide =
                  best.unsqueeze(2).expand(best.size(0), best.size(1), all.keys().size(2));
              return List.of(
                  all.keys().gather(1, wide),
                  all.values().gather(1, wide),
                  all.scores().gather(1, best));
            })
        .stream()
        .collect(
            java.util.stream.Collectors.collectingAndThen(
                java.util.stream.Collectors.toList(), t -> new Kept(t.get(0), t.get(1), t.get(2))));
  }

  private static Tensor join(List<Tensor> parts, long dim) {
    return torch.cat(new TensorVector(parts.toArray(Tensor[]::new)), dim);
  }
}
