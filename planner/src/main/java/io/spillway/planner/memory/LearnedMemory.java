package io.spillway.planner.memory;

import io.spillway.platform.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// Everything of the memory model that measurements taught, as `plan validate --save-memory` writes
/// it and `plan --memory` reads it.
public record LearnedMemory(MemoryConstants constants, KernelCorrection correction) {
  private static final String RESOURCE = "memory-model.json";

  /// What was learned from the published measurements on GH200 and RTX 3090.
  public static LearnedMemory builtIn() {
    try (InputStream in = LearnedMemory.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing from the jar");
      }
      return Json.parse(
          new String(in.readAllBytes(), StandardCharsets.UTF_8), LearnedMemory.class, RESOURCE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public static LearnedMemory read(Path file) {
    return Json.read(file, LearnedMemory.class);
  }

  public MemoryModel model() {
    return new MemoryModel(constants, correction);
  }
}
