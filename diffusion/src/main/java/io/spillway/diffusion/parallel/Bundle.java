package io.spillway.diffusion.parallel;

import io.spillway.tensor.CudaGraph;
import io.spillway.tensor.TensorHolder;
import io.spillway.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/// What consecutive layers exchange, in one message: buffers made once, and the exchange under way.
///
/// In each displaced step every layer reads its [Place] (values of the step before), then packs its
/// own fresh values; when the last layer has packed, the exchange of all starts and overlaps with
/// the rest of the step. The first read of the next step waits for it. Every step receives: nothing
/// here can freeze. With one message for many layers a GPU starts few exchanges a step.
///
/// **Shapes:** flat tensors; either the same values go to every rank (gathered), or each rank gets
/// its own.
final class Bundle {
  /// Elements that one layer exchanges.
  ///
  /// @param gathered whether everybody, the own rank included, gets the same
  /// @param to elements for each rank
  /// @param from elements from each rank
  record Counts(boolean gathered, long[] to, long[] from) {
    /// The same `count` elements to everybody.
    static Counts gathered(int ranks, long count) {
      long[] counts = new long[ranks];
      Arrays.fill(counts, count);
      return new Counts(true, counts, counts);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Counts c
          && gathered == c.gathered
          && Arrays.equals(to, c.to)
          && Arrays.equals(from, c.from);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(to) * 31 + Arrays.hashCode(from);
    }
  }

  private final Exchange exchange;
  private final boolean gathered;
  private final long[] toTotal;
  private final long[] fromTotal;
  private final List<Place> places = new ArrayList<>();
  private final Tensor outgoing;
  private Tensor latest;
  private @Nullable Tensor older;
  private Exchange.@Nullable Pending pending;
  private int ready;
  private int arrived;
  private boolean quiet;

  /// Buffers for some layers.
  ///
  /// @param like gives type and device
  /// @param extrapolated whether reads of each layer continue the last change
  Bundle(
      Exchange exchange,
      TensorHolder holder,
      Tensor like,
      List<Boolean> extrapolated,
      List<Counts> layers) {
    this.exchange = exchange;
    this.gathered = layers.getFirst().gathered();
    this.toTotal = new long[exchange.size()];
    this.fromTotal = new long[exchange.size()];
    for (int i = 0; i < layers.size(); i++) {
      Counts layer = layers.get(i);
      places.add(new Place(layer, extrapolated.get(i)));
      for (int r = 0; r < toTotal.length; r++) {
        toTotal[r] += layer.to()[r];
        fromTotal[r] += layer.from()[r];
      }
    }
    try (TensorScope scope = TensorScope.open()) {
      assert scope != null;
      long sent = gathered ? toTotal[0] : Arrays.stream(toTotal).sum();
      long received = Arrays.stream(fromTotal).sum();
      this.outgoing = holder.hold(Strips.like(like, sent));
      this.latest = holder.hold(Strips.like(like, received));
      this.older = extrapolated.contains(true) ? holder.hold(Strips.like(like, received)) : null;
    }
  }

  /// One layer's part of the buffers.
  final class Place {
    private final Counts counts;
    private final boolean extrapolate;
    private final long[] toOffset = toTotal.clone();
    private final long[] fromOffset = fromTotal.clone();

    private Place(Counts counts, boolean extrapolate) {
      this.counts = counts;
      this.extrapolate = extrapolate;
    }

    /// Elements from a rank.
    long from(int rank) {
      return counts.from()[rank];
    }

    /// Elements for a rank.
    long to(int rank) {
      return counts.to()[rank];
    }

    /// Where the values for a rank go; gathered ones go to 0, for everybody. Flat.
    Tensor outgoing(int rank) {
      finish();
      return outgoing.narrow(0, start(toTotal, rank) + toOffset[rank], to(rank));
    }

    /// What arrived last from a rank, or its continuation into this step. Flat.
    Tensor seen(int rank) {
      finish();
      if (arrived == 0) {
        throw new IllegalStateException("a displaced step came before any synchronous one");
      }
      Tensor now = part(latest, rank);
      Tensor before = older;
      return extrapolate && arrived >= 2 && before != null
          ? torch.lerp(part(before, rank), now, new Scalar(2.0)) // 2 K(t-1) - K(t-2)
          : now;
    }

    /// What arrived last of gathered values, the own among them: [ranks, count].
    Tensor seenOfAll() {
      finish();
      return latest.view(exchange.size(), fromTotal[0]).narrow(1, fromOffset[0], from(0));
    }

    /// Where values of a rank that came another way go. Flat.
    Tensor arriving(int rank) {
      finish();
      return part(target(), rank);
    }

    private Tensor part(Tensor buffer, int rank) {
      return buffer.narrow(0, start(fromTotal, rank) + fromOffset[rank], from(rank));
    }

    /// The own values are packed.
    void send() {
      ready(true);
    }

    /// Values that came another way are in their place.
    void keep() {
      ready(false);
    }

    /// Takes what another place of the same counts saw.
    void keep(Place source) {
      for (int r = 0; r < exchange.size(); r++) {
        if (from(r) > 0) {
          arriving(r).copy_(source.seen(r));
        }
      }
      keep();
    }

    /// Exchanges the packed values at once; for a bundle of this layer alone.
    void trade() {
      send();
      finish();
    }

    Exchange exchange() {
      return exchange;
    }

    int arrivals() {
      return arrived;
    }
  }

  /// The layers' places in order.
  List<Place> places() {
    return places;
  }

  private long start(long[] totals, int rank) {
    long start = 0;
    for (int r = 0; r < rank && !(gathered && totals == toTotal); r++) {
      start += totals[r];
    }
    return start;
  }

  private Tensor target() {
    Tensor other = older;
    return other == null ? latest : other;
  }

  private void ready(boolean launch) {
    ready++;
    if (ready < places.size()) {
      return;
    }
    ready = 0;
    if (launch) {
      CudaGraph.between(this::depart);
    } else {
      finish();
      pending = Exchange.Pending.DONE;
      finish();
    }
  }

  private void depart() {
    if (!quiet) {
      finish();
      pending = launch();
    }
  }

  /// Begins a step that is recorded, or would be: what is under way is waited for here, once.
  ///
  /// @param stays whether what this step packs is not sent
  void beginRecorded(boolean stays) {
    finish();
    ready = 0; // a recording may have ended half-way
    quiet = stays;
  }

  private Exchange.Pending launch() {
    if (outgoing.numel() + latest.numel() == 0) {
      return Exchange.Pending.DONE; // and so it is on every rank
    }
    return gathered
        ? exchange.allGather(outgoing, target().view(exchange.size(), outgoing.numel()))
        : exchange.allToAll(outgoing, toTotal, target(), fromTotal);
  }

  /// Waits for the exchange under way, if any.
  void finish() {
    Exchange.Pending under = pending;
    if (under == null) {
      return;
    }
    pending = null;
    under.await();
    arrived++;
    Tensor swap = older;
    if (swap != null) {
      older = latest;
      latest = swap;
    }
  }

  /// Bytes of the buffers.
  long bytes() {
    Tensor other = older;
    long elements = outgoing.numel() + latest.numel() + (other == null ? 0 : other.numel());
    return elements * outgoing.element_size();
  }
}
