package io.spillway.diffusion;

import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.Unet;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.sampling.Sampler;
import io.spillway.diffusion.sampling.Samplers;
import io.spillway.platform.Json;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// A denoiser with its sampler from a diffusers-format folder, or one of ours that is shipped.
///
/// @param name folder or shipped name
/// @param classes how many class labels it knows; that number itself stands for none
/// @param size rows and columns of pixels that it was trained at
/// @param pixelFold pixels along the side of one element that the denoiser sees
public record ImageModel(
    String name, Denoiser denoiser, Sampler sampler, int classes, int size, int pixelFold)
    implements AutoCloseable {
  /// Models inside this module.
  public static final List<String> SHIPPED = List.of("shapes-dit");

  private static final List<String> FILES =
      List.of("model_index.json", "scheduler/scheduler_config.json");
  private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";

  /// Opens a shipped model by name, or a folder.
  ///
  /// **Errors:** a missing folder, component or weight, with its path.
  public static ImageModel open(String nameOrFolder, ComputeDevice device) {
    if (SHIPPED.contains(nameOrFolder)) {
      return shipped(nameOrFolder, device);
    }
    Path folder = Path.of(nameOrFolder);
    if (!Files.isDirectory(folder)) {
      throw SpillwayException.notFound(
          "model %s is neither a folder nor one of %s", nameOrFolder, SHIPPED);
    }
    return read(folder, nameOrFolder, device);
  }

  private static ImageModel read(Path folder, String name, ComputeDevice device) {
    for (String file : FILES) {
      if (!Files.exists(folder.resolve(file))) {
        throw SpillwayException.notFound(
            "%s: component %s is missing; a diffusers folder has model_index.json, scheduler/ and"
                + " transformer/ or unet/",
            folder, file);
      }
    }
    Sampler sampler = Samplers.read(folder.resolve("scheduler/scheduler_config.json"));
    Path transformer = folder.resolve("transformer");
    Path unet = folder.resolve("unet");
    if (Files.isDirectory(transformer)) {
      JsonNode json = Json.readTree(transformer.resolve("config.json"));
      DitConfig config = dit(json);
      Parameters p = Parameters.load(weights(transformer), config.parameters(), DType.F32, device);
      int size = json.path("sample_size").asInt(32);
      return new ImageModel(
          name, new Dit(config, p), sampler, config.classes(), size, pixelFold(config.channels()));
    }
    if (Files.isDirectory(unet)) {
      JsonNode json = Json.readTree(unet.resolve("config.json"));
      UnetConfig config = unet(json, unet.resolve("config.json"));
      Parameters p = Parameters.load(weights(unet), config.parameters(), DType.F32, device);
      int fold = pixelFold(config.channels());
      int size = json.path("sample_size").asInt(128) * fold;
      return new ImageModel(name, new Unet(config, p), sampler, config.classes(), size, fold);
    }
    throw SpillwayException.notFound("%s: component transformer/ or unet/ is missing", folder);
  }

  private static Path weights(Path component) {
    Path file = component.resolve(WEIGHTS);
    if (!Files.exists(file)) {
      throw SpillwayException.notFound("%s: weights are missing", file);
    }
    return file;
  }

  private static DitConfig dit(JsonNode json) {
    int channels = json.path("in_channels").asInt(4);
    return new DitConfig(
        json.path("num_layers").asInt(28),
        json.path("num_attention_heads").asInt(16),
        json.path("attention_head_dim").asInt(72),
        json.path("patch_size").asInt(2),
        channels,
        json.path("out_channels").asInt(channels),
        json.path("sample_size").asInt(32),
        json.path("num_embeds_ada_norm").asInt(1000));
  }

  private static UnetConfig unet(JsonNode json, Path file) {
    List<Integer> widths = numbers(json.path("block_out_channels"));
    List<Integer> depths = numbers(json.path("transformer_layers_per_block"));
    List<String> types = new ArrayList<>();
    json.path("down_block_types").forEach(t -> types.add(t.asString("")));
    if (widths.isEmpty() || depths.size() != widths.size() || types.size() != widths.size()) {
      throw SpillwayException.badFile(
          file,
          "",
          "block_out_channels, transformer_layers_per_block and down_block_types must be lists of"
              + " one length");
    }
    for (int i = 0; i < types.size(); i++) {
      if (types.get(i).equals("DownBlock2D")) {
        depths.set(i, 0);
      } else if (!types.get(i).equals("CrossAttnDownBlock2D")) {
        throw SpillwayException.badFile(file, "", "block type %s is not supported", types.get(i));
      }
    }
    List<Integer> heads = numbers(json.path("attention_head_dim"));
    int headWidth = heads.isEmpty() ? 64 : widths.getLast() / heads.getLast();
    return new UnetConfig(
        json.path("in_channels").asInt(4),
        widths,
        depths,
        json.path("layers_per_block").asInt(2),
        headWidth,
        json.path("cross_attention_dim").asInt(0),
        json.path("projection_class_embeddings_input_dim").asInt(0),
        json.path("num_class_embeds").asInt(1) - 1,
        json.path("norm_num_groups").asInt(32));
  }

  private static List<Integer> numbers(JsonNode list) {
    List<Integer> numbers = new ArrayList<>();
    list.forEach(n -> numbers.add(n.asInt()));
    return numbers;
  }

  private static int pixelFold(int channels) {
    int fold = (int) Math.round(Math.sqrt(channels / 3.0));
    return 3 * fold * fold == channels ? fold : 8;
  }

  /// Whether the denoiser works on pixels, so that no VAE is needed.
  public boolean onPixels() {
    return 3 * pixelFold * pixelFold == denoiser.channels();
  }

  private static ImageModel shipped(String name, ComputeDevice device) {
    String component = name.endsWith("unet") ? "unet" : "transformer";
    Path folder = temporary();
    try {
      List<String> files = new ArrayList<>(FILES);
      files.add(component + "/config.json");
      files.add(component + "/" + WEIGHTS);
      for (String file : files) {
        copyResource(name + "/" + file, folder.resolve(file));
      }
      return read(folder, name, device);
    } finally {
      delete(folder);
    }
  }

  /// A shipped file, for example the classifier's weights.
  static void copyResource(String name, Path target) {
    try (InputStream in = ImageModel.class.getResourceAsStream("pretrained/" + name)) {
      if (in == null) {
        throw SpillwayException.notAvailable("shipped file %s is missing in this build", name);
      }
      Path parent = java.util.Objects.requireNonNull(target.getParent());
      Files.createDirectories(parent);
      Files.copy(in, target);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot unpack " + name + ": " + e.getMessage(), e);
    }
  }

  static Path temporary() {
    try {
      return Files.createTempDirectory("spillway-model");
    } catch (IOException e) {
      throw new UncheckedIOException("no temporary folder: " + e.getMessage(), e);
    }
  }

  static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path p : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot remove " + folder + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    denoiser.close();
    denoiser.parameters().close();
  }
}
