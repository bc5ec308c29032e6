package io.spillway.planner.validate;

import io.spillway.planner.memory.KernelCorrection;
import io.spillway.planner.memory.LearnedMemory;
import io.spillway.planner.memory.MemoryConstants;
import io.spillway.planner.memory.MemoryModel;
import io.spillway.planner.memory.MemoryUse;
import io.spillway.planner.memory.MlpCorrection;
import io.spillway.planner.memory.NoCorrection;
import io.spillway.platform.Seeds;
import io.spillway.platform.hardware.Accelerator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Learns the memory model's constants and its correction from measured peaks. Both are robust: a
/// row that no physical term explains counts no more than one that is a little off.
public final class MemoryFit {
  private static final int ROUNDS = 30;

  /// Relative errors beyond it count as much as it.
  private static final double ROBUST = 0.03;

  /// How far from their priors the constants are believed, in the order of [MemoryConstants].
  private static final double[] SPREAD = {0.05, 1e9, 0.3e9, 0.2e9};

  private MemoryFit() {}

  /// Which learner of the correction; the constants are fitted with each.
  public enum Learner {
    NONE,
    KERNEL,
    MLP
  }

  /// A model learned from `rows`.
  public static MemoryModel fit(List<Measured> rows, Learner learner, Seeds seeds) {
    MemoryConstants constants = constants(rows);
    if (learner == Learner.NONE) {
      return new MemoryModel(constants, new NoCorrection());
    }
    List<double[]> features = features(rows);
    double[] targets = residuals(rows, constants);
    return new MemoryModel(
        constants,
        learner == Learner.KERNEL
            ? kernel(features, targets)
            : MlpCorrection.train(features, targets, seeds));
  }

  /// What `plan validate --save-memory` writes.
  public static LearnedMemory learn(List<Measured> rows) {
    MemoryConstants constants = constants(rows);
    return new LearnedMemory(constants, kernel(features(rows), residuals(rows, constants)));
  }

  /// Predicted over measured minus 1.
  public static double[] errors(List<Measured> rows, MemoryModel model) {
    return rows.stream()
        .mapToDouble(
            r -> model.predict(r.job(), r.cut(), card(r)).total() / r.peakBytes().orElseThrow() - 1)
        .toArray();
  }

  /// For each row the error of a model that was learned from all other rows.
  public static double[] leaveOneOut(List<Measured> rows, Learner learner, Seeds seeds) {
    double[] errors = new double[rows.size()];
    for (int i = 0; i < errors.length; i++) {
      List<Measured> others = new ArrayList<>(rows);
      Measured left = others.remove(i);
      errors[i] = errors(List.of(left), fit(others, learner, seeds))[0];
    }
    return errors;
  }

  private static Accelerator card(Measured r) {
    return r.cluster().accelerator(0);
  }

  private static List<double[]> features(List<Measured> rows) {
    return rows.stream().map(r -> MemoryModel.features(r.job(), r.cut(), card(r))).toList();
  }

  private static double[] residuals(List<Measured> rows, MemoryConstants constants) {
    MemoryModel counted = new MemoryModel(constants, new NoCorrection());
    return rows.stream()
        .mapToDouble(r ->
            Math.clamp(
                Math.log(
                    r.peakBytes().orElseThrow()
                        / counted.predict(r.job(), r.cut(), card(r)).total()),
                -0.9,
                0.9))
        .toArray();
  }

  /// The constants by weighted least squares on the relative error, held to their priors; weights
  /// and the fullest stage are taken from the round before.
  private static MemoryConstants constants(List<Measured> rows) {
    double[] x = vector(MemoryConstants.PRIOR);
    double[] prior = x.clone();
    for (int round = 0; round < ROUNDS; round++) {
      MemoryConstants now = new MemoryConstants(x[0], x[1], x[2], x[3]);
      double[][] a = new double[x.length][x.length];
      double[] b = new double[x.length];
      for (Measured r : rows) {
        MemoryUse use = new MemoryModel(now, new NoCorrection()).predict(r.job(), r.cut(), card(r));
        double peak = r.peakBytes().orElseThrow();
        boolean linked = MemoryConstants.isLinked(card(r));
        double[] slope = {
          use.activations() / Math.max(1e-9, x[0]) / peak,
          (linked ? 1 : 0) / peak,
          (linked ? 0 : 1) / peak,
          Math.min(r.cut().tp(), 8) / peak
        };
        double error = Math.abs(use.total() / peak - 1);
        double weight = 1 / Math.max(1, error / ROBUST) / (ROBUST * ROBUST);
        double rest = 1 - (use.states() + use.logits()) / peak;
        for (int i = 0; i < x.length; i++) {
          b[i] += weight * slope[i] * rest;
          for (int k = 0; k < x.length; k++) {
            a[i][k] += weight * slope[i] * slope[k];
          }
        }
      }
      for (int i = 0; i < x.length; i++) {
        a[i][i] += 1 / (SPREAD[i] * SPREAD[i]);
        b[i] += prior[i] / (SPREAD[i] * SPREAD[i]);
      }
      x = Arrays.stream(Linear.solve(a, b)).map(v -> Math.max(0, v)).toArray();
    }
    return new MemoryConstants(x[0], x[1], x[2], x[3]);
  }

  private static double[] vector(MemoryConstants c) {
    return new double[] {c.allocator(), c.linkedContext(), c.plainContext(), c.peer()};
  }

  private static KernelCorrection kernel(List<double[]> features, double[] targets) {
    int n = targets.length;
    double[][] plain = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double distance = 0;
        for (int f = 0; f < KernelCorrection.SCALES.length; f++) {
          double d = (features.get(i)[f] - features.get(j)[f]) / KernelCorrection.SCALES[f];
          distance += d * d;
        }
        plain[i][j] = Math.exp(-distance / 2);
      }
    }
    double[] weights = new double[n];
    double[] doubt = new double[n];
    Arrays.fill(doubt, 1);
    for (int round = 0; round < ROUNDS; round++) {
      double[][] k = new double[n][];
      for (int i = 0; i < n; i++) {
        k[i] = plain[i].clone();
        k[i][i] += KernelCorrection.NOISE * doubt[i];
      }
      weights = Linear.solve(k, targets.clone());
      for (int i = 0; i < n; i++) {
        double told = 0;
        for (int j = 0; j < n; j++) {
          told += plain[i][j] * weights[j];
        }
        doubt[i] = Math.max(1, Math.abs(targets[i] - told) / KernelCorrection.ROBUST);
      }
    }
    return new KernelCorrection(
        features.stream().map(f -> Arrays.stream(f).boxed().toList()).toList(),
        Arrays.stream(weights).boxed().toList(),
        Arrays.stream(KernelCorrection.SCALES).boxed().toList());
  }
}
