package io.spillway.platform.hardware;

import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import io.spillway.platform.yaml.Yaml;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The library of known accelerators, read from `accelerators.yaml` beside this class.
public final class Accelerators {
  private record Library(List<Accelerator> accelerators) {}

  private static final Map<String, Accelerator> BY_NAME = load();

  private Accelerators() {}

  public static List<Accelerator> all() {
    return List.copyOf(BY_NAME.values());
  }

  public static Optional<Accelerator> find(String name) {
    return Optional.ofNullable(BY_NAME.get(name.toUpperCase(Locale.ROOT)));
  }

  /// The accelerator called `name`, in any case.
  ///
  /// **Errors:** an unknown name, with the nearest known one.
  public static Accelerator named(String name) {
    return find(name)
        .orElseThrow(() ->
            SpillwayException.badInput(
                "unknown accelerator '%s', %s", name, Nearest.hint(name, BY_NAME.keySet())));
  }

  private static Map<String, Accelerator> load() {
    try (InputStream in = Accelerators.class.getResourceAsStream("accelerators.yaml")) {
      if (in == null) {
        throw new IllegalStateException("accelerators.yaml is missing from the jar");
      }
      Library library =
          Yaml.parse(
              new String(in.readAllBytes(), StandardCharsets.UTF_8),
              Library.class,
              "accelerators.yaml");
      Map<String, Accelerator> byName = new LinkedHashMap<>();
      for (Accelerator a : library.accelerators()) {
        byName.put(a.name().toUpperCase(Locale.ROOT), a);
      }
      return java.util.Collections.unmodifiableMap(byName);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
