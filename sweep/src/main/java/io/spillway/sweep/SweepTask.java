package io.spillway.sweep;

import java.io.Serializable;

/// What is done at every point. Serialisable, so that an executor may send it to another machine.
@FunctionalInterface
public interface SweepTask extends Serializable {
  /// Runs one point and answers with its result as one JSON value.
  String run(SweepPoint point) throws Exception;
}
