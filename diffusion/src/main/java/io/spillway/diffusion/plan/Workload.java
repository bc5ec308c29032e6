package io.spillway.diffusion.plan;

import io.spillway.diffusion.Strategy;
import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.Site;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.platform.SpillwayException;
import java.util.List;

/// What one step of a known model computes and where it exchanges, at one image size.
///
/// @param name `sdxl` or `dit-xl`
/// @param pixels rows and columns of the image; the latent has an eighth of them
/// @param sites of one forward pass
/// @param denseMacs multiply-adds outside of attention's scores, one sample
public record Workload(String name, int pixels, List<Site> sites, double denseMacs) {
  /// SDXL's UNet needs 6709 GMAC a step for two samples at 1024 pixels, attention included.
  private static final double SDXL_MACS_1024 = 6709e9 / 2;

  /// A model at a size.
  ///
  /// **Errors:** unknown models; sizes that are no multiple of 32 pixels.
  public static Workload of(String name, int pixels) {
    if (pixels < 256 || pixels > 8192 || pixels % 32 != 0) {
      throw SpillwayException.badInput(
          "size %d: a multiple of 32 pixels between 256 and 8192 is needed", pixels);
    }
    int latent = pixels / 8;
    return switch (name) {
      case "sdxl" -> {
        List<Site> at1024 = UnetConfig.SDXL.sites(128, 128);
        double dense = SDXL_MACS_1024 - attentionMacs(at1024, 1);
        yield new Workload(
            name,
            pixels,
            UnetConfig.SDXL.sites(latent, latent),
            dense * pixels / 1024 * pixels / 1024);
      }
      case "dit-xl" -> {
        DitConfig config = DitConfig.paper("XL", 2, latent);
        double tokens = (double) (latent / 2) * (latent / 2);
        double width = config.width();
        yield new Workload(
            name,
            pixels,
            config.sites(latent, latent),
            tokens * 12 * width * width * config.layers());
      }
      default -> throw SpillwayException.badInput("model %s is neither sdxl nor dit-xl", name);
    };
  }

  /// Multiply-adds of all attention scores and their products, one sample.
  ///
  /// @param seen share of all keys that each query sees
  static double attentionMacs(List<Site> sites, double seen) {
    double macs = 0;
    for (Site s : sites) {
      if (s instanceof Site.Attention(String _, int tokens, int width)) {
        macs += 2.0 * tokens * tokens * width * seen;
      }
    }
    return macs;
  }

  /// Multiply-adds that make keys and values of other strips' inputs over those of the whole image.
  double renewal(int ranks, Strategy strategy) {
    if (!(strategy instanceof Strategy.Turns turns)) {
      return 0;
    }
    double macs = 0;
    for (Site s : sites) {
      if (s instanceof Site.Attention(String _, int tokens, int width)) {
        macs += (ranks - 1.0) * turns.renewed(tokens / ranks) * 2 * width * width;
      }
    }
    return macs / (denseMacs + attentionMacs(sites, 1));
  }

  /// Multiply-adds of one rank's strip over those of the whole image.
  double share(int ranks, double seen) {
    double whole = denseMacs + attentionMacs(sites, 1);
    return (denseMacs + attentionMacs(sites, seen)) / ranks / whole;
  }
}
