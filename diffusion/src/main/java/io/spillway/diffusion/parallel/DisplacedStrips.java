package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.model.Ops;
import io.spillway.diffusion.model.PartialAttention;
import io.spillway.diffusion.model.Site;
import io.spillway.tensor.TensorHolder;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// DistriFusion and PCPP: strips that see each other's activations of the step before, while fresh
/// ones travel under the computation.
final class DisplacedStrips extends RankCooperation {
  /// What is known before the first step: where the model exchanges, the samples of a forward pass,
  /// and a tensor that has the activations' type and device.
  record Layout(List<Site> sites, long batch, Tensor like) {}

  private final Exchange exchange;
  private final Exchange urgent; // a connection of its own: the prediction passes stale values by
  private final Sync sync;
  private final boolean extrapolates;
  private final Keys keys;
  private final boolean partial;
  private final TensorHolder holder = new TensorHolder();
  private final Bundles activations;
  private final Bundles moments;
  private boolean synchronous;
  private boolean sends; // whether fresh values are packed for the next step
  private boolean recorded;

  DisplacedStrips(Exchange exchange, Strategy.DistriFusion strategy, Layout layout) {
    this(
        exchange,
        strategy.sync(),
        strategy.extrapolate(),
        false,
        _ -> new Keys.All(exchange.rank(), exchange.size()),
        layout);
  }

  DisplacedStrips(Exchange exchange, Strategy.Pcpp strategy, Layout layout) {
    this(
        exchange,
        Sync.CORRECTED_ASYNC_GN,
        strategy.extrapolate(),
        true,
        holder ->
            new NearKeys(
                exchange.rank(), exchange.size(), holder, strategy.conditioning(), strategy.pool()),
        layout);
  }

  DisplacedStrips(Exchange exchange, Strategy.Turns strategy, Layout layout) {
    this(
        exchange,
        Sync.CORRECTED_ASYNC_GN,
        false,
        true,
        holder -> new TurnKeys(exchange.rank(), exchange.size(), holder, strategy),
        layout);
  }

  private DisplacedStrips(
      Exchange exchange,
      Sync sync,
      boolean extrapolate,
      boolean partial,
      Function<TensorHolder, Keys> keys,
      Layout layout) {
    this.exchange = exchange;
    this.urgent = exchange.split(List.of(IntStream.range(0, exchange.size()).boxed().toList()));
    this.sync = sync;
    this.extrapolates = extrapolate;
    this.partial = partial;
    this.keys = keys.apply(holder);
    this.activations = new Bundles(exchange, holder);
    this.moments = new Bundles(exchange, holder);
    if (sync != Sync.FULL_SYNC) {
      Set<String> continued = extrapolate ? attentionLayers(layout) : Set.of();
      activations.share(activationCounts(layout), layout.like(), continued);
    }
    if (staleMoments()) {
      Tensor single = layout.like().to(torch.ScalarType.Float);
      moments.share(momentCounts(layout), single, Set.of());
    }
  }

  private boolean staleMoments() {
    return switch (sync) {
      case CORRECTED_ASYNC_GN, STALE_GN, NO_SYNC -> true;
      case SYNC_GN, SEPARATE_GN, FULL_SYNC -> false;
    };
  }

  /// The layers whose stale values are continued: keys and values, never the halos of convolutions.
  /// A continuation multiplies what is noise in two steps, and a chain of convolutions passes that
  /// on from layer to layer until the image drowns.
  private static Set<String> attentionLayers(Layout layout) {
    Set<String> layers = new HashSet<>();
    for (Site site : layout.sites()) {
      if (site instanceof Site.Attention attention) {
        layers.add(attention.layer());
      }
    }
    return layers;
  }

  private LinkedHashMap<String, Bundle.Counts> activationCounts(Layout layout) {
    LinkedHashMap<String, Bundle.Counts> counts = new LinkedHashMap<>();
    for (Site site : layout.sites()) {
      switch (site) {
        case Site.Attention(String layer, int tokens, int width) ->
            counts.put(layer, keys.counts(layout.batch(), tokens / exchange.size(), width));
        case Site.Convolution(
                String layer,
                int channels,
                int _,
                int columns,
                int padding,
                int stride) ->
            counts.put(
                layer,
                halos(padding, stride).counts(layout.batch() * channels * padding * columns));
        case Site.Norm _, Site.Sum _, Site.Output _ -> {}
      }
    }
    return counts;
  }

  private LinkedHashMap<String, Bundle.Counts> momentCounts(Layout layout) {
    LinkedHashMap<String, Bundle.Counts> counts = new LinkedHashMap<>();
    for (Site site : layout.sites()) {
      if (site instanceof Site.Norm(String layer, int groups)) {
        counts.put(layer, Moments.counts(exchange, layout.batch(), groups));
      }
    }
    return counts;
  }

  private Halos halos(int padding, int stride) {
    return new Halos(exchange.rank(), exchange.size(), !partial, padding, stride);
  }

  @Override
  public Strip strip() {
    return new Strip(exchange.rank(), exchange.size());
  }

  @Override
  void begin(boolean synchronousStep, boolean last) {
    synchronous = synchronousStep || sync == Sync.FULL_SYNC;
    // a recorded step packs always, and what the last one packs stays where it is
    sends = !synchronous && (!last || recorded) && sync != Sync.NO_SYNC;
    if (recorded && !synchronous) {
      activations.beginRecorded(last);
      moments.beginRecorded(last);
    }
  }

  @Override
  boolean recordable() {
    // a continuation swaps its buffers, fresh statistics are waited for in every layer
    return !extrapolates && keys.fixed() && sync != Sync.FULL_SYNC && sync != Sync.SYNC_GN;
  }

  @Override
  void record() {
    recorded = true;
  }

  private boolean keeps() {
    return sync != Sync.FULL_SYNC;
  }

  @Override
  public Tensor selfAttention(String layer, Tensor q, Tensor k, Tensor v, int heads) {
    throw new IllegalStateException("strips exchange what keys and values are made of");
  }

  @Override
  public Tensor selfAttention(String layer, Tensor q, Tensor x, Projection made, int heads) {
    Keys.Own own = Keys.Own.of(x, made);
    if (synchronous) {
      return attend(q, new Keys.Seen(whole(layer, own), null, null), heads);
    }
    Bundle.Place place = activations.place(layer);
    Keys.Seen seen = keys.seen(place, own);
    if (sends) {
      keys.pack(place, own);
      place.send();
    }
    return attend(q, seen, heads);
  }

  private static Tensor attend(Tensor q, Keys.Seen seen, int heads) {
    Tensor[] near = Ops.chunk(seen.near(), 2, 2);
    Tensor pooled = seen.pooled();
    if (pooled == null) {
      return Ops.attention(q, near[0], near[1], heads, null);
    }
    Tensor queries = Ops.split(q, heads);
    Tensor[] far = Ops.chunk(pooled, 2, 2);
    PartialAttention one =
        PartialAttention.of(queries, Ops.split(near[0], heads), Ops.split(near[1], heads), null);
    PartialAttention other =
        PartialAttention.of(
            queries, Ops.split(far[0], heads), Ops.split(far[1], heads), seen.bias());
    return Ops.merge(one.join(other).out());
  }

  /// Fresh keys and values of all strips, in the image's order.
  private Tensor whole(String layer, Keys.Own own) {
    Tensor shared = keys.shared(own);
    long[] s = {shared.size(0), shared.size(1), shared.size(2)};
    Bundle.Place all =
        activations.single(Bundle.Counts.gathered(exchange.size(), shared.numel()), shared);
    all.outgoing(0).view(s).copy_(shared);
    all.trade();
    Tensor strips = keys.received(all.seenOfAll().view(exchange.size(), s[0], s[1], s[2]), own);
    if (keeps()) {
      keys.keep(activations.place(layer), strips);
    }
    return strips.transpose(0, 1).reshape(s[0], -1, strips.size(3));
  }

  @Override
  public Tensor convolve(
      String layer, Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding) {
    if (padding == 0) {
      return Ops.convolve(x, weight, bias, stride, 0, 0);
    }
    Halos halos = halos(padding, stride);
    if (synchronous) {
      Bundle.Place fresh = activations.single(halos.counts(halos.edge(x)), x);
      halos.pack(fresh, x);
      fresh.trade();
      if (keeps()) {
        activations.place(layer).keep(fresh);
      }
      return halos.convolve(fresh, x, weight, bias);
    }
    Bundle.Place place = activations.place(layer);
    Tensor padded = halos.padded(place, x);
    if (sends) {
      halos.pack(place, x);
      place.send();
    }
    return Ops.convolve(padded, weight, bias, stride, 0, padding);
  }

  @Override
  public Tensor groupNorm(
      String layer, Tensor x, int groups, Tensor weight, Tensor bias, double epsilon) {
    Tensor own = Ops.moments(x, groups);
    return Ops.normalise(x, allMoments(layer, own), own, groups, weight, bias, epsilon);
  }

  private Tensor allMoments(String layer, Tensor own) {
    if (synchronous || sync == Sync.SYNC_GN) {
      Bundle.Place fresh = moments.single(Moments.counts(exchange, own.size(1), own.size(2)), own);
      Moments.pack(fresh, own);
      fresh.trade();
      if (staleMoments()) {
        moments.place(layer).keep(fresh);
      }
      return Moments.exact(fresh, own);
    }
    if (sync == Sync.SEPARATE_GN) {
      return own;
    }
    Bundle.Place place = moments.place(layer);
    Tensor all = Moments.displaced(place, own, sync, exchange.rank(), exchange.size());
    if (sends) {
      Moments.pack(place, own);
      place.send();
    }
    return all;
  }

  @Override
  Tensor gather(Tensor own) {
    return Strips.gatherRows(urgent, own);
  }

  @Override
  long bufferBytes() {
    return activations.bytes() + moments.bytes() + keys.bytes();
  }

  @Override
  void drain() {
    activations.finish();
    moments.finish();
  }

  @Override
  public void close() {
    holder.close();
  }
}
