package io.spillway.tensor.group;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.launch.LaunchSpec;
import io.spillway.platform.launch.RankLauncher;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Real processes that exchange tensors over Gloo on the loopback interface.
@Timeout(120)
class ProcessGroupIT {
  private final Map<Integer, List<String>> said = new ConcurrentHashMap<>();

  private RankLauncher.Outcome run(int ranks, String scene) throws InterruptedException {
    LaunchSpec spec =
        LaunchSpec.local(
            ranks,
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                GroupProgram.class.getName(),
                scene));
    return RankLauncher.run(
        spec,
        (rank, error, text) -> {
          if (!error && !text.startsWith("[Gloo]")) {
            said.computeIfAbsent(rank, r -> new CopyOnWriteArrayList<>()).add(text);
          } else if (error) {
            System.err.println("[rank " + rank + "] " + text);
          }
        });
  }

  @Test
  void everyCollectiveGivesTheRightNumbers() throws InterruptedException {
    assertThat(run(3, "all").explanation()).isEmpty();
    for (int r = 0; r < 3; r++) {
      assertThat(said.get(r))
          .containsExactly(
              "sum [6.0, 6.0]",
              "mean [1.0, 1.0]",
              "max [3.0]",
              "gather [0.0, 10.0, 20.0]",
              "scatter [" + (3.0 + 30 * r) + "]",
              "exchange [%s, %s, %s]".formatted(10.0 * r, 10.0 * r + 1, 10.0 * r + 2),
              List.of(
                      "uneven [0.0, 1.0, 2.0]",
                      "uneven [0.0, 0.0, 1.0, 1.0, 2.0, 2.0]",
                      "uneven [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]")
                  .get(r),
              "broadcast [2.0]",
              "reduce [" + (r == 1 ? "3.0" : "-1.0") + "]",
              "ring [" + (r + 2) % 3 + ".0]",
              "sent 8",
              // 8, 8 and 2 bytes, each 2(n-1)/n on the wire: 10 + 10 + 2
              "reduced Count[calls=3, payloadBytes=18, sentBytes=22]",
              "a tensor of shape [3, 2] has gaps; call contiguous() before it is exchanged");
    }
  }

  @Test
  void splitsIntoRowsAndColumns() throws InterruptedException {
    assertThat(run(4, "groups").explanation()).isEmpty();
    assertThat(new TreeMap<>(said))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                0, List.of("row [3.0]", "column 0 [0, 2] [15.0]", "calls 2"),
                1, List.of("row [3.0]", "column 1 [3, 1] [15.0]", "calls 2"),
                2, List.of("row [12.0]", "column 1 [0, 2] [15.0]", "calls 2"),
                3, List.of("row [12.0]", "column 0 [3, 1] [15.0]", "calls 2")));
  }

  @Test
  void leaksNothing() throws InterruptedException {
    assertThat(run(2, "leak").explanation()).isEmpty();
    assertThat(said.get(0)).containsExactly("leaked 0");
    assertThat(said.get(1)).containsExactly("leaked 0");
  }

  @Test
  void aPeersDeathIsToldAtOnce() throws InterruptedException {
    long begin = System.nanoTime();
    assertThat(run(2, "death").explanation()).isEmpty();
    assertThat(said.getOrDefault(0, List.of("")).getFirst())
        .startsWith("NOT_AVAILABLE rank 0 of group world [0, 1]: all-reduce failed")
        .contains("another rank ended");
    assertThat(System.nanoTime() - begin).isLessThan(40_000_000_000L);
  }

  @Test
  void aPeerThatHangsRunsIntoTheTimeout() throws InterruptedException {
    run(2, "timeout");
    assertThat(said.getOrDefault(0, List.of("")).getFirst())
        .contains("all-reduce failed: it waited longer than 2.0 s");
  }
}
