package io.spillway.longcontext.cache;

import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.Policy;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import io.spillway.tensor.Devices;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import io.spillway.tensor.Tensors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/// InfLLM's memory of one layer. Sinks and the newest entries are near, in a [LayerCache]; older
/// ones leave in blocks for a [BlockStore] and only some representative keys of each block stay on
/// the device. Each chunk and each step fetches the blocks whose representatives match its queries
/// best; those fetched lately stay on the device until others need their place.
///
/// Keys are un-rotated everywhere; what is looked at stands at positions `0 .. count - 1`.
///
/// **Source:** Xiao et al., InfLLM (arXiv 2402.04617). Representatives are the keys of a block that
/// received most attention from the queries that looked while it was near; relevance is the sum of
/// un-rotated products over queries, heads and representatives.
final class FarBlocks implements AutoCloseable {
  private final Policy.InfLlm policy;
  private final CacheSettings settings;
  private final DecoderConfig config;
  private final LayerCache near;
  private final BlockStore store;
  private final ComputeDevice device;
  private final PlainStore representatives;
  private final List<Integer> numbers = new ArrayList<>();
  private final TensorHolder holder = new TensorHolder();
  private final Map<Integer, Tensor> lately = new LinkedHashMap<>(16, 0.75f, true);
  private long latelyBytes;

  FarBlocks(
      Policy.InfLlm policy,
      CacheSettings settings,
      Decoder decoder,
      LayerCache near,
      BlockStore store) {
    this.policy = policy;
    this.settings = settings;
    this.config = decoder.config();
    this.near = near;
    this.store = store;
    this.device = decoder.device();
    this.representatives =
        new PlainStore(
            config.kvHeads(),
            config.headDim(),
            LayerCache.PAGE,
            Tensors.dtype(decoder.weight("model.norm.weight")),
            decoder.weight("model.norm.weight"));
  }

  private int sinks() {
    return Math.min(settings.sinks(), near.length());
  }

  /// Newest entries that never leave; up to a block less one more wait for theirs to be whole.
  private int local() {
    return Math.max(1, settings.budget() / 2 - settings.sinks() - policy.block() + 1);
  }

  /// Blocks that may be looked at beside sinks and the newest entries.
  private int most() {
    int near = settings.sinks() + local() + policy.block() - 1;
    return Math.max(0, (settings.budget() - near) / policy.block());
  }

  /// Entries near and far.
  int seen() {
    return near.length() + numbers.size() * policy.block();
  }

  /// Bytes on the device beside the near cache.
  long deviceBytes() {
    return representatives.bytes() + latelyBytes;
  }

  /// Adds new keys and values and lets the new queries look.
  Tensor attend(Decoder decoder, AngleTable table, Decoder.Qkv qkv) {
    if (near.length() > settings.budget() || (!numbers.isEmpty() && near.length() > 0)) {
      moveOut();
    }
    int[] chosen = choose(qkv.query());
    near.append(qkv.key().squeeze(0), qkv.value().squeeze(0));
    int added = (int) qkv.query().size(2);
    int sinks = sinks();
    long rest = (long) near.length() - sinks;
    Tensor keys = near.keys();
    Tensor values = near.values();
    if (chosen.length > 0) {
      Tensor fetched = fetched(chosen); // [2, kvHeads, entries, headDim]
      keys = between(keys, fetched.select(0, 0), sinks);
      values = between(values, fetched.select(0, 1), sinks);
    }
    int length = (int) keys.size(1);
    Tensor rotated = decoder.rotate(keys.unsqueeze(0), table.get(0, length));
    Tensor query = decoder.rotate(qkv.query(), table.get(length - added, added));
    Tensor received = Scorer.received(config, query, rotated, added);
    near.scores().narrow(1, 0, sinks).add_(received.narrow(1, 0, sinks));
    near.scores().narrow(1, sinks, rest).add_(received.narrow(1, length - rest, rest));
    return decoder.look(query, rotated, values.unsqueeze(0), (long) length - added, null);
  }

  private static Tensor between(Tensor near, Tensor fetched, int sinks) {
    return torch.cat(
        new TensorVector(
            near.narrow(1, 0, sinks), fetched, near.narrow(1, sinks, near.size(1) - sinks)),
        1);
  }

  /// Moves the oldest whole blocks beyond the local window into the store.
  private void moveOut() {
    int sinks = sinks();
    int count = (near.length() - sinks - local()) / policy.block();
    if (count <= 0) {
      return;
    }
    long span = (long) count * policy.block();
    Tensor keys = near.keys().narrow(1, sinks, span);
    Tensor both = torch.stack(new TensorVector(keys, near.values().narrow(1, sinks, span)), 0);
    Tensor received = near.scores().narrow(1, sinks, span).reshape(-1, count, policy.block());
    Tensor stands = received.topk(policy.representatives(), 2, true, false).get1();
    Tensor wide =
        stands
            .unsqueeze(3)
            .expand(config.kvHeads(), count, policy.representatives(), config.headDim());
    Tensor chosen =
        keys.reshape(config.kvHeads(), count, policy.block(), config.headDim()).gather(2, wide);
    representatives.append(
        chosen.reshape(
            config.kvHeads(), (long) count * policy.representatives(), config.headDim()));
    Tensor host = Tensors.to(both, Devices.cpu());
    for (int i = 0; i < count; i++) {
      long at = (long) i * policy.block();
      TensorScope.run(
          () -> numbers.add(store.add(host.narrow(2, at, policy.block()).contiguous())));
    }
    Tensor places = torch.arange(new Scalar(near.length()), stands.options());
    Tensor stay =
        torch.cat(
            new TensorVector(
                places.narrow(0, 0, sinks),
                places.narrow(0, sinks + span, near.length() - sinks - span)),
            0);
    near.compact(stay.unsqueeze(0).expand(config.kvHeads(), stay.size(0)).contiguous());
  }

  /// The blocks to look at, ascending.
  private int[] choose(Tensor queries) {
    int fetched = Math.min(most(), numbers.size());
    if (fetched == numbers.size()) {
      return IntStream.range(0, fetched).toArray();
    }
    if (fetched == 0) {
      return new int[0];
    }
    Tensor query =
        Tensors.to(queries.squeeze(0), DType.F32)
            .sum(new long[] {1})
            .view(config.kvHeads(), config.groupSize(), config.headDim())
            .sum(new long[] {1})
            .unsqueeze(2); // [kvHeads, headDim, 1]
    Tensor relevance =
        Tensors.to(representatives.read(), DType.F32)
            .matmul(query)
            .view(config.kvHeads(), numbers.size(), policy.representatives())
            .sum(new long[] {0, 2});
    long[] best = Tensors.longs(relevance.topk(fetched, 0, true, false).get1());
    return Arrays.stream(best).mapToInt(b -> (int) b).sorted().toArray();
  }

  /// The blocks on the device, `[2, kvHeads, entries, headDim]`.
  private Tensor fetched(int[] chosen) {
    TensorVector parts = new TensorVector();
    for (int block : chosen) {
      Tensor known = lately.get(block);
      if (known == null) {
        known = holder.hold(Tensors.to(store.get(numbers.get(block)), device));
        lately.put(block, known);
        latelyBytes += known.numel() * known.element_size();
      }
      parts.push_back(known);
    }
    Tensor all = torch.cat(parts, 2);
    // as many again as one look needs
    Iterator<Tensor> oldest = lately.values().iterator();
    while (lately.size() > 2 * most()) {
      Tensor old = oldest.next();
      latelyBytes -= old.numel() * old.element_size();
      oldest.remove();
      holder.release(old);
    }
    return all;
  }

  /// The representatives, `[kvHeads, blocks * representatives, headDim]`.
  Tensor representatives() {
    return representatives.read();
  }

  /// All blocks on the host, `[blocks, 2, kvHeads, block, headDim]`.
  Tensor blocks() {
    TensorVector all = new TensorVector();
    numbers.forEach(number -> all.push_back(store.get(number)));
    return torch.stack(all, 0);
  }

  /// Blocks that left the device.
  int count() {
    return numbers.size();
  }

  /// Takes over what [#blocks] and [#representatives] of another session gave.
  void restore(Tensor blocks, Tensor stand) {
    representatives.append(stand);
    for (long i = 0; i < blocks.size(0); i++) {
      long at = i;
      TensorScope.run(() -> numbers.add(store.add(blocks.select(0, at).contiguous())));
    }
  }

  void copyFrom(FarBlocks other) {
    if (other.count() > 0) {
      representatives.append(other.representatives());
      other.numbers.forEach(number -> numbers.add(store.copy(other.store, number)));
    }
  }

  @Override
  public void close() {
    representatives.close();
    holder.close();
    lately.clear();
  }
}
