package io.spillway.longcontext;

import io.spillway.longcontext.cache.Session;
import io.spillway.longcontext.retain.RetainingHeads;
import io.spillway.models.ChatTemplate;
import io.spillway.models.Decoder;
import io.spillway.models.DecoderConfig;
import io.spillway.models.DecoderFolder;
import io.spillway.models.Tokenizer;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A model with its tokenizer, its chat template and, where they are, its retaining heads.
public final class LongContextModel implements AutoCloseable {
  /// Heads that `retain train` writes and that lie beside a model.
  public static final String HEADS = "retaining_heads.safetensors";

  private final DecoderFolder folder;
  private final Tokenizer tokenizer;
  private final @Nullable RetainingHeads heads;

  private LongContextModel(
      DecoderFolder folder, Tokenizer tokenizer, @Nullable RetainingHeads heads) {
    this.folder = folder;
    this.tokenizer = tokenizer;
    this.heads = heads;
  }

  /// The folder of the model that comes with Spillway.
  public static Path ownFolder() {
    return Path.of(System.getProperty("spillway.root", "."))
        .resolve("longcontext")
        .resolve("model");
  }

  /// Opens a Hugging Face folder.
  ///
  /// @param heads a file of heads in place of those beside the model
  public static LongContextModel open(
      Path folder, DType type, ComputeDevice device, Optional<Path> heads) {
    Tokenizer tokenizer = null;
    DecoderFolder decoder = null;
    try {
      decoder = DecoderFolder.open(folder, type, device);
      tokenizer = Tokenizer.open(folder);
      return new LongContextModel(
          decoder,
          tokenizer,
          heads(
              heads.orElse(folder.resolve(HEADS)),
              heads.isPresent(),
              decoder.config(),
              device,
              type));
    } catch (RuntimeException e) {
      if (tokenizer != null) {
        tokenizer.close();
      }
      if (decoder != null) {
        decoder.close();
      }
      throw e;
    }
  }

  private static @Nullable RetainingHeads heads(
      Path file, boolean must, DecoderConfig config, ComputeDevice device, DType type) {
    if (!Files.isRegularFile(file)) {
      if (must) {
        throw SpillwayException.notFound("%s: no such file of retaining heads", file);
      }
      return null;
    }
    RetainingHeads heads = RetainingHeads.load(file, config, device);
    if (!device.isCuda()) {
      return heads;
    }
    try (heads) {
      return heads.to(device, type); // in the model's type, as they were trained for it
    }
  }

  public Decoder decoder() {
    return folder.decoder();
  }

  public DecoderConfig config() {
    return folder.config();
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  public Path folder() {
    return folder.folder();
  }

  /// The chat template of the folder.
  public ChatTemplate chatTemplate() {
    return ChatTemplate.open(folder.folder());
  }

  /// The retaining heads, or null where there are none.
  public @Nullable RetainingHeads heads() {
    return heads;
  }

  /// A fresh sequence.
  public Session session(Policy policy, CacheSettings settings) {
    return new Session(decoder(), policy, settings, heads, null);
  }

  @Override
  public void close() {
    if (heads != null) {
      heads.close();
    }
    tokenizer.close();
    folder.close();
  }
}
