package io.spillway.training.plan;

import io.spillway.platform.SpillwayException;
import java.util.ArrayList;
import java.util.List;

/// A contiguous range of the flat parameters that is updated and moved as one.
///
/// @param index number in the forward order of the model
/// @param from first parameter
/// @param to one past the last parameter
public record Subgroup(int index, long from, long to) {
  /// Parameters in it.
  public long size() {
    return to - from;
  }

  /// Cuts the parameters `from` to `to` into subgroups of `size`; the last one may be shorter.
  ///
  /// **Errors:** a size below 1 or more than a million subgroups as bad input.
  public static List<Subgroup> cut(long from, long to, long size) {
    if (size < 1) {
      throw SpillwayException.badInput("subgroup size is %d parameters, at least 1", size);
    }
    long count = (to - from + size - 1) / size;
    if (count > 1_000_000) {
      throw SpillwayException.badInput(
          "%d parameters in subgroups of %d are %d subgroups, at most 1000000; raise the size",
          to - from, size, count);
    }
    List<Subgroup> all = new ArrayList<>();
    for (long at = from; at < to; at += size) {
      all.add(new Subgroup(all.size(), at, Math.min(to, at + size)));
    }
    return List.copyOf(all);
  }
}
