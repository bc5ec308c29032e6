package io.spillway.server.images;

import io.spillway.diffusion.parallel.Job;
import io.spillway.platform.SpillwayException;
import io.spillway.server.http.Listening;

/// How the image service runs.
///
/// @param job how images are made where a request does not say
/// @param ranks threads of this process that share an image
/// @param queued requests that wait; more are refused with 429
/// @param mostImages images of one request
/// @param largestSize rows and columns in pixels
/// @param seed from which seeds come where a request does not say
public record ImageServerSettings(
    Listening listening,
    Job job,
    int ranks,
    int queued,
    int mostImages,
    int largestSize,
    long seed) {
  public ImageServerSettings {
    if (ranks < 1 || queued < 1 || mostImages < 1 || largestSize < 1) {
      throw SpillwayException.badInput(
          "ranks %d, queue %d, images %d and size %d must each be at least 1",
          ranks, queued, mostImages, largestSize);
    }
  }
}
