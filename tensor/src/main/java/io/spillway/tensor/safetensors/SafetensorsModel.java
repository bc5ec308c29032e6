package io.spillway.tensor.safetensors;

import io.spillway.platform.Json;
import io.spillway.platform.Nearest;
import io.spillway.platform.SpillwayException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// The weights of a model: one safetensors file, or shards under `model.safetensors.index.json`.
public final class SafetensorsModel implements AutoCloseable {
  static final String INDEX = "model.safetensors.index.json";
  private static final List<String> FILES =
      List.of(
          INDEX,
          "model.safetensors",
          "diffusion_pytorch_model.safetensors.index.json",
          "diffusion_pytorch_model.safetensors");

  private final List<SafetensorsFile> files;
  private final Map<String, SafetensorsFile> byName;

  private SafetensorsModel(List<SafetensorsFile> files, Map<String, SafetensorsFile> byName) {
    this.files = List.copyOf(files);
    this.byName = byName;
  }

  /// Opens a safetensors file, an index file, or a folder that has one under the usual names.
  ///
  /// **Errors:** missing or contradicting files, with the name that is missing.
  public static SafetensorsModel open(Path path) {
    if (Files.isDirectory(path)) {
      for (String name : FILES) {
        if (Files.isRegularFile(path.resolve(name))) {
          return open(path.resolve(name));
        }
      }
      throw SpillwayException.notFound(
          "%s has no weights; looked for %s", path, String.join(", ", FILES));
    }
    if (path.getFileName().toString().endsWith(".json")) {
      return openShards(path);
    }
    SafetensorsFile file = SafetensorsFile.open(path);
    Map<String, SafetensorsFile> byName = new LinkedHashMap<>();
    file.names().forEach(n -> byName.put(n, file));
    return new SafetensorsModel(List.of(file), byName);
  }

  private static SafetensorsModel openShards(Path index) {
    JsonNode map = Json.readTree(index).path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw SpillwayException.badFile(index, "", "weight_map must be an object with entries");
    }
    Map<String, SafetensorsFile> opened = new LinkedHashMap<>();
    Map<String, SafetensorsFile> byName = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, JsonNode> e : map.properties()) {
        String shard = e.getValue().isString() ? e.getValue().stringValue() : "";
        if (shard.isEmpty() || shard.contains("/") || shard.contains("\\") || shard.equals("..")) {
          throw SpillwayException.badFile(
              index, "", "'%s' names no file beside the index: %s", e.getKey(), e.getValue());
        }
        SafetensorsFile file = opened.get(shard);
        if (file == null) {
          file = SafetensorsFile.open(index.resolveSibling(shard));
          opened.put(shard, file);
        }
        if (!file.names().contains(e.getKey())) {
          throw SpillwayException.badFile(index, "", "tensor '%s' is not in %s", e.getKey(), shard);
        }
        byName.put(e.getKey(), file);
      }
    } catch (RuntimeException e) {
      opened.values().forEach(SafetensorsFile::close);
      throw e;
    }
    return new SafetensorsModel(new ArrayList<>(opened.values()), byName);
  }

  public Set<String> names() {
    return byName.keySet();
  }

  public boolean contains(String name) {
    return byName.containsKey(name);
  }

  public List<SafetensorsFile> files() {
    return files;
  }

  /// The metadata of the first file.
  public Map<String, String> metadata() {
    return files.getFirst().metadata();
  }

  /// Bytes of all tensors.
  public long bytes() {
    return byName.entrySet().stream().mapToLong(e -> e.getValue().entry(e.getKey()).bytes()).sum();
  }

  public TensorEntry entry(String name) {
    return file(name).entry(name);
  }

  /// The mapped bytes of one tensor, valid until [#close].
  public MemorySegment segment(String name) {
    return file(name).segment(name);
  }

  private SafetensorsFile file(String name) {
    SafetensorsFile file = byName.get(name);
    if (file == null) {
      throw SpillwayException.badFile(
          files.getFirst().file(),
          "",
          "the model has no tensor '%s'%s",
          name,
          Nearest.to(name, names()).map(n -> ", did you mean '" + n + "'?").orElse(""));
    }
    return file;
  }

  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
