package io.spillway.planner.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProfiledClusterTest {
  private static final List<Long> SIZES = List.of(4096L, 1L << 20, 8L << 20);

  /// Two hosts of three processes; 10 µs and 10 GB/s inside, 50 µs and 1 GB/s between.
  private static LinkProfile profile() {
    double[][][] seconds = new double[6][6][3];
    for (int i = 0; i < 6; i++) {
      for (int j = 0; j < 6; j++) {
        for (int s = 0; s < 3 && i != j; s++) {
          boolean inside = i / 3 == j / 3;
          seconds[i][j][s] = (inside ? 1e-5 : 5e-5) + SIZES.get(s) / (inside ? 1e10 : 1e9);
        }
      }
    }
    return new LinkProfile(SIZES, seconds);
  }

  @Test
  void groupsProcessesOfOneHost() {
    Cluster cluster =
        new ProfiledCluster(profile(), List.of("a@1", "a@1", "a@1", "a@2", "a@2", "a@2"))
            .build("two", Accelerators.named("H100"));
    Cluster read = Cluster.parse(cluster.toYaml(), "written");
    assertThat(read.nodes()).hasSize(2).extracting(n -> n.name()).containsExactly("a", "a-1");
    assertThat(read.gpus()).isEqualTo(6);
    assertThat(read.link(0, 1).seconds(8 << 20)).isCloseTo(8.5e-4, within(5e-5));
    assertThat(read.link(0, 5).seconds(8 << 20)).isCloseTo(8.44e-3, within(1e-4));
    assertThat(read.link(0, 5).alpha().seconds()).isCloseTo(5e-5, within(1e-5));
    assertThat(read.network().measured()).hasSize(2);
  }

  @Test
  void knowsAcceleratorsByTheDriversName() {
    assertThat(ProfiledCluster.accelerator("NVIDIA H200, 143771 MiB").name()).isEqualTo("H200");
    assertThat(ProfiledCluster.accelerator("NVIDIA GH200 480GB").name()).isEqualTo("GH200");
    assertThat(ProfiledCluster.accelerator("NVIDIA H100 80GB HBM3, 81559 MiB").name())
        .isEqualTo("H100");
    assertThatThrownBy(() -> ProfiledCluster.accelerator("Voodoo 2"))
        .hasMessageContaining("--accelerator");
    assertThatThrownBy(() -> ProfiledCluster.accelerator("NVIDIA A100-SXM4-80GB"))
        .hasMessageContaining("A100");
  }
}
