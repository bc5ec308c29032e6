package io.spillway.longcontext.own;

import io.spillway.platform.SpillwayException;
import java.nio.file.Path;
import java.util.Optional;

/// Trained weights that a training goes on from: those of a model, or weights between two models of
/// which one was trained on from the other. What the second forgot of the first is in part there
/// again between them, and what it learned in part already.
///
/// **Source:** weight-space ensembles, Wortsman et al. 2022 (arXiv 2109.01903).
///
/// @param from folder of a model of ours
/// @param toward folder of another one of the same shape
/// @param share of the way to that one, 0 to 1
public record Start(Path from, Optional<Path> toward, double share) {
  public Start {
    if (!(share >= 0 && share <= 1)) {
      throw SpillwayException.badInput("share %s of the way must be from 0 to 1", share);
    }
  }

  public static Start at(Path from) {
    return new Start(from, Optional.empty(), 0);
  }
}
