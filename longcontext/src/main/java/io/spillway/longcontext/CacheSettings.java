package io.spillway.longcontext;

import io.spillway.models.DecoderConfig;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.units.Bytes;

/// How a prompt is read into a fixed cache.
///
/// @param budget entries kept per layer and key-value head
/// @param chunk prompt tokens read at a time
/// @param local last tokens of the prompt that are read without eviction after the chunks
/// @param sinks first entries that are never evicted
/// @param pyramid budget of the first layer over that of the last, 1 for equal budgets
/// @param evictWhileDecoding keeps the budget while the answer grows as well
/// @param storage how keys and values are stored
public record CacheSettings(
    int budget,
    int chunk,
    int local,
    int sinks,
    double pyramid,
    boolean evictWhileDecoding,
    CacheStorage storage) {
  /// Settings with keys and values in the model's type.
  public CacheSettings(
      int budget, int chunk, int local, int sinks, double pyramid, boolean evictWhileDecoding) {
    this(budget, chunk, local, sinks, pyramid, evictWhileDecoding, CacheStorage.MODEL);
  }

  public CacheSettings {
    atLeast("budget", budget, 1);
    atLeast("chunk", chunk, 1);
    atLeast("local tokens", local, 0);
    atLeast("sinks", sinks, 0);
    if (budget <= sinks) {
      throw SpillwayException.badInput(
          "a budget of %d entries cannot hold %d sinks and a window; give at least %d",
          budget, sinks, sinks + 1);
    }
    if (!(pyramid >= 1) || pyramid > 20) {
      throw SpillwayException.badInput("pyramid is %s, it must be from 1 to 20", pyramid);
    }
  }

  private static void atLeast(String name, int value, int least) {
    if (value < least) {
      throw SpillwayException.badInput("%s is %d, it must be at least %d", name, value, least);
    }
  }

  /// Reads a budget: entries per layer and head (`4096`), bytes of all keys and values (`64MiB`),
  /// or a share of the model's positions (`25%`).
  ///
  /// **Errors:** text that is none of these, and a budget below one entry.
  public static int parseBudget(String text, DecoderConfig config) {
    return parseBudget(text, config, 4);
  }

  /// @param bytesPerNumber bytes of one stored number, see [CacheStorage#bytesPerNumber]
  public static int parseBudget(String text, DecoderConfig config, double bytesPerNumber) {
    String trimmed = text.strip();
    double entries;
    try {
      if (trimmed.endsWith("%")) {
        entries =
            Double.parseDouble(trimmed.substring(0, trimmed.length() - 1).strip())
                / 100
                * config.maxPositions();
      } else if (trimmed.matches("[0-9]+")) {
        entries = Double.parseDouble(trimmed);
      } else {
        entries = (double) Bytes.parse(trimmed).bytes() / config.cacheBytesPerToken(bytesPerNumber);
      }
    } catch (NumberFormatException e) {
      entries = Double.NaN;
    }
    if (!(entries >= 1) || entries > 1e8) {
      throw SpillwayException.badInput(
          "budget '%s' is no number of entries (4096), of bytes (64MiB, at least %d) or share of"
              + " the model's positions (25%%)",
          text, config.cacheBytesPerToken(bytesPerNumber));
    }
    return (int) entries;
  }

  /// The usual settings of a budget.
  public static CacheSettings of(int budget, int chunk) {
    return new CacheSettings(budget, chunk, 0, 1, 1, false);
  }

  public CacheSettings withBudget(int entries) {
    return new CacheSettings(entries, chunk, local, sinks, pyramid, evictWhileDecoding, storage);
  }

  public CacheSettings withSinks(int count) {
    return new CacheSettings(budget, chunk, local, count, pyramid, evictWhileDecoding, storage);
  }

  public CacheSettings withPyramid(double ratio) {
    return new CacheSettings(budget, chunk, local, sinks, ratio, evictWhileDecoding, storage);
  }

  public CacheSettings evictingWhileDecoding(boolean on) {
    return new CacheSettings(budget, chunk, local, sinks, pyramid, on, storage);
  }

  public CacheSettings storedAs(CacheStorage as) {
    return new CacheSettings(budget, chunk, local, sinks, pyramid, evictWhileDecoding, as);
  }

  /// The budget of one layer of `layers`: falls linearly from the first to the last, with the same
  /// sum as equal budgets.
  ///
  /// **Source:** Cai et al., PyramidKV.
  public int budgetOf(int layer, int layers) {
    if (pyramid == 1 || layers == 1) {
      return budget;
    }
    double last = 2.0 * budget / (1 + pyramid);
    double first = pyramid * last;
    double share = first + (last - first) * layer / (layers - 1);
    return Math.max(sinks + 1, (int) Math.round(share));
  }
}
