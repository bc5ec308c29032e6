package io.spillway.planner.importer;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import java.nio.charset.StandardCharsets;

/// Whatever a tool wrote, it becomes a cluster that can be written and read again, or is refused
/// with one line. The test run replays `ImportersFuzzTestInputs`; `JAZZER_FUZZ=1` searches.
final class ImportersFuzzTest {
  @FuzzTest(maxDuration = "3m")
  void ncclTests(byte[] data) {
    check(Format.NCCL_TESTS, data);
  }

  @FuzzTest(maxDuration = "3m")
  void nvbandwidth(byte[] data) {
    check(Format.NVBANDWIDTH, data);
  }

  @FuzzTest(maxDuration = "3m")
  void topology(byte[] data) {
    check(Format.TOPO, data);
  }

  @FuzzTest(maxDuration = "3m")
  void mpiGraph(byte[] data) {
    check(Format.MPIGRAPH, data);
  }

  private static void check(Format format, byte[] data) {
    Importers.Setting setting =
        new Importers.Setting(
            "fuzzed", Accelerators.named("A100-80"), 2, 4, Link.of(10e-6, 25e9), 4, 0.5);
    String text = new String(data, StandardCharsets.ISO_8859_1);
    Cluster cluster;
    try {
      cluster = Importers.cluster(Importers.parse(text, format, setting, "fuzz"), setting);
    } catch (SpillwayException refused) {
      assertThat(refused.getMessage()).isNotBlank().doesNotContain("\n");
      return;
    }
    assertThat(Cluster.parse(cluster.toYaml(), "written").gpus()).isEqualTo(cluster.gpus());
  }
}
