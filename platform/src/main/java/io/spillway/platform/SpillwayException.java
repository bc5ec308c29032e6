package io.spillway.platform;

import java.nio.file.Path;

/// A failure that a person can act on: one line that names the value, the bound and the fix.
///
/// **Errors:** thrown before work starts wherever the input allows it; its [ErrorCode] decides the
/// exit status of the command.
public final class SpillwayException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  public SpillwayException(ErrorCode code, String message) {
    super(oneLine(message));
    this.code = code;
  }

  public SpillwayException(ErrorCode code, String message, Throwable cause) {
    super(oneLine(message), cause);
    this.code = code;
  }

  /// Values that are shown come from files and requests, which may hold line ends.
  private static String oneLine(String message) {
    return message.replaceAll("\\s*\\R\\s*", " ");
  }

  /// Malformed input; the message is a format string that names value, bound and fix.
  public static SpillwayException badInput(String format, Object... arguments) {
    return new SpillwayException(ErrorCode.BAD_INPUT, String.format(format, arguments));
  }

  /// Malformed content of a file.
  ///
  /// @param where the file, and if known the line, column or byte offset as `:line:column`
  public static SpillwayException badFile(Path file, String where, String format, Object... args) {
    return new SpillwayException(
        ErrorCode.BAD_INPUT, file + where + ": " + String.format(format, args));
  }

  /// A named file that is missing or unreadable.
  public static SpillwayException notFound(String format, Object... arguments) {
    return new SpillwayException(ErrorCode.NOT_FOUND, String.format(format, arguments));
  }

  /// A sound request that exceeds what is there.
  public static SpillwayException doesNotFit(String format, Object... arguments) {
    return new SpillwayException(ErrorCode.DOES_NOT_FIT, String.format(format, arguments));
  }

  /// Something this machine lacks.
  public static SpillwayException notAvailable(String format, Object... arguments) {
    return new SpillwayException(ErrorCode.NOT_AVAILABLE, String.format(format, arguments));
  }

  /// The one line; never null, unlike other exceptions' messages.
  @Override
  public String getMessage() {
    return java.util.Objects.requireNonNull(super.getMessage());
  }

  public ErrorCode code() {
    return code;
  }
}
