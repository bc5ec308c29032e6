package io.spillway.report;

import io.spillway.platform.Progress;
import io.spillway.platform.Seeds;
import java.util.Map;

/// One system shown on small real input in some seconds, for `./spillway demo`. Every figure is
/// computed while it runs.
public interface Demonstration {
  /// The system's name, for example `planner`.
  String system();

  /// What is done, in one line, for example "plan GPT-3 175B on 16 uneven nodes".
  String task();

  /// Does it and adds its section (plots, tables, pictures) to `page`.
  Outcome run(Seeds seeds, Progress progress, HtmlPage page);

  /// What came out.
  ///
  /// @param answer the result in one line
  /// @param beside what it is to be compared with, in one line
  /// @param figures the numbers by name, for JSON
  record Outcome(String answer, String beside, Map<String, Object> figures) {}
}
