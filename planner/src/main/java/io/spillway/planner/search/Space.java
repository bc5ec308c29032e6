package io.spillway.planner.search;

import io.spillway.planner.Job;
import io.spillway.planner.Parallel;
import io.spillway.planner.Recompute;
import io.spillway.planner.place.PlacementProblem;
import io.spillway.platform.hardware.Cluster;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;

/// Every configuration that suits a job and a cluster: all divisors in every direction, all three
/// kinds of recomputation, and first and last stages that differ by up to three layers from the
/// rest.
final class Space {
  private static final int UNEVEN = 3;

  private final Job job;
  private final Cluster cluster;

  Space(Job job, Cluster cluster) {
    this.job = job;
    this.cluster = cluster;
  }

  /// Hands each configuration to `sink`.
  void forEach(Consumer<Parallel> sink) {
    int gpus = cluster.gpus();
    var model = job.model();
    for (int tp : divisors(gpus)) {
      if (model.heads() % tp != 0 || !headsFit(tp)) {
        continue;
      }
      for (int cp : divisors(gpus / tp)) {
        if (cp > 1 && job.sequence() % (2 * cp) != 0) {
          continue;
        }
        for (int pp : divisors(gpus / tp / cp)) {
          int dp = gpus / tp / cp / pp;
          if (pp > model.layers() || job.globalBatch() % dp != 0) {
            continue;
          }
          Parallel any =
              new Parallel(
                  tp,
                  pp,
                  dp,
                  cp,
                  1,
                  1,
                  1,
                  false,
                  Recompute.NONE,
                  false,
                  false,
                  Parallel.even(model.layers(), pp));
          if (PlacementProblem.slots(cluster, any).isPresent()) {
            cuts(tp, cp, pp, dp, sink);
          }
        }
      }
    }
  }

  private boolean headsFit(int tp) {
    int kv = job.model().kvHeads();
    return tp > kv ? tp % kv == 0 : kv % tp == 0;
  }

  private void cuts(int tp, int cp, int pp, int dp, Consumer<Parallel> sink) {
    int perReplica = job.globalBatch() / dp;
    List<Integer> experts =
        job.model().isMixture()
            ? divisors(dp).stream().filter(e -> job.model().experts() % e == 0).toList()
            : List.of(1);
    for (int mb : divisors(perReplica)) {
      int n = perReplica / mb;
      for (int v : virtualStages(pp, n)) {
        for (List<Integer> layers : layouts(pp, v)) {
          for (int ep : experts) {
            for (boolean sp : tp > 1 ? new boolean[] {false, true} : new boolean[] {false}) {
              for (Recompute recompute : recomputations()) {
                for (boolean zero : dp * cp > 1 ? new boolean[] {false, true} : new boolean[1]) {
                  sink.accept(
                      new Parallel(
                          tp, pp, dp, cp, ep, v, mb, sp, recompute, zero, dp * cp > 1, layers));
                }
              }
            }
          }
        }
      }
    }
  }

  /// Fused attention never keeps scores, so that computing them again alone means nothing there.
  private List<Recompute> recomputations() {
    return job.flashAttention()
        ? List.of(Recompute.NONE, Recompute.FULL)
        : List.of(Recompute.values());
  }

  private List<Integer> virtualStages(int pp, int n) {
    int layers = job.model().layers();
    if (pp == 1 || layers % pp != 0 || n % pp != 0) {
      return List.of(1);
    }
    return divisors(layers / pp);
  }

  private List<List<Integer>> layouts(int pp, int v) {
    int layers = job.model().layers();
    List<List<Integer>> all = new ArrayList<>();
    all.add(Parallel.even(layers, pp * v));
    if (v > 1 || pp < 2) {
      return all;
    }
    int lowest = Math.max(1, layers / pp - UNEVEN);
    for (int middle = lowest; middle <= layers / pp + UNEVEN; middle++) {
      for (int first = Math.max(1, middle - UNEVEN); first <= middle; first++) {
        int last = layers - first - middle * (pp - 2);
        if (last < 1 || Math.abs(last - middle) > UNEVEN || pp == 2 && middle != lowest) {
          continue;
        }
        List<Integer> cut = new ArrayList<>(Collections.nCopies(pp, middle));
        cut.set(0, first);
        cut.set(pp - 1, last);
        if (!all.contains(cut)) {
          all.add(List.copyOf(cut));
        }
      }
    }
    return all;
  }

  static List<Integer> divisors(int value) {
    List<Integer> all = new ArrayList<>();
    for (int d = 1; d <= value; d++) {
      if (value % d == 0) {
        all.add(d);
      }
    }
    return all;
  }
}
