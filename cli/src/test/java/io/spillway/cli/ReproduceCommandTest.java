package io.spillway.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.platform.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Rows are measured, kept as run records and not measured twice.
class ReproduceCommandTest {
  @TempDir Path folder;

  private int run(String... more) {
    String[] words = {"reproduce", "--quiet", "--out", folder.toString(), "--data", "none"};
    String[] all = java.util.Arrays.copyOf(words, words.length + more.length);
    System.arraycopy(more, 0, all, words.length, more.length);
    return Main.run(all);
  }

  private JsonNode row(String name) throws Exception {
    return Json.readTree(folder.resolve("rows").resolve(name).resolve("run.json"));
  }

  @Test
  void finishedRowsAreKeptAndOthersMeasured() throws Exception {
    assertThat(run("diffusion", "--claims", "bytes-sdxl")).isZero();
    JsonNode first = row("diffusion-bytes-sdxl");
    assertThat(first.path("results").path("row").path("verdict").asString()).isEqualTo("better");
    assertThat(run("diffusion", "--claims", "bytes-sdxl,latency-8,speedup-8")).isZero();
    assertThat(row("diffusion-bytes-sdxl")).isEqualTo(first);
    assertThat(row("diffusion-latency-8").path("results").path("measured").asBoolean()).isTrue();
    String page = Files.readString(folder.resolve("reproduce.html"));
    assertThat(page).contains("not measurable here", "bench/gpu/diffusion.sh", "better");
    assertThat(page).doesNotContain("claims so far");
    // every row names its record, on the page and in the run's own results
    assertThat(page).contains("rows/diffusion-bytes-sdxl/run.json, measured");
    JsonNode rows = Json.readTree(folder.resolve("run.json")).path("results").path("rows");
    assertThat(rows).hasSize(3);
    for (JsonNode row : rows) {
      assertThat(folder.resolve(row.path("record").asString())).exists();
      assertThat(row.path("startedAt").asString()).isNotEmpty();
      assertThat(row.path("setting").asString()).isNotEmpty();
      assertThat(row.path("verdict").asString()).isNotEmpty();
    }
    // another seed is another run
    assertThat(run("diffusion", "--claims", "bytes-sdxl", "--seed", "2")).isZero();
    assertThat(row("diffusion-bytes-sdxl").path("seed").asInt()).isEqualTo(2);
  }

  @Test
  void withoutDataTheReasonStandsInTheRow() throws Exception {
    assertThat(run("reservoir", "--claims", "nmnist")).isZero();
    JsonNode row = row("reservoir-nmnist").path("results").path("row");
    assertThat(row.path("verdict").asString()).isEqualTo("not measurable here");
    assertThat(row.path("why").asString()).contains("--data");
  }

  @Test
  void wrongNamesAreRefused() {
    assertThat(run("planer")).isEqualTo(2);
    assertThat(run("diffusion", "--claims", "byte-sdxl")).isEqualTo(2);
    assertThat(run("diffusion", "--quick", "--full")).isEqualTo(2);
  }
}
