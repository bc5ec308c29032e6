package io.spillway.planner.measure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LinkProfilerTest {
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 8, 13, 16})
  void theTournamentMeetsEveryPairOnceInDisjointPairs(int n) {
    Set<String> met = new HashSet<>();
    for (int round = 0; round < n + n % 2 - 1; round++) {
      int[] partner = LinkProfiler.partners(round, n);
      for (int i = 0; i < n; i++) {
        if (partner[i] >= 0) {
          assertThat(partner[partner[i]]).isEqualTo(i);
          assertThat(partner[i]).isNotEqualTo(i);
          if (i < partner[i]) {
            assertThat(met.add(i + "-" + partner[i])).isTrue();
          }
        }
      }
    }
    assertThat(met).hasSize(n * (n - 1) / 2);
  }
}
