package io.spillway.simulator.machine;

/// The error numbers that calls answer with, negated as Linux does.
final class Errno {
  static final long NOT_PERMITTED = -1;
  static final long NO_ENTRY = -2;
  static final long NO_PROCESS = -3;
  static final long INTERRUPTED = -4;
  static final long IO = -5;
  static final long BAD_DESCRIPTOR = -9;
  static final long NO_CHILD = -10;
  static final long AGAIN = -11;
  static final long NO_MEMORY = -12;
  static final long ACCESS = -13;
  static final long FAULT = -14;
  static final long EXISTS = -17;
  static final long NO_DEVICE = -19;
  static final long NOT_DIRECTORY = -20;
  static final long IS_DIRECTORY = -21;
  static final long INVALID = -22;
  static final long TOO_MANY_FILES = -24;
  static final long NOT_TERMINAL = -25;
  static final long ILLEGAL_SEEK = -29;
  static final long READ_ONLY = -30;
  static final long BROKEN_PIPE = -32;
  static final long RANGE = -34;
  static final long NOT_IMPLEMENTED = -38;
  static final long NOT_EMPTY = -39;
  static final long LOOP = -40;
  static final long NOT_SUPPORTED = -95;
  static final long TIMED_OUT = -110;

  private Errno() {}
}
