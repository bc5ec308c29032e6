package io.spillway.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/// Finds the real data that tests read. It lies outside the product's tree, in the folder that
/// `SPILLWAY_TEST_DATA` names (default `../shared/data` beside the repository).
public final class TestData {
  private TestData() {}

  /// The file or folder at `relative`; the running test is skipped with a reason if it is absent.
  public static Path require(String relative) {
    Path path = root().resolve(relative);
    Assumptions.assumeTrue(
        Files.exists(path),
        () -> "test data " + path + " is absent; set SPILLWAY_TEST_DATA to the data folder");
    return path;
  }

  /// The repository's root folder, also when a test runs in a module's own folder.
  public static Path repository() {
    String root = System.getProperty("spillway.root");
    Path start = Path.of(root != null ? root : "").toAbsolutePath();
    for (Path p = start; p != null; p = p.getParent()) {
      if (Files.isRegularFile(p.resolve("spillway"))) {
        return p;
      }
    }
    throw new IllegalStateException("no ./spillway in or above " + start);
  }

  private static Path root() {
    String variable = System.getenv("SPILLWAY_TEST_DATA");
    return variable != null
        ? Path.of(variable)
        : repository().resolve("../shared/data").normalize();
  }
}
