package io.spillway.simulator.system;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Yaml;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The systems that come with Spillway, and files of the user's own.
public final class SystemFiles {
  /// Names of the systems that come with Spillway.
  public static final List<String> NAMES =
      List.of(
          "minor",
          "o3",
          "paper-baseline",
          "paper-core",
          "paper-core-l1",
          "paper-core-l1-l2",
          "paper-core-l1-l2-l3",
          "paper-everything",
          "paper-in-order-baseline",
          "paper-in-order-core",
          "paper-in-order-everything",
          "desktop");

  private SystemFiles() {}

  /// Reads a system by the name of one that ships or by the path of a YAML file.
  ///
  /// **Errors:** neither a name nor a file; anything wrong in the file, with line and column.
  public static SystemDescription load(String nameOrFile) {
    if (NAMES.contains(nameOrFile)) {
      String resource = "/systems/" + nameOrFile + ".yaml";
      try (InputStream in = SystemFiles.class.getResourceAsStream(resource)) {
        if (in == null) {
          throw new IllegalStateException("resource " + resource + " is missing");
        }
        return Yaml.parse(
            new String(in.readAllBytes(), StandardCharsets.UTF_8),
            SystemDescription.class,
            nameOrFile + ".yaml");
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + resource, e);
      }
    }
    Path file = Path.of(nameOrFile);
    if (!Files.exists(file)) {
      throw SpillwayException.notFound(
          "%s is neither a file nor a system of ours, %s",
          nameOrFile, Nearest.hint(nameOrFile, NAMES));
    }
    return Yaml.read(file, SystemDescription.class);
  }
}
