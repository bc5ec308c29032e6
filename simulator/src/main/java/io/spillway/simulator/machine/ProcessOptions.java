package io.spillway.simulator.machine;

import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// What a program is started with.
///
/// @param arguments its argument vector, the program's name first
/// @param environment its environment, `NAME=value` each
/// @param root the folder that it sees as `/`; without one it sees no files
/// @param in its standard input
/// @param out its standard output
/// @param err its standard error
/// @param seed for the random bytes that it asks of the system
/// @param stackBytes size of its stack
/// @param cpus how many processors it is told to have
public record ProcessOptions(
    List<String> arguments,
    List<String> environment,
    Optional<Path> root,
    InputStream in,
    OutputStream out,
    OutputStream err,
    long seed,
    long stackBytes,
    int cpus) {
  /// Default stack: 8 MiB, as on Linux.
  public static final long STACK_BYTES = 8L << 20;

  public ProcessOptions {
    arguments = List.copyOf(arguments);
    environment = List.copyOf(environment);
  }

  /// A program with these arguments, the streams of this process, no files and no environment.
  public static ProcessOptions of(String... arguments) {
    return new ProcessOptions(
        List.of(arguments),
        List.of(),
        Optional.empty(),
        InputStream.nullInputStream(),
        System.out,
        System.err,
        1,
        STACK_BYTES,
        4);
  }

  public ProcessOptions withOutput(OutputStream newOut, OutputStream newErr) {
    return new ProcessOptions(
        arguments, environment, root, in, newOut, newErr, seed, stackBytes, cpus);
  }

  public ProcessOptions withInput(InputStream newIn) {
    return new ProcessOptions(
        arguments, environment, root, newIn, out, err, seed, stackBytes, cpus);
  }

  public ProcessOptions withRoot(Path newRoot) {
    return new ProcessOptions(
        arguments, environment, Optional.of(newRoot), in, out, err, seed, stackBytes, cpus);
  }

  public ProcessOptions withEnvironment(List<String> variables) {
    return new ProcessOptions(arguments, variables, root, in, out, err, seed, stackBytes, cpus);
  }
}
