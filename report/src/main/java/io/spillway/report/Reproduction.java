package io.spillway.report;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import java.nio.file.Path;
import java.util.List;

/// The headline claims of one system's paper, each measured when it is asked for, for `./spillway
/// reproduce`.
public interface Reproduction {
  /// The system's name, for example `planner`.
  String system();

  /// The paper, in one line.
  String paper();

  /// The claims, at least three.
  List<Claim> claims();

  /// How much work a measurement may take.
  enum Effort {
    /// Seconds to a minute a claim.
    QUICK,
    /// As many samples as the results pages have.
    FULL
  }

  /// What every measurement is given.
  ///
  /// @param data the folder of published measurements and recordings, which may be absent
  record Setting(Effort effort, Seeds seeds, Progress progress, Path data) {
    /// One of two numbers by effort.
    public int choose(int quick, int full) {
      return switch (effort) {
        case QUICK -> quick;
        case FULL -> full;
      };
    }
  }
}
