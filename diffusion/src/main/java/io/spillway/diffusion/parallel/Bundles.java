package io.spillway.diffusion.parallel;

import io.spillway.tensor.TensorHolder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.pytorch.Tensor;

/// The places of all layers: bundles that displaced steps share, and single ones that layers borrow
/// in turn for an exchange that is waited for.
final class Bundles {
  /// Messages a step for each kind; an exchange then has 7/8 of a step to pass unseen.
  private static final int MESSAGES = 8;

  private final Exchange exchange;
  private final TensorHolder holder;
  private final List<Bundle> shared = new ArrayList<>();
  private final Map<String, Bundle.Place> places = new HashMap<>();
  private final Map<Bundle.Counts, Bundle> single = new HashMap<>();

  Bundles(Exchange exchange, TensorHolder holder) {
    this.exchange = exchange;
    this.holder = holder;
  }

  /// Makes shared buffers for layers in the order of the forward pass, which is the same on every
  /// rank; an eighth of the layers at a time makes a message.
  ///
  /// @param extrapolated layers whose reads continue the last change
  void share(LinkedHashMap<String, Bundle.Counts> layers, Tensor like, Set<String> extrapolated) {
    List<String> names = List.copyOf(layers.keySet());
    int each = (names.size() + MESSAGES - 1) / MESSAGES;
    for (int begin = 0; begin < names.size(); begin += each) {
      List<String> some = names.subList(begin, Math.min(names.size(), begin + each));
      List<Bundle.Counts> counts =
          some.stream().map(n -> java.util.Objects.requireNonNull(layers.get(n))).toList();
      Bundle bundle =
          new Bundle(
              exchange, holder, like, some.stream().map(extrapolated::contains).toList(), counts);
      shared.add(bundle);
      for (int i = 0; i < some.size(); i++) {
        places.put(some.get(i), bundle.places().get(i));
      }
    }
  }

  /// A layer's place in the shared buffers.
  Bundle.Place place(String layer) {
    Bundle.Place place = places.get(layer);
    if (place == null) {
      throw new IllegalStateException("layer " + layer + " is not among the model's sites");
    }
    return place;
  }

  /// A place that is free until the next layer of the same counts asks.
  Bundle.Place single(Bundle.Counts counts, Tensor like) {
    return single
        .computeIfAbsent(
            counts, c -> new Bundle(exchange, holder, like, List.of(false), List.of(c)))
        .places()
        .getFirst();
  }

  /// Begins a step that is recorded, or would be, with all shared buffers.
  void beginRecorded(boolean stays) {
    shared.forEach(b -> b.beginRecorded(stays));
  }

  /// Waits for every exchange under way.
  void finish() {
    shared.forEach(Bundle::finish);
  }

  /// Bytes of all buffers.
  long bytes() {
    return shared.stream().mapToLong(Bundle::bytes).sum()
        + single.values().stream().mapToLong(Bundle::bytes).sum();
  }
}
