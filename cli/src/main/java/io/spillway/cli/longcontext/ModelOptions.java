package io.spillway.cli.longcontext;

import io.spillway.cli.DeviceOption;
import io.spillway.longcontext.CacheSettings;
import io.spillway.longcontext.CacheStorage;
import io.spillway.longcontext.LongContextModel;
import io.spillway.longcontext.Policy;
import io.spillway.platform.SpillwayException;
import io.spillway.tensor.ComputeDevice;
import io.spillway.tensor.DType;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The options that choose a model, a policy and a budget.
final class ModelOptions {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "Hugging Face folder of the model (default: the small one that comes along).")
  @Nullable Path model;

  @Option(
      names = "--heads",
      paramLabel = "FILE",
      description = "Retaining heads (default: those in the model's folder).")
  @Nullable Path heads;

  @Mixin private DeviceOption device = new DeviceOption();

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "f32",
      description = "Type to compute in, f32 or bf16 (default: ${DEFAULT-VALUE}).")
  String dtype = "f32";

  @Option(
      names = "--policy",
      paramLabel = "NAME",
      defaultValue = "locret",
      description =
          "What stays in the cache: full, locret, locret-plain, locret-q, h2o, snapkv,"
              + " snapkv-whole, streaming, sirllm, tova, expected, infllm, random; '+ada[:FLOOR]'"
              + " behind a name shares one budget among heads, '+merge[:SHARE]' merges what it drops, 'infllm:BLOCK' sets the"
              + " entries of a block (default: ${DEFAULT-VALUE}).")
  String policy = "locret";

  @Option(
      names = "--budget",
      paramLabel = "N",
      defaultValue = "128",
      description =
          "Cache budget: entries per layer and head, or bytes such as 64MiB, or a share of the"
              + " model's positions such as 25%% (default: ${DEFAULT-VALUE}).")
  String budget = "128";

  @Option(
      names = "--chunk",
      paramLabel = "N",
      defaultValue = "128",
      description = "Prompt tokens read at a time (default: ${DEFAULT-VALUE}).")
  int chunk = 128;

  @Option(
      names = "--local",
      paramLabel = "N",
      defaultValue = "48",
      description =
          "Last prompt tokens read without eviction, at least as many as the question has (default:"
              + " ${DEFAULT-VALUE}).")
  int local = 48;

  @Option(
      names = "--sinks",
      paramLabel = "N",
      defaultValue = "1",
      description = "First entries that are never evicted (default: ${DEFAULT-VALUE}).")
  int sinks = 1;

  @Option(
      names = "--pyramid",
      paramLabel = "RATIO",
      defaultValue = "1",
      description =
          "Budget of the first layer over that of the last; the sum stays (default:"
              + " ${DEFAULT-VALUE}).")
  double pyramid = 1;

  @Option(
      names = "--evict-while-decoding",
      description = "Keep the budget while the answer grows as well.")
  boolean evictWhileDecoding;

  @Option(
      names = "--cache",
      paramLabel = "TYPE",
      defaultValue = "model",
      description =
          "How keys and values are stored: model (as computed), f32, bf16, q8, q4 or q2; a budget in"
              + " bytes counts them so (default: ${DEFAULT-VALUE}).")
  String cache = "model";

  LongContextModel open() {
    DType type = DType.valueOf(known());
    ComputeDevice chosen = device.choose();
    return LongContextModel.open(
        model == null ? LongContextModel.ownFolder() : model,
        type,
        chosen,
        Optional.ofNullable(heads));
  }

  private String known() {
    String name = dtype.toUpperCase(Locale.ROOT);
    if (!name.equals("F32") && !name.equals("BF16")) {
      throw SpillwayException.badInput("--dtype %s is neither f32 nor bf16", dtype);
    }
    return name;
  }

  Policy chosenPolicy() {
    return Policy.named(policy);
  }

  CacheSettings settings(LongContextModel of) {
    CacheStorage storage = CacheStorage.named(cache);
    double bytes = storage.bytesPerNumber(DType.valueOf(known()).bytes());
    int entries = CacheSettings.parseBudget(budget, of.config(), bytes);
    int window = chosenPolicy().votingWindow();
    if (window > 0 && entries < sinks + window) {
      throw SpillwayException.badInput(
          "a budget of %d entries cannot hold %d sinks and the window of %d queries of --policy %s;"
              + " give at least %d",
          entries, sinks, window, policy, sinks + window);
    }
    return new CacheSettings(entries, chunk, local, sinks, pyramid, evictWhileDecoding, storage);
  }
}
