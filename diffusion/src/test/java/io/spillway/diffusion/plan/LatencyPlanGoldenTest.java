package io.spillway.diffusion.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.parallel.WireBytes;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The dossier's table of bytes (section 1) and DistriFusion's published latencies (section 3).
final class LatencyPlanGoldenTest {
  private static final Strategy DISTRIFUSION =
      new Strategy.DistriFusion(Strategy.Sync.CORRECTED_ASYNC_GN, false);
  private static final Strategy PCPP = new Strategy.Pcpp(0.3, 0, false);

  /// One sample in half precision, decimal GB.
  @ParameterizedTest
  @CsvSource({
    "1024, 4, 0.339, 0.071",
    "1024, 8, 0.424, 0.040",
    "2048, 8, 1.583, 0.142",
    "3840, 4, 4.516, 0.915",
    "3840, 8, 5.376, 0.473"
  })
  void bytesOfSdxlEqualTheDossiersTable(int pixels, int n, double whole, double partial) {
    Workload w = Workload.of("sdxl", pixels);
    int rank = 1;
    double d = new WireBytes(DISTRIFUSION, n, 1, 1, 2).received(w.sites(), rank) / 1e9;
    double p = new WireBytes(PCPP, n, 1, 1, 2).received(w.sites(), rank) / 1e9;
    assertThat(d).isCloseTo(whole, within(whole * 0.03));
    assertThat(p).isCloseTo(partial, within(partial * 0.05));
  }

  /// A100: 5.02 s for 50 steps alone; without communication 8 GPUs took 1.48 s, so the floor of a
  /// step is (8 x 1.48 - 5.02) / 7 / 50 s. Published: 3.35, 2.26 and 1.77 s on 2, 4 and 8.
  @ParameterizedTest
  @CsvSource({"2, 3.35", "4, 2.26", "8, 1.77"})
  void latencyOfDistriFusionIsNearThePublished(int n, double published) {
    double floor = (8 * 1.48 - 5.02) / 7 / 50;
    LatencyPlan plan =
        new LatencyPlan(
            Workload.of("sdxl", 1024), 5.02 / 50, floor, 0.1, new LatencyPlan.Link(20e-6, 200e9));
    double seconds = plan.predict(DISTRIFUSION, n, 50, 4, 2).seconds();
    assertThat(seconds).isCloseTo(published, within(published * 0.15));
  }
}
