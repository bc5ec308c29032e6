package io.spillway.training.run;

import java.util.List;
import java.util.Objects;

/// What a checkpoint says beside weights and optimizer state; `state.json` of its folder.
///
/// @param format version of this layout
/// @param step optimizer steps that were taken, skipped ones among them
/// @param updates optimizer steps that were applied
/// @param sequences sequences that were consumed
/// @param lossScale the current loss scale
/// @param goodSteps steps since the loss scale last changed
/// @param seed the run's seed
/// @param parameters all parameters
/// @param ranks processes that wrote shards
/// @param files every file of the folder with size and checksum
public record TrainState(
    int format,
    long step,
    long updates,
    long sequences,
    double lossScale,
    int goodSteps,
    long seed,
    long parameters,
    int ranks,
    List<FileSum> files) {
  /// The format written by this version.
  public static final int FORMAT = 1;

  /// One file.
  ///
  /// @param crc32c checksum in hexadecimal digits
  public record FileSum(String name, long bytes, String crc32c) {}

  public TrainState {
    // a foreign file has none; its format tells it apart
    files = List.copyOf(Objects.requireNonNullElse(files, List.of()));
  }

  /// The same with other files.
  public TrainState with(int ranks, List<FileSum> files) {
    return new TrainState(
        format, step, updates, sequences, lossScale, goodSteps, seed, parameters, ranks, files);
  }
}
