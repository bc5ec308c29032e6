package io.spillway.diffusion.training;

import io.spillway.diffusion.model.DitConfig;
import io.spillway.diffusion.model.UnetConfig;
import io.spillway.diffusion.shapes.Shape;
import java.util.List;

/// The sizes of the models that we train and ship. Heads and depths divide by 8, so that every
/// strategy runs on 2, 4 and 8 ranks.
public final class OwnModels {
  private static final int CLASSES = Shape.values().length;

  /// A DiT on pixels: 8 blocks of width 160 over 256 tokens.
  public static final DitConfig DIT = new DitConfig(8, 8, 20, 4, 3, 3, 64, CLASSES);

  /// A UNet on pixels folded to 12 channels of 32 x 32: convolutions alone at the finest level,
  /// attention at 16 x 16 and 8 x 8.
  public static final UnetConfig UNET =
      new UnetConfig(12, List.of(64, 96, 96), List.of(0, 1, 1), 1, 12, 0, 0, CLASSES, 8);

  private OwnModels() {}
}
