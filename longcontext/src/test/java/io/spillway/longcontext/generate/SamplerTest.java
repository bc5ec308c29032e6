package io.spillway.longcontext.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.platform.SpillwayException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static Sampling sampling(double temperature, int topK, double topP, double minP) {
    return new Sampling(temperature, topK, topP, minP, 1, List.of(), 7);
  }

  private static final float[] LOGITS = {
    (float) Math.log(0.5), (float) Math.log(0.3), (float) Math.log(0.15), (float) Math.log(0.05)
  };

  private static Map<Integer, Double> shares(Sampling sampling) {
    Sampler sampler = new Sampler(sampling);
    Map<Integer, Double> shares = new HashMap<>();
    for (int i = 0; i < 20_000; i++) {
      shares.merge(sampler.next(LOGITS), 1 / 20_000.0, Double::sum);
    }
    return shares;
  }

  @Test
  void temperatureOneDrawsAsTheModelSays() {
    Map<Integer, Double> shares = shares(sampling(1, 0, 1, 0));
    assertThat(shares.get(0)).isCloseTo(0.5, Offset.offset(0.02));
    assertThat(shares.get(3)).isCloseTo(0.05, Offset.offset(0.01));
  }

  @Test
  void limitsLeaveTheUnlikelyOut() {
    assertThat(shares(sampling(1, 2, 1, 0))).containsOnlyKeys(0, 1);
    assertThat(shares(sampling(1, 0, 0.75, 0))).containsOnlyKeys(0, 1);
    assertThat(shares(sampling(1, 0, 1, 0.25))).containsOnlyKeys(0, 1, 2);
    assertThat(shares(sampling(0, 0, 1, 0))).containsOnlyKeys(0);
  }

  @Test
  void repetitionIsPenalised() {
    Sampler sampler = new Sampler(new Sampling(0, 0, 1, 0, 5, List.of(), 1));
    float[] logits = {2, 1, 0};
    assertThat(sampler.next(logits)).isEqualTo(0);
    assertThat(sampler.next(logits)).isEqualTo(1);
  }

  @Test
  void valuesOutOfRangeAreRefused() {
    assertThatThrownBy(() -> sampling(-1, 0, 1, 0))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("temperature is -1.0, it must be from 0.0 to 100.0");
    assertThatThrownBy(() -> sampling(1, 0, 0, 0)).isInstanceOf(SpillwayException.class);
  }
}
