package io.spillway.simulator.timing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.yaml.Yaml;
import io.spillway.simulator.memory.MemorySystem;
import io.spillway.simulator.system.SystemDescription;
import io.spillway.simulator.system.SystemFiles;
import io.spillway.simulator.system.Technology;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// The energy account of runs worked out by hand.
class EnergyTest {
  private static final long INSTRUCTIONS = 1_000_000;
  private static final double SECONDS = 0.001;

  private static SystemDescription minor(String coreTechnology) throws IOException {
    try (InputStream in = SystemFiles.class.getResourceAsStream("/systems/minor.yaml")) {
      String yaml =
          new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
              .replace("type: in-order", "type: in-order\n  technology: " + coreTechnology);
      return Yaml.parse(yaml, SystemDescription.class, "minor.yaml");
    }
  }

  @Test
  void aMillionInstructionsInAMillisecondOnOrdinaryCmos() throws IOException {
    // given no cache accesses
    SystemDescription system = minor("cmos-300k");
    // when the account is drawn up
    Energy.Account account = Energy.of(system, new MemorySystem(system), INSTRUCTIONS, SECONDS);
    // then: 1e6 x 70 pJ + 0.5 W x 1 ms + 0.05 W/MiB x (32 + 32 + 256) KiB x 1 ms
    double core = 70e-6 + 0.5e-3;
    double caches = 0.05 * 320 / 1024 * 1e-3;
    assertThat(account.joules()).isCloseTo(core + caches, within(1e-12));
    assertThat(account.joulesWithCooling()).isEqualTo(account.joules());
    assertThat(account.watts()).isCloseTo((core + caches) / SECONDS, within(1e-9));
    assertThat(account.instructionsPerJoule())
        .isCloseTo(INSTRUCTIONS / (core + caches), within(1.0));
    // and it breaks even with itself when it is always busy
    assertThat(account.breakEvenUtilisation()).isCloseTo(1.0, within(1e-9));
  }

  @Test
  void aCooledCorePaysForItsHeatTwice() throws IOException {
    SystemDescription system = minor("cryo-cmos-77k");
    Energy.Account account = Energy.of(system, new MemorySystem(system), INSTRUCTIONS, SECONDS);
    Technology cold = Technology.named("cryo-cmos-77k");
    // then the core's heat costs 1 + 9.65 times itself, the caches stay warm
    double heat = INSTRUCTIONS * cold.operation() + cold.coreLeakage() * SECONDS;
    assertThat(account.parts().get(0).cooling()).isCloseTo(9.65 * heat, within(1e-12));
    assertThat(account.joulesWithCooling() - account.joules())
        .isCloseTo(9.65 * heat, within(1e-12));
  }

  @Test
  void noCoolerBeatsCarnot() {
    for (Technology t : Technology.all()) {
      double carnot = Math.max(0, (300 - t.kelvin()) / t.kelvin());
      assertThat(t.cooling()).as(t.name()).isGreaterThanOrEqualTo(carnot);
    }
  }

  @Test
  void switchingAJunctionTakesItsCriticalCurrentTimesAFluxQuantum() {
    // given 0.1 mA and h / 2e
    double junction = 1e-4 * 2.067833848e-15;
    // then the constants of RSFQ are whole numbers of such events, within rounding
    assertThat(Technology.named("rsfq-4k").operation() / junction).isCloseTo(1e4, within(500.0));
    assertThat(Technology.named("ersfq-4k").operation() / junction).isCloseTo(2e4, within(1e3));
  }
}
