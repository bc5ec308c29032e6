/// The command line: one class a command, each answering with a table for people or JSON for
/// programs.
@NullMarked
package io.spillway.cli;

import org.jspecify.annotations.NullMarked;
