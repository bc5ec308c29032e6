package io.spillway.planner.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.ErrorCode;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.hardware.Accelerators;
import io.spillway.platform.hardware.Cluster;
import io.spillway.platform.hardware.Link;
import io.spillway.testkit.Cases;
import io.spillway.testkit.TestData;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Texts in the layouts that the tools print; the numbers are ours.
final class ImportersTest {
  private static final String NCCL =
      """
      # nThread 1 nGpus 1 minBytes 1048576 maxBytes 16777216 step: 4(factor) warmup iters: 5
      # Using devices
      #  Rank  0 Group  0 Pid  11 on   node0 device  0 [0x07] NVIDIA A100
      #  Rank  1 Group  0 Pid  12 on   node1 device  0 [0x07] NVIDIA A100
      #
      #                                                              out-of-place                       in-place
      #       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
      #        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
                 8             2     float     sum      -1     20.0    0.00    0.00      0     20.0    0.00    0.00      0
           1048576        262144     float     sum      -1    120.0    8.74    8.74      0    120.0    8.74    8.74    N/A
          16777216       4194304     float     sum      -1    920.0   18.24   18.24      0    920.0   18.24   18.24      0
      # Out of bounds values : 0 OK
      """;

  private static final String NCCL_JSON =
      """
      {"version": 1, "config": {"ranks": 2}, "results": [
        {"size": 1048576, "out_of_place": {"time": 120.0, "alg_bw": 8.74, "bus_bw": 8.74}},
        {"size": 16777216, "out_of_place": {"time": 920.0, "alg_bw": 18.24, "bus_bw": 18.24}}]}
      """;

  private static final String NVBANDWIDTH =
      """
      nvbandwidth Version: v0.6
      Running device_to_device_memcpy_read_ce.
      memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)
                 0         1         2
       0       N/A    276.10    275.80
       1    276.20       N/A    276.00
       2    275.90    276.30       N/A

      SUM device_to_device_memcpy_read_ce 1656.30
      """;

  private static final String NVBANDWIDTH_JSON =
      """
      {"nvbandwidth": {"Driver Version": "565.02", "testcases": [
        {"name": "host_to_device_memcpy_ce", "bandwidth_matrix": [["25.1", "25.2"]]},
        {"name": "device_to_device_memcpy_read_ce", "status": "Passed",
         "bandwidth_matrix": [["N/A", "276.1"], ["276.2", "N/A"]]}]}}
      """;

  private static final String TOPO =
      "\tGPU0\tGPU1\tGPU2\tNIC0\tCPU Affinity\tNUMA Affinity\n"
          + "GPU0\t X \tNV12\tSYS\tPXB\t0-31\t0\n"
          + "GPU1\tNV12\t X \tNV6\tPXB\t0-31\t0\n"
          + "GPU2\tSYS\tNV6\t X \tSYS\t32-63\t1\n"
          + "NIC0\tPXB\tPXB\tSYS\t X \n\nLegend:\n  X    = Self\n";

  private static final String MPIGRAPH =
      """
      START mpiGraph v1.5
      MsgSize:	31457280
      Send	node1:0	node2:0	node3:0
      node1:0	0.0	19000.5	18000.0
      node2:0	19100.0	0.0	17500.0
      node3:0	18200.0	17400.0	0.0

      Recv	node1:0	node2:0	node3:0
      node1:0	0.0	1.0	1.0
      END mpiGraph
      """;

  @Test
  void ncclTestsGiveALink() {
    for (String text : List.of(NCCL, NCCL_JSON, NCCL.replace("#wrong", "  error"))) {
      Imported.Curve curve = (Imported.Curve) parse(text);
      assertThat(curve.ranks()).isEqualTo(2);
      assertThat(curve.link().seconds(16777216)).isCloseTo(16777216 / 18.24e9, within(1e-9));
      assertThat(curve.link().alpha().seconds()).isBetween(40e-6, 90e-6);
    }
    Cluster cluster = Importers.cluster(parse(NCCL), setting(4));
    assertThat(cluster.nodes()).hasSize(4);
    assertThat(cluster.between(0, 3).seconds(1048576)).isCloseTo(120e-6, within(1e-6));
  }

  @Test
  void nvbandwidthGivesTheLinksOfANode() {
    Imported.Devices devices = (Imported.Devices) parse(NVBANDWIDTH);
    assertThat(devices.matrix().size()).isEqualTo(3);
    assertThat(devices.matrix().rate(1, 0)).isCloseTo(276.2e9, within(1.0));
    assertThat(((Imported.Devices) parse(NVBANDWIDTH_JSON)).matrix().rate(0, 1))
        .isCloseTo(276.1e9, within(1.0));
    Cluster cluster = Importers.cluster(devices, setting(2));
    assertThat(cluster.gpus()).isEqualTo(6);
    assertThat(cluster.link(0, 2).beta().bytesPerSecond()).isCloseTo(275.8e9, within(1.0));
    assertThat(Cluster.parse(cluster.toYaml(), "again").gpus()).isEqualTo(6);
  }

  @Test
  void topologyGivesSharesOfThePeerRate() {
    Imported.Devices devices = (Imported.Devices) parse(TOPO);
    assertThat(devices.matrix().rate(0, 1)).isEqualTo(300e9);
    assertThat(devices.matrix().rate(1, 2)).isEqualTo(150e9);
    assertThat(devices.matrix().rate(0, 2)).isEqualTo(31.5e9 / 2);
  }

  @Test
  void mpiGraphGivesRatesBetweenNodes() {
    Imported.Nodes nodes = (Imported.Nodes) parse(MPIGRAPH);
    assertThat(nodes.matrix().names()).containsExactly("node1", "node2", "node3");
    assertThat(nodes.matrix().rate(1, 0)).isEqualTo(19.1e9);
  }

  @Test
  void readsThePublishedMatrix() {
    Path file = TestData.require("cluster/mpigraph-16xA100-t0.json");
    Imported.Nodes nodes = (Imported.Nodes) Importers.read(file, Format.AUTO, setting(1));
    assertThat(nodes.matrix().size()).isEqualTo(16);
    assertThat(nodes.matrix().rate(0, 2)).isBetween(16e9, 20e9);
    assertThat(Importers.cluster(nodes, setting(1)).gpus()).isEqualTo(128);
  }

  @Test
  void badMatricesAreErrors() {
    fails(
        MPIGRAPH.replace("19100.0", "-19100.0"), "bandwidth from node2 to node1 (row 2, column 1)");
    fails(MPIGRAPH.replace("19100.0", "NaN"), "a finite number was expected");
    fails(MPIGRAPH.replace("19100.0", "100.0"), "apart; at most 50 % is accepted");
    fails(
        MPIGRAPH.replace("node2:0\t19100.0", "node9:0\t19100.0"), "names do not match the header");
    fails(
        MPIGRAPH.replace("\t17500.0", ""), "not square: row 2 (node2) has 2 values, 3 are needed");
    fails("", "the file is empty");
    fails("hello", "name it with --format");
    fails(NVBANDWIDTH.replace("275.80", "x"), "bandwidth is 'x'");
    fails(TOPO.replace("NV6", "NVX"), "unknown link 'NVX'");
    fails(NCCL_JSON.replace("\"results\"", "\"rows\""), "no list 'results'");
    assertThatThrownBy(() -> setting(0)).hasMessageContaining("--nodes is 0");
  }

  /// Whatever stands in a file, the answer is a cluster or one clear line.
  @Test
  void brokenOutputIsAlwaysAClearError() {
    List<String> seeds = List.of(NCCL, NCCL_JSON, NVBANDWIDTH, NVBANDWIDTH_JSON, TOPO, MPIGRAPH);
    Cases.run(
        3000,
        random -> {
          StringBuilder text = new StringBuilder(seeds.get(random.nextInt(seeds.size())));
          for (int i = 0; i < 1 + random.nextInt(8); i++) {
            int at = random.nextInt(text.length());
            switch (random.nextInt(4)) {
              case 0 -> text.setCharAt(at, (char) random.nextInt(256));
              case 1 -> text.delete(at, Math.min(text.length(), at + random.nextInt(30)));
              case 2 -> text.insert(at, text.substring(at, Math.min(text.length(), at + 20)));
              default -> text.insert(at, random.nextInt());
            }
            if (text.isEmpty()) {
              text.append(' ');
            }
          }
          Format format = Format.values()[random.nextInt(Format.values().length)];
          try {
            Importers.cluster(
                Importers.parse(text.toString(), format, setting(1), "f"), setting(1));
          } catch (SpillwayException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.BAD_INPUT);
            assertThat(e.getMessage()).isNotBlank();
          }
        });
  }

  private static Imported parse(String text) {
    return Importers.parse(text, Format.AUTO, setting(1), "f");
  }

  private static void fails(String text, String message) {
    assertThatThrownBy(() -> parse(text))
        .isInstanceOf(SpillwayException.class)
        .hasMessageStartingWith("f")
        .hasMessageContaining(message);
  }

  private static Importers.Setting setting(int nodes) {
    return new Importers.Setting(
        "c", Accelerators.named("A100-80"), nodes, 8, Link.of(1e-5, 25e9), 1, 0.5);
  }
}
