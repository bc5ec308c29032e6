package io.spillway.planner.place;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.Seeds;
import io.spillway.testkit.Cases;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class AnnealerTest {
  @Test
  void findsTheBruteForceOptimumOnSmallClusters() {
    int[] found = new int[1];
    Cases.run(
        200,
        random -> {
          PlacementProblem problem = problem(random, 8);
          double best = bruteForce(problem);
          double annealed = Annealer.search(problem, new Seeds(1), 5, 1500).cost();
          assertThat(annealed).isGreaterThanOrEqualTo(best - 1e-9);
          if (annealed <= best * (1 + 1e-9)) {
            found[0]++;
          }
        });
    assertThat(found[0]).isGreaterThanOrEqualTo(198);
  }

  @Test
  void changedLinksGiveTheSameCostAsCountingAnew() {
    Cases.run(
        60,
        random -> {
          PlacementProblem problem = problem(random, 24);
          int[] start = new int[problem.slots()];
          Arrays.setAll(start, i -> i);
          Annealer annealer = Annealer.at(problem, start);
          for (int move = 0; move < 200; move++) {
            int unit = problem.slotsPerNode > 1 && random.nextBoolean() ? problem.slotsPerNode : 1;
            if (start.length % unit != 0 || start.length / unit < 2) {
              unit = 1;
            }
            int[] range = annealer.propose(random, unit);
            annealer.update(range[0], range[1]);
            int[] permutation = annealer.permutation();
            assertThat(Arrays.stream(permutation).distinct().count()).isEqualTo(start.length);
            assertThat(annealer.cost()).isCloseTo(problem.cost(permutation), within(1e-9));
          }
        });
  }

  @Test
  void theSameSeedGivesTheSamePlacement() {
    PlacementProblem problem =
        problem(java.util.random.RandomGeneratorFactory.of("L64X128MixRandom").create(3), 16);
    assertThat(Annealer.search(problem, new Seeds(9), 3, 500).slotOfPosition())
        .isEqualTo(Annealer.search(problem, new Seeds(9), 3, 500).slotOfPosition());
  }

  @Test
  void theTreeKeepsTheMaximum() {
    Cases.run(
        20,
        random -> {
          int n = 1 + random.nextInt(40);
          MaxTree tree = new MaxTree(n);
          double[] values = new double[n];
          for (int i = 0; i < 200; i++) {
            int at = random.nextInt(n);
            values[at] = random.nextDouble();
            tree.set(at, values[at]);
            assertThat(tree.max()).isEqualTo(Arrays.stream(values).max().orElseThrow());
          }
        });
  }

  private static PlacementProblem problem(RandomGenerator random, int most) {
    int slots;
    int dp;
    do {
      slots = 2 + random.nextInt(most - 1);
      dp = 1 + random.nextInt(slots);
    } while (slots % dp != 0);
    int pp = slots / dp;
    double[][] message = new double[slots][slots];
    double[][] inverse = new double[slots][slots];
    for (int i = 0; i < slots; i++) {
      for (int j = 0; j < i; j++) {
        double slow = random.nextInt(5) == 0 ? 3 : 1;
        message[i][j] = message[j][i] = (0.5 + random.nextDouble()) * slow;
        inverse[i][j] = inverse[j][i] = (0.5 + random.nextDouble()) * slow;
      }
    }
    double[] arithmetic = new double[slots];
    if (random.nextBoolean()) {
      Arrays.setAll(arithmetic, i -> random.nextDouble());
    }
    double[] bytes = new double[pp];
    Arrays.setAll(bytes, i -> random.nextDouble() * 3);
    int perNode = slots % 2 == 0 && random.nextBoolean() ? 2 : 1;
    return new PlacementProblem(dp, pp, perNode, message, arithmetic, inverse, bytes);
  }

  private static double bruteForce(PlacementProblem problem) {
    int[] permutation = new int[problem.slots()];
    Arrays.setAll(permutation, i -> i);
    return permute(problem, permutation, 0);
  }

  private static double permute(PlacementProblem problem, int[] p, int at) {
    if (at == p.length) {
      return problem.cost(p);
    }
    double best = Double.POSITIVE_INFINITY;
    for (int i = at; i < p.length; i++) {
      swap(p, at, i);
      best = Math.min(best, permute(problem, p, at + 1));
      swap(p, at, i);
    }
    return best;
  }

  private static void swap(int[] p, int i, int j) {
    int t = p[i];
    p[i] = p[j];
    p[j] = t;
  }
}
