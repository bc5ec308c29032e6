package io.spillway.platform;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RunRecordTest {
  @TempDir Path runs;

  @Test
  void twoRunsInOneSecondGetFoldersOfTheirOwn() {
    Instant now = Instant.parse("2026-11-23T11:13:28Z");
    assertThat(RunRecord.newFolder(runs, "plan explain", now).getFileName().toString())
        .isEqualTo("20261123-111328-plan-explain");
    assertThat(RunRecord.newFolder(runs, "plan explain", now).getFileName().toString())
        .isEqualTo("20261123-111328-plan-explain-2");
  }

  @Test
  void comesBackFromItsFileAsItWasWritten() {
    RunRecord record =
        new RunRecord(
            "plan",
            List.of("--model", "gpt-175b"),
            "0.1.0",
            "2026-11-23T11:13:28Z",
            1.5,
            42,
            Machine.current(),
            Map.of("iteration_s", 3.25));

    assertThat(Json.read(record.writeTo(runs), RunRecord.class)).isEqualTo(record);
  }
}
