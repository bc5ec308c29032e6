package io.spillway.platform;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AtomicFilesTest {
  @TempDir Path folder;

  @Test
  void replacesTheWholeContentAndLeavesNothingBeside() throws IOException {
    Path file = folder.resolve("new/result.json");
    AtomicFiles.writeString(file, "first");
    AtomicFiles.writeString(file, "second");

    assertThat(file).hasContent("second");
    try (Stream<Path> files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void keepsTheOldContentWhenTheBodyFailsHalfWay() throws IOException {
    Path file = folder.resolve("result.json");
    AtomicFiles.writeString(file, "old");

    assertThatThrownBy(() ->
            AtomicFiles.writeStream(
                file,
                out -> {
                  out.write(new byte[1 << 20]);
                  throw new IOException("disk is full");
                }))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("disk is full");

    assertThat(file).hasContent("old");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void resultsAreReadableByOthers() throws IOException {
    Path file = folder.resolve("result.json");
    AtomicFiles.writeString(file, "x");

    assertThat(Files.getPosixFilePermissions(file))
        .contains(java.nio.file.attribute.PosixFilePermission.OTHERS_READ);
  }
}
