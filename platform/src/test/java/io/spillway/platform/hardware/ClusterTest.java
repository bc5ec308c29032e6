package io.spillway.platform.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.spillway.platform.SpillwayException;
import org.junit.jupiter.api.Test;

final class ClusterTest {
  private static final String MIXED =
      """
      name: mixed
      accelerators:
        - name: toy
          memory: 8 GiB
          memory_bandwidth: 100 GB/s
          flops: {fp32: 1 TFLOP/s}
          peer: 10 GB/s
          host: 5 GB/s
      nodes:
        - {names: [a, b], accelerator: A100-80, gpus: 4}
        - {names: [c], accelerator: toy, gpus: 2, link: {alpha: 3 us, beta: 9 GB/s}}
      network:
        link: {alpha: 10 us, beta: 25 GB/s}
        rails: 2
        measured:
          - size: 30 MiB
            gigabytes_per_second:
              - [0, 20, 10]
              - [19, 0, 12]
              - [10, 12, 0]
      """;

  @Test
  void numbersAcceleratorsNodeByNode() {
    Cluster cluster = Cluster.parse(MIXED, "m.yaml");
    assertThat(cluster.gpus()).isEqualTo(10);
    assertThat(cluster.nodeOf(3)).isZero();
    assertThat(cluster.nodeOf(4)).isEqualTo(1);
    assertThat(cluster.localIndex(9)).isEqualTo(1);
    assertThat(cluster.accelerator(8).name()).isEqualTo("toy");
    assertThat(cluster.hasEvenNodes()).isFalse();
  }

  @Test
  void measuredRatesHoldTheLatency() {
    Cluster cluster = Cluster.parse(MIXED, "m.yaml");
    double bytes = 30 << 20;
    assertThat(cluster.link(0, 4).seconds(bytes)).isCloseTo(bytes / 20e9, within(1e-9));
    assertThat(cluster.link(4, 0).seconds(bytes)).isCloseTo(bytes / 19e9, within(1e-9));
    assertThat(cluster.link(0, 1).beta().bytesPerSecond()).isEqualTo(300e9);
    assertThat(cluster.link(8, 9).alpha().seconds()).isEqualTo(3e-6);
  }

  @Test
  void writtenYamlReadsBackTheSame() {
    Cluster cluster = Cluster.parse(MIXED, "m.yaml");
    Cluster again = Cluster.parse(cluster.toYaml(), "again.yaml");
    assertThat(again.nodes()).isEqualTo(cluster.nodes());
    assertThat(again.network()).isEqualTo(cluster.network());
    assertThat(again.name()).isEqualTo("mixed");
  }

  @Test
  void severalMeasuredSizesGiveACurve() {
    String text =
        """
        nodes: [{count: 2, accelerator: H100}]
        network:
          link: {alpha: 10 us, beta: 25 GB/s}
          measured:
            - {size: 1 MB, gigabytes_per_second: [[0, 10], [10, 0]]}
            - {size: 11 MB, gigabytes_per_second: [[0, 20], [20, 0]]}
        """;
    Link link = Cluster.parse(text, "m.yaml").between(0, 1);
    assertThat(link.seconds(1e6)).isCloseTo(1e-4, within(1e-9));
    assertThat(link.seconds(11e6)).isCloseTo(5.5e-4, within(1e-9));
    assertThat(link.seconds(6e6)).isCloseTo(3.25e-4, within(1e-9));
    assertThat(link.seconds(0)).isBetween(0.0, 6e-5);
  }

  @Test
  void errorsNameFileLineColumnAndFix() {
    fails(
        "nodes: [{acelerator: H100}]\n",
        "m.yaml:1:10: unknown key 'acelerator' in an item of 'nodes', did you mean 'accelerator'?");
    fails("nodes: [{accelerator: H10}]\n", "unknown accelerator 'H10', did you mean");
    fails("nodes: [{accelerator: H100, gpus: 0}]\n", "gpus is 0, at least 1 is needed");
    fails("nodes: []\n", "has 0 nodes");
    fails("nodes: [{names: [a, a], accelerator: H100}]\n", "the node name 'a' is given twice");
    fails(
        MIXED.replace("- [19, 0, 12]", "- [19, 0]"),
        "not square: row 2 (b) has 2 values, 3 are needed");
    fails(
        MIXED.replace("- [19, 0, 12]", "- [-19, 0, 12]"),
        "bandwidth from b to a (row 2, column 1) is");
    fails(
        MIXED.replace("- [19, 0, 12]", "- [.nan, 0, 12]"), "'.nan', a finite number was expected");
    fails(MIXED.replace("- [19, 0, 12]", "- [2, 0, 12]"), "90 % apart; at most 50 % is accepted");
    fails(MIXED.replace("names: [a, b]", "names: [a, b, d]"), "4 nodes and a matrix of 3 rows");
  }

  @Test
  void theLibraryHasEverySourceAndTheRatesOfTheDataSheets() {
    assertThat(Accelerators.all()).allSatisfy(a -> assertThat(a.source()).isNotBlank());
    assertThat(Accelerators.all())
        .extracting(Accelerator::name)
        .contains(
            "V100",
            "A100-40",
            "A100-80",
            "H100",
            "H200",
            "GH200",
            "B200",
            "RTX-3090",
            "RTX-4090",
            "L40",
            "MI300X");
    assertThat(Accelerators.named("a100-80").rate(Precision.BF16).flopsPerSecond())
        .isEqualTo(312e12);
    assertThatThrownBy(() -> Accelerators.named("V100").rate(Precision.BF16))
        .isInstanceOf(SpillwayException.class)
        .hasMessageContaining("V100 has no BF16 matrix units");
  }

  @Test
  void aFittedLinkFindsLatencyAndRate() {
    java.util.List<Link.Point> points =
        java.util.stream.DoubleStream.of(1e3, 1e5, 1e7)
            .mapToObj(b ->
                new Link.Point(
                    new io.spillway.platform.units.Bytes((long) b),
                    new io.spillway.platform.units.Seconds(2e-5 + b / 1e9)))
            .toList();
    Link link = Link.fitted(points);
    assertThat(link.alpha().seconds()).isCloseTo(2e-5, within(1e-9));
    assertThat(link.beta().bytesPerSecond()).isCloseTo(1e9, within(1e3));
    assertThat(link.scaled(0.5).seconds(1e7)).isCloseTo(2e-5 + 2e-2, within(1e-6));
  }

  private static void fails(String text, String message) {
    assertThatThrownBy(() -> Cluster.parse(text, "m.yaml"))
        .isInstanceOf(SpillwayException.class)
        .hasMessageStartingWith("m.yaml")
        .hasMessageContaining(message);
  }

  @Test
  void moreNodesThanAnyClusterAreRefusedBeforeTheyAreMade() {
    assertThatThrownBy(() ->
            Cluster.even(
                "table",
                Integer.MAX_VALUE,
                1,
                Accelerators.named("A100-80"),
                Link.of(5e-6, 300e9),
                Network.of(Link.of(10e-6, 25e9), 4)))
        .isInstanceOf(SpillwayException.class)
        .hasMessage("cluster 'table' has 2147483647 nodes, 1 to 4096 are accepted");
  }
}
