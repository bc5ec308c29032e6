package io.spillway.sweep;

import io.spillway.platform.SpillwayException;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds the executor that a name asks for: `local`, `local:N` (threads of this process), or what a
/// provider on the class path offers.
public final class SweepExecutors {
  private static final Pattern LOCAL = Pattern.compile("local(?::(\\d{1,4}))?");

  /// Offers an executor on some cluster; found through [ServiceLoader].
  public interface Provider {
    /// Whether `name` is one of this provider's.
    boolean accepts(String name);

    /// The executor called `name`.
    SweepExecutor open(String name);
  }

  private SweepExecutors() {}

  /// The executor called `name`; `local` takes `threads` threads.
  ///
  /// **Errors:** a name that nothing here offers.
  public static SweepExecutor of(String name, int threads) {
    Matcher local = LOCAL.matcher(name.strip().toLowerCase(Locale.ROOT));
    if (local.matches()) {
      return new LocalSweepExecutor(
          local.group(1) == null ? threads : Integer.parseInt(local.group(1)));
    }
    for (Provider provider : ServiceLoader.load(Provider.class)) {
      if (provider.accepts(name)) {
        return provider.open(name);
      }
    }
    if (name.startsWith("spark:") || name.startsWith("local-cluster[")) {
      throw SpillwayException.notAvailable(
          "executor %s: the Spark module is not on the class path; ./spillway adds it by itself, a"
              + " packaged Spillway needs the sweep-spark add-on",
          name);
    }
    throw SpillwayException.badInput(
        "executor '%s' is none of local, local:N, spark://HOST:PORT,"
            + " local-cluster[WORKERS,CORES,MEGABYTES]",
        name);
  }
}
