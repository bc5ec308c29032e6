package io.spillway.training.plan;

import io.spillway.platform.SpillwayException;

/// How the tasks of an update are bound together.
///
/// @param deviceSlots buffers on the device for streamed state: 2 is double, 3 triple buffering
/// @param hostSlots buffers on the host for state that lives on disk
/// @param stateOnDisk whether host-side state lives in files
/// @param needsNorm whether the norm of the whole gradient is taken before any update
/// @param eager whether a subgroup is updated as soon as its own gradient is there, during the
///   backward pass; sound only without clipping and loss scaling
public record GraphOptions(
    int deviceSlots, int hostSlots, boolean stateOnDisk, boolean needsNorm, boolean eager) {
  public GraphOptions {
    if (deviceSlots < 1 || hostSlots < 1) {
      throw SpillwayException.badInput(
          "%d device buffers and %d host buffers, at least 1 of each", deviceSlots, hostSlots);
    }
    if (eager && needsNorm) {
      throw SpillwayException.badInput(
          "an update during the backward pass cannot know the gradient's norm; switch clipping and"
              + " loss scaling off or the eager update");
    }
  }

  /// Triple buffers on the device, state in host memory.
  public static GraphOptions usual(boolean needsNorm) {
    return new GraphOptions(3, 3, false, needsNorm, false);
  }
}
