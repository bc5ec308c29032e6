package io.spillway.sweep.spark;

import io.spillway.sweep.SweepExecutor;
import io.spillway.sweep.SweepExecutors;
import java.util.regex.Pattern;

/// Offers Spark's masters to [SweepExecutors].
public final class SparkProvider implements SweepExecutors.Provider {
  private static final Pattern MASTER =
      Pattern.compile("spark://\\S+|local-cluster\\[\\d+,\\d+,\\d+]|k8s://\\S+|yarn");

  @Override
  public boolean accepts(String name) {
    return MASTER.matcher(name).matches();
  }

  @Override
  public SweepExecutor open(String name) {
    return new SparkSweepExecutor(name);
  }
}
