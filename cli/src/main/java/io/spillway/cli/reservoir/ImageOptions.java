package io.spillway.cli.reservoir;

import io.spillway.platform.Seeds;
import io.spillway.platform.SpillwayException;
import io.spillway.reservoir.convert.ConvertedSets;
import io.spillway.reservoir.convert.PixelModel;
import io.spillway.reservoir.events.RecordingSet;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options that name still images which an event camera is shown.
final class ImageOptions {
  @Option(
      names = "--images",
      paramLabel = "FILE",
      description = "IDX images (.gz allowed), shown to an event camera by saccades.")
  private @Nullable Path images;

  @Option(names = "--image-labels", paramLabel = "FILE", description = "IDX labels of --images.")
  private @Nullable Path imageLabels;

  boolean given() {
    return images != null;
  }

  /// The emulated recordings; `null` if no images were named.
  @Nullable RecordingSet open(long seed) {
    if (images == null) {
      return null;
    }
    if (imageLabels == null) {
      throw SpillwayException.badInput("--images needs --image-labels");
    }
    return ConvertedSets.images(images, imageLabels, PixelModel.NMNIST, false, new Seeds(seed));
  }
}
