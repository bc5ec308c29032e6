package io.spillway.cli.house;

/// One thing that `doctor` looked at.
///
/// @param subject what, for example `libtorch`
/// @param state whether it will do
/// @param value what was found
/// @param advice how to mend it, empty when nothing is wrong
record Finding(String subject, State state, String value, String advice) {
  /// Whether the subject will do its work.
  enum State {
    OK("ok"),
    NOTE("note"),
    BAD("bad");

    private final String word;

    State(String word) {
      this.word = word;
    }

    String word() {
      return word;
    }
  }

  static Finding ok(String subject, String value) {
    return new Finding(subject, State.OK, value, "");
  }

  static Finding note(String subject, String value, String advice) {
    return new Finding(subject, State.NOTE, value, advice);
  }

  static Finding bad(String subject, String value, String advice) {
    return new Finding(subject, State.BAD, value, advice);
  }
}
