package io.spillway.cli.diffusion;

import io.spillway.diffusion.ImageModel;
import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.parallel.Job;
import io.spillway.diffusion.sampling.Samplers;
import picocli.CommandLine.Option;

/// How an image is made, shared by the commands that make some.
final class JobOptions {
  @Option(
      names = "--model",
      defaultValue = "shapes-dit",
      description =
          "A diffusers folder, or shapes-dit or shapes-unet, which are shipped; default"
              + " ${DEFAULT-VALUE}.")
  String model = "shapes-dit";

  @Option(
      names = "--size",
      description = "Rows and columns in pixels; default what the model was trained at.")
  int size;

  @Option(
      names = "--steps",
      defaultValue = "25",
      description = "Sampling steps; default ${DEFAULT-VALUE}.")
  int steps;

  @Option(
      names = "--sampler",
      defaultValue = "auto",
      description =
          "auto (the model's own), ddim, euler, dpm++ or flow-euler; default"
              + " ${DEFAULT-VALUE}.")
  String sampler = "auto";

  @Option(
      names = "--guidance",
      defaultValue = "2.5",
      description = "Strength of classifier-free guidance, 1 for none; default ${DEFAULT-VALUE}.")
  double guidance;

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Seed of the first image's noise; default ${DEFAULT-VALUE}.")
  long seed;

  @Option(
      names = "--ranks",
      defaultValue = "1",
      description =
          "Ranks that share an image, as threads of this process, unless ./spillway"
              + " launch started several; default ${DEFAULT-VALUE}.")
  int ranks;

  @Option(
      names = "--warmup",
      defaultValue = "4",
      description = "Last synchronous step, counted from 0; default ${DEFAULT-VALUE}.")
  int warmup;

  @Option(
      names = "--conditioning",
      defaultValue = "0.3",
      description =
          "Share of a neighbour's strip that pcpp sees, 0 to 1; default" + " ${DEFAULT-VALUE}.")
  double conditioning;

  @Option(
      names = "--pool",
      defaultValue = "4",
      description = "Tokens averaged into one far key by pcpp-pool; default ${DEFAULT-VALUE}.")
  int pool;

  @Option(
      names = "--sync",
      defaultValue = "corrected_async_gn",
      description =
          "distrifusion's mode: corrected_async_gn, stale_gn, sync_gn, separate_gn,"
              + " full_sync or no_sync; default ${DEFAULT-VALUE}.")
  Strategy.Sync sync = Strategy.Sync.CORRECTED_ASYNC_GN;

  @Option(
      names = "--split-guidance",
      description = "Let half of the ranks compute the unconditional prediction.")
  boolean splitGuidance;

  @Option(
      names = "--graph",
      description =
          "Record a displaced step as a CUDA graph and launch that: for small images, whose"
              + " kernels are shorter than the time to start them. On a CPU it does nothing.")
  boolean graph;

  /// Pixels along a side.
  int size(ImageModel of) {
    return size == 0 ? of.size() : size;
  }

  /// The job of one strategy on `world` ranks.
  Job job(ImageModel of, String strategy, int world) {
    int branch = splitGuidance ? Math.max(1, world / 2) : world;
    Strategy chosen = Strategy.named(strategy, branch, conditioning, pool, sync);
    int pixels = size(of);
    if (pixels < 1 || pixels % of.pixelFold() != 0) {
      throw io.spillway.platform.SpillwayException.badInput(
          "size %d is no positive multiple of %d pixels", pixels, of.pixelFold());
    }
    int rows = pixels / of.pixelFold();
    return new Job(
        chosen,
        splitGuidance,
        warmup,
        steps,
        Samplers.named(sampler, of.sampler()),
        guidance,
        rows,
        rows,
        graph);
  }
}
