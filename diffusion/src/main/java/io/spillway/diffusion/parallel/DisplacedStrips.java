package io.spillway.diffusion.parallel;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.Strategy.Sync;
import io.spillway.diffusion.model.Ops;
import io.spillway.tensor.TensorHolder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/// DistriFusion and PCPP: strips that see each other's activations of the step before, while fresh
/// ones travel under the computation.
final class DisplacedStrips extends RankCooperation {
  private final Exchange exchange;
  private final Sync sync;
  private final @Nullable Pcpp partial;
  private final boolean extrapolate;
  private final TensorHolder holder = new TensorHolder();
  private final NearKeys.Scratch scratch = new NearKeys.Scratch(holder);
  private final Map<String, Keys> keys = new HashMap<>();
  private final Map<String, Halos> halos = new HashMap<>();
  private final Map<String, Moments> moments = new HashMap<>();
  private boolean synchronous;
  private boolean sends; // whether fresh values travel for the next step

  /// p and pool of partial conditioning.
  private record Pcpp(double conditioning, int pool) {}

  DisplacedStrips(Exchange exchange, Strategy.DistriFusion strategy) {
    this.exchange = exchange;
    this.sync = strategy.sync();
    this.partial = null;
    this.extrapolate = strategy.extrapolate();
  }

  DisplacedStrips(Exchange exchange, Strategy.Pcpp strategy) {
    this.exchange = exchange;
    this.sync = Sync.CORRECTED_ASYNC_GN;
    this.partial = new Pcpp(strategy.conditioning(), strategy.pool());
    this.extrapolate = strategy.extrapolate();
  }

  @Override
  public Strip strip() {
    return new Strip(exchange.rank(), exchange.size());
  }

  @Override
  void begin(boolean synchronousStep, boolean last) {
    synchronous = synchronousStep || sync == Sync.FULL_SYNC;
    sends = !synchronous && !last && sync != Sync.NO_SYNC;
  }

  @Override
  public Tensor selfAttention(String layer, Tensor q, Tensor k, Tensor v, int heads) {
    Keys remote = keys.computeIfAbsent(layer, _ -> newKeys());
    Tensor own = Ops.cat(List.of(k, v), 2);
    Tensor seen = synchronous ? remote.whole(own) : remote.seen(own);
    Tensor bias = synchronous ? null : remote.bias(own);
    if (sends) {
      remote.start(own);
    }
    long width = q.size(2);
    return Ops.attention(q, seen.narrow(2, 0, width), seen.narrow(2, width, width), heads, bias);
  }

  private Keys newKeys() {
    Pcpp p = partial;
    return p == null
        ? new Keys.All(exchange, holder, extrapolate)
        : new NearKeys(exchange, holder, scratch, p.conditioning(), p.pool(), extrapolate);
  }

  @Override
  public Tensor convolve(
      String layer, Tensor x, Tensor weight, @Nullable Tensor bias, int stride, int padding) {
    if (padding == 0) {
      return Ops.convolve(x, weight, bias, stride, 0, 0);
    }
    Halos remote = halos.computeIfAbsent(layer, _ -> newHalos(padding, stride));
    if (synchronous) {
      return remote.convolve(x, remote.fresh(x), weight, bias, stride);
    }
    Tensor out = remote.convolve(x, remote.stale(), weight, bias, stride);
    if (sends) {
      remote.start(x);
    }
    return out;
  }

  private Halos newHalos(int padding, int stride) {
    return partial == null
        ? new Halos.Gathered(exchange, holder, extrapolate, padding)
        : new Halos.PointToPoint(exchange, holder, extrapolate, padding, stride);
  }

  @Override
  public Tensor groupNorm(
      String layer, Tensor x, int groups, Tensor weight, Tensor bias, double epsilon) {
    Tensor own = Strips.moments(x, groups);
    Moments remote = moments.computeIfAbsent(layer, _ -> new Moments(exchange, holder));
    Tensor all;
    if (synchronous || sync == Sync.SYNC_GN) {
      all = remote.exact(own);
    } else {
      all = remote.displaced(own, sync);
      if (sends && sync != Sync.SEPARATE_GN) {
        remote.start(own);
      }
    }
    return Strips.normalise(x, all, own, groups, weight, bias, epsilon);
  }

  @Override
  Tensor gather(Tensor own) {
    return Strips.gatherRows(exchange, own);
  }

  @Override
  long bufferBytes() {
    long bytes = scratch.bytes();
    for (Map<String, ? extends Remote> kind : List.of(keys, halos, moments)) {
      bytes += kind.values().stream().mapToLong(Remote::bytes).sum();
    }
    return bytes;
  }

  /// How often each layer's remote values arrived, by layer.
  Map<String, Integer> arrivals() {
    Map<String, Integer> counts = new HashMap<>();
    for (Map<String, ? extends Remote> kind : List.of(keys, halos, moments)) {
      kind.forEach((layer, remote) -> counts.put(layer, remote.arrivals()));
    }
    return counts;
  }

  @Override
  void drain() {
    for (Map<String, ? extends Remote> kind : List.of(keys, halos, moments)) {
      kind.values().forEach(Remote::finish);
    }
  }

  @Override
  public void close() {
    holder.close();
  }
}
