package io.spillway.diffusion;

import io.spillway.diffusion.latent.VaeDecoder;
import io.spillway.diffusion.model.Denoiser;
import io.spillway.diffusion.model.Dit;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Parameters;
import io.spillway.diffusion.model.PixArt;
import io.spillway.diffusion.model.PixArtConfig;
import io.spillway.diffusion.model.Unet;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.sampling.Sampler;
import io.spillway.diffusion.sampling.Samplers;
import io.spillway.diffusion.shapes.Shape;
import io.spillway.diffusion.text.TextEncoders;
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
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A denoiser with its sampler and what stands around it, from a diffusers-format folder, or one of
/// ours that is shipped.
///
/// @param name folder or shipped name
/// @param classes how many class labels it knows, that number itself stands for none; 0 for models
///   of text
/// @param size rows and columns of pixels that it was trained at
/// @param pixelFold pixels along the side of one element that the denoiser sees
/// @param text encodes prompts, for models that come with encoders
/// @param vae turns latents into pixels, for models that do not work on pixels
public record ImageModel(
    String name,
    Denoiser denoiser,
    Sampler sampler,
    int classes,
    int size,
    int pixelFold,
    @Nullable TextEncoders text,
    @Nullable VaeDecoder vae)
    implements AutoCloseable {
  /// Models inside this module.
  public static final List<String> SHIPPED = List.of("shapes-dit", "shapes-unet");

  private static final List<String> FILES =
      List.of("model_index.json", "scheduler/scheduler_config.json");
  private static final String STEM = "diffusion_pytorch_model";

  /// Opens a shipped model by name, or a folder, to compute in f32.
  public static ImageModel open(String nameOrFolder, ComputeDevice device) {
    return open(nameOrFolder, device, DType.F32);
  }

  /// Opens a shipped model by name, or a folder.
  ///
  /// **Errors:** a missing folder, component or weight, with its path.
  ///
  /// @param type what denoiser and text encoders compute in; the VAE takes f32 always
  public static ImageModel open(String nameOrFolder, ComputeDevice device, DType type) {
    if (SHIPPED.contains(nameOrFolder)) {
      return shipped(nameOrFolder, device, type);
    }
    Path folder = Path.of(nameOrFolder);
    if (!Files.isDirectory(folder)) {
      throw SpillwayException.notFound(
          "model %s is neither a folder nor one of %s", nameOrFolder, SHIPPED);
    }
    return read(folder, nameOrFolder, device, type);
  }

  private static ImageModel read(Path folder, String name, ComputeDevice device, DType type) {
    for (String file : FILES) {
      if (!Files.exists(folder.resolve(file))) {
        throw SpillwayException.notFound(
            "%s: component %s is missing; a diffusers folder has model_index.json, scheduler/ and"
                + " transformer/ or unet/",
            folder, file);
      }
    }
    Sampler sampler = Samplers.read(folder.resolve("scheduler/scheduler_config.json"));
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      Loaded loaded = denoiser(folder, device, type);
      opened.add(loaded.denoiser);
      opened.add(loaded.denoiser.parameters());
      TextEncoders text = null;
      if (loaded.denoiser instanceof Unet unet && unet.config().context() > 0) {
        text = Components.text(folder, device, type);
        opened.add(text);
        if (text.width() != unet.config().context()) {
          throw SpillwayException.badInput(
              "%s: the text encoders give %d numbers a token, the UNet wants %d",
              folder, text.width(), unet.config().context());
        }
      }
      VaeDecoder vae = null;
      int fold = pixelFold(loaded.denoiser.channels());
      if (fold == 0) {
        vae = Components.vae(folder.resolve("vae"), device);
        opened.add(vae);
        fold = vae.config().fold();
        if (vae.config().channels() != loaded.denoiser.channels()) {
          throw SpillwayException.badInput(
              "%s: the VAE has %d latent channels, the denoiser %d",
              folder, vae.config().channels(), loaded.denoiser.channels());
        }
      }
      int size = loaded.sampleSize * fold;
      return new ImageModel(name, loaded.denoiser, sampler, loaded.classes, size, fold, text, vae);
    } catch (RuntimeException e) {
      Components.closeAll(opened.reversed(), e);
      throw e;
    }
  }

  private record Loaded(Denoiser denoiser, int classes, int sampleSize) {}

  private static Loaded denoiser(Path folder, ComputeDevice device, DType type) {
    Path transformer = folder.resolve("transformer");
    Path unet = folder.resolve("unet");
    if (Files.isDirectory(transformer)) {
      JsonNode json = Components.config(transformer);
      String kind = json.path("_class_name").asString("DiTTransformer2DModel");
      Path weights = Components.weights(transformer, STEM);
      if (kind.startsWith("PixArt")) {
        PixArtConfig config = Components.pixArt(json);
        Parameters p = Parameters.load(weights, config.parameters(), type, device);
        return new Loaded(new PixArt(config, p), 0, config.sampleSize());
      }
      // early DiT folders name the class that both grew out of
      if (!List.of("DiTTransformer2DModel", "Transformer2DModel").contains(kind)) {
        throw SpillwayException.badFile(
            transformer.resolve("config.json"),
            "",
            "transformer %s is not supported; known: DiTTransformer2DModel, PixArtTransformer2DModel",
            kind);
      }
      DitConfig config = Components.dit(json);
      Parameters p = Parameters.load(weights, config.parameters(), type, device);
      return new Loaded(new Dit(config, p), config.classes(), config.sampleSize());
    }
    if (Files.isDirectory(unet)) {
      JsonNode json = Components.config(unet);
      UnetConfig config = Components.unet(json, unet.resolve("config.json"));
      Parameters p =
          Parameters.load(Components.weights(unet, STEM), config.parameters(), type, device);
      return new Loaded(new Unet(config, p), config.classes(), json.path("sample_size").asInt(128));
    }
    throw SpillwayException.notFound("%s: component transformer/ or unet/ is missing", folder);
  }

  /// How many pixels fold into one element, 0 for channels that are none of pixels.
  private static int pixelFold(int channels) {
    int fold = (int) Math.round(Math.sqrt(channels / 3.0));
    return 3 * fold * fold == channels ? fold : 0;
  }

  /// The class of that name or number.
  ///
  /// **Errors:** an unknown one, with what is known.
  public int label(String text) {
    if (classes == Shape.values().length) {
      return Shape.of(text).ordinal();
    }
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      throw SpillwayException.badInput(
          "class '%s' is no number; %s has classes 0 to %d", text, name, classes - 1);
    }
  }

  private static ImageModel shipped(String name, ComputeDevice device, DType type) {
    String component = name.endsWith("unet") ? "unet" : "transformer";
    Path folder = temporary();
    try {
      List<String> files = new ArrayList<>(FILES);
      files.add(component + "/config.json");
      files.add(component + "/" + STEM + ".safetensors");
      for (String file : files) {
        copyResource(name + "/" + file, folder.resolve(file));
      }
      return read(folder, name, device, type);
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
    if (text != null) {
      text.close();
    }
    if (vae != null) {
      vae.close();
    }
  }
}
