package io.spillway.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.report.Claim.Better;
import io.spillway.report.Claim.Finding.Measured;
import io.spillway.report.Claim.Finding.NotMeasurable;
import io.spillway.report.Claim.Published;
import io.spillway.report.Claim.Verdict;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ClaimTest {
  private static Verdict verdict(Better better, double low, double value, double high) {
    Claim claim =
        new Claim(
            "speed",
            "it is fast",
            Published.of(10, "x", better, "a table"),
            "the same",
            _ -> new NotMeasurable("no"));
    return claim.verdict(new Measured(value, low, high, "range", Map.of()));
  }

  @Test
  void anIntervalThatMeetsThePublishedFigureIsTheSame() {
    assertThat(verdict(Better.HIGHER, 9, 12, 15)).isEqualTo(Verdict.SAME);
    assertThat(verdict(Better.LOWER, 6, 8, 10)).isEqualTo(Verdict.SAME);
  }

  @Test
  void besideItTheDirectionDecides() {
    assertThat(verdict(Better.HIGHER, 11, 12, 13)).isEqualTo(Verdict.BETTER);
    assertThat(verdict(Better.HIGHER, 7, 8, 9)).isEqualTo(Verdict.WORSE);
    assertThat(verdict(Better.LOWER, 7, 8, 9)).isEqualTo(Verdict.BETTER);
    assertThat(verdict(Better.LOWER, 11, 12, 13)).isEqualTo(Verdict.WORSE);
  }

  @Test
  void whatIsToBeMetIsWorseOnEitherSideAndAWideIntervalDoesNotHelp() {
    assertThat(verdict(Better.NEAR, 11, 11, 11)).isEqualTo(Verdict.SAME);
    assertThat(verdict(Better.NEAR, 2, 12, 20)).isEqualTo(Verdict.WORSE);
    assertThat(verdict(Better.NEAR, 2, 8, 20)).isEqualTo(Verdict.WORSE);
  }

  @Test
  void aMeanCarriesStudentsInterval() {
    Measured mean = Measured.mean(new double[] {1, 2, 3}, "runs", Map.of());
    // worked by hand: 4.303 x 1 / sqrt 3
    assertThat(mean.high() - mean.value())
        .isCloseTo(2.4843, org.assertj.core.api.Assertions.within(1e-3));
    assertThat(mean.interval()).isEqualTo("95 % over 3 runs");
    assertThatThrownBy(() -> new Measured(1, 2, 3, "range", Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
