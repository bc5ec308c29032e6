package io.spillway.planner.measure;

import io.spillway.platform.SpillwayException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/// Measured compute of the small GPT on one process while all processes compute, and how it changes
/// when fewer do.
///
/// **Units:** seconds.
///
/// @param entries one for each tensor-parallel way and micro-batch
/// @param updatePerByte gathering gradients and stepping down, for each byte of weights
/// @param slowdown by processes that compute at once, 1 to all of them: time relative to all
/// @param sums what adding a tensor over the processes of a group adds to compute
/// @param reductions averaging gradients over the processes of a group, all groups at once
/// @param handOffs messages to the next stage by processes that have just computed
/// @param closing adding the losses and meeting at the end of an iteration
public record ComputeProfile(
    List<Entry> entries,
    double updatePerByte,
    List<Double> slowdown,
    List<Sum> sums,
    List<Sum> reductions,
    List<HandOff> handOffs,
    double closing) {
  /// One message.
  public record HandOff(int from, int to, long bytes, double seconds) {}

  /// One all-reduce.
  public record Sum(List<Integer> group, long bytes, double seconds) {
    public Sum {
      group = List.copyOf(group);
    }
  }

  /// Seconds of one micro-batch.
  ///
  /// @param layerForward a block that is its stage's only one
  /// @param furtherForward what each further block of a stage adds; more than the first where the
  ///   weights of one fit the processor's caches and those of several do not
  /// @param firstForward what the embedding adds
  /// @param lastForward what norm, logits and loss add
  public record Entry(
      int tp,
      int microBatch,
      double layerForward,
      double layerBackward,
      double furtherForward,
      double furtherBackward,
      double firstForward,
      double firstBackward,
      double lastForward,
      double lastBackward) {
    /// A stage of some blocks, without embedding and logits.
    double forward(int layers) {
      return layerForward + (layers - 1) * furtherForward;
    }

    /// Its backward pass.
    double backward(int layers) {
      return layerBackward + (layers - 1) * furtherBackward;
    }
  }

  public ComputeProfile {
    entries = List.copyOf(entries);
    slowdown = List.copyOf(slowdown);
    sums = List.copyOf(sums);
    reductions = List.copyOf(reductions);
    handOffs = List.copyOf(handOffs);
  }

  /// Nothing measured.
  public static ComputeProfile none() {
    return new ComputeProfile(List.of(), 0, List.of(), List.of(), List.of(), List.of(), 0);
  }

  /// The middle of profiles that were measured alike at several times, figure by figure.
  public static ComputeProfile middle(List<ComputeProfile> all) {
    ComputeProfile first = all.getFirst();
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < first.entries.size(); i++) {
      int at = i;
      Entry e = first.entries.get(i);
      ToDoubleFunction<ToDoubleFunction<Entry>> over =
          f -> median(all.stream().mapToDouble(p -> f.applyAsDouble(p.entries.get(at))));
      entries.add(
          new Entry(
              e.tp(),
              e.microBatch(),
              over.applyAsDouble(Entry::layerForward),
              over.applyAsDouble(Entry::layerBackward),
              over.applyAsDouble(Entry::furtherForward),
              over.applyAsDouble(Entry::furtherBackward),
              over.applyAsDouble(Entry::firstForward),
              over.applyAsDouble(Entry::firstBackward),
              over.applyAsDouble(Entry::lastForward),
              over.applyAsDouble(Entry::lastBackward)));
    }
    return new ComputeProfile(
        entries,
        median(all.stream().mapToDouble(ComputeProfile::updatePerByte)),
        IntStream.range(0, first.slowdown.size())
            .mapToObj(i -> median(all.stream().mapToDouble(p -> p.slowdown.get(i))))
            .toList(),
        middleSums(all, ComputeProfile::sums),
        middleSums(all, ComputeProfile::reductions),
        IntStream.range(0, first.handOffs.size())
            .mapToObj(i -> {
              HandOff h = first.handOffs.get(i);
              double seconds = median(all.stream().mapToDouble(p -> p.handOffs.get(i).seconds()));
              return new HandOff(h.from(), h.to(), h.bytes(), seconds);
            })
            .toList(),
        median(all.stream().mapToDouble(ComputeProfile::closing)));
  }

  private static double median(DoubleStream values) {
    return LinkProfiler.median(values.toArray());
  }

  private static List<Sum> middleSums(
      List<ComputeProfile> all, Function<ComputeProfile, List<Sum>> which) {
    List<Sum> first = which.apply(all.getFirst());
    return IntStream.range(0, first.size())
        .mapToObj(i -> {
          double seconds = median(all.stream().mapToDouble(p -> which.apply(p).get(i).seconds()));
          return new Sum(first.get(i).group(), first.get(i).bytes(), seconds);
        })
        .toList();
  }

  /// Time relative to all processes computing when `active` do on average.
  public double slowdown(double active) {
    if (slowdown.isEmpty()) {
      return 1;
    }
    double at = Math.clamp(active, 1, slowdown.size());
    int below = Math.min((int) at, slowdown.size() - 1);
    double lower = slowdown.get(below - 1 < 0 ? 0 : below - 1);
    double upper = slowdown.get(Math.min(below, slowdown.size() - 1));
    return lower + (at - below) * (upper - lower);
  }

  /// The measured sum over that group, if there is one of that size.
  public Optional<Double> sum(List<Integer> group, long bytes) {
    return sums.stream()
        .filter(s -> s.bytes() == bytes && s.group().equals(group))
        .map(Sum::seconds)
        .findFirst();
  }

  /// The measured reduction over that group, between the sizes of it that were measured.
  public Optional<Double> reduction(List<Integer> group, long bytes) {
    List<Sum> known =
        reductions.stream()
            .filter(s -> s.group().equals(group))
            .sorted(java.util.Comparator.comparingLong(Sum::bytes))
            .toList();
    for (int i = 0; i < known.size(); i++) {
      Sum upper = known.get(i);
      if (upper.bytes() == bytes) {
        return Optional.of(upper.seconds());
      }
      if (i > 0 && upper.bytes() > bytes && known.get(i - 1).bytes() < bytes) {
        Sum lower = known.get(i - 1);
        double share = (double) (bytes - lower.bytes()) / (upper.bytes() - lower.bytes());
        return Optional.of(lower.seconds() + share * (upper.seconds() - lower.seconds()));
      }
    }
    return Optional.empty();
  }

  /// The entry of that cut.
  public Entry entry(int tp, int microBatch) {
    return entries.stream()
        .filter(e -> e.tp() == tp && e.microBatch() == microBatch)
        .findFirst()
        .orElseThrow(() ->
            SpillwayException.badInput(
                "compute of tp %d micro-batch %d was not profiled", tp, microBatch));
  }
}
