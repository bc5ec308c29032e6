package io.spillway.planner.validate;

import io.spillway.planner.memory.KernelCorrection;
import io.spillway.planner.memory.MemoryCorrection;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.memory.MlpCorrection;
import io.spillway.planner.memory.NoCorrection;
import io.spillway.platform.Seeds;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Learns the memory correction from measured peaks.
public final class MemoryFit {
  private MemoryFit() {}

  /// Which learner.
  public enum Learner {
    NONE,
    KERNEL,
    MLP
  }

  /// A correction learned from `rows`.
  public static MemoryCorrection fit(List<Measured> rows, Learner learner, Seeds seeds) {
    MemoryModel analytic = new MemoryModel(new NoCorrection());
    List<double[]> features = new ArrayList<>();
    double[] targets = new double[rows.size()];
    for (int i = 0; i < targets.length; i++) {
      Measured r = rows.get(i);
      features.add(MemoryModel.features(r.job(), r.cut(), card(r)));
      double predicted = analytic.predict(r.job(), r.cut(), card(r)).total();
      targets[i] = Math.clamp(Math.log(r.peakBytes().orElseThrow() / predicted), -0.9, 0.9);
    }
    return switch (learner) {
      case NONE -> new NoCorrection();
      case KERNEL -> kernel(features, targets);
      case MLP -> MlpCorrection.train(features, targets, seeds);
    };
  }

  /// Predicted over measured minus 1.
  public static double[] errors(List<Measured> rows, MemoryCorrection correction) {
    MemoryModel model = new MemoryModel(correction);
    return rows.stream()
        .mapToDouble(
            r -> model.predict(r.job(), r.cut(), card(r)).total() / r.peakBytes().orElseThrow() - 1)
        .toArray();
  }

  /// For each row the error of a correction that was learned from all other rows.
  public static double[] leaveOneOut(List<Measured> rows, Learner learner, Seeds seeds) {
    double[] errors = new double[rows.size()];
    for (int i = 0; i < errors.length; i++) {
      List<Measured> others = new ArrayList<>(rows);
      Measured left = others.remove(i);
      errors[i] = errors(List.of(left), fit(others, learner, seeds))[0];
    }
    return errors;
  }

  private static double card(Measured r) {
    return r.cluster().accelerator(0).memory().bytes();
  }

  private static KernelCorrection kernel(List<double[]> features, double[] targets) {
    int n = targets.length;
    double[][] k = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double distance = 0;
        for (int f = 0; f < KernelCorrection.SCALES.length; f++) {
          double d = (features.get(i)[f] - features.get(j)[f]) / KernelCorrection.SCALES[f];
          distance += d * d;
        }
        k[i][j] = Math.exp(-distance / 2) + (i == j ? KernelCorrection.NOISE : 0);
      }
    }
    double[] weights = Linear.solve(k, targets.clone());
    return new KernelCorrection(
        features.stream().map(f -> Arrays.stream(f).boxed().toList()).toList(),
        Arrays.stream(weights).boxed().toList(),
        Arrays.stream(KernelCorrection.SCALES).boxed().toList());
  }
}
