package io.spillway.tensor.cuda;

import io.spillway.platform.SpillwayException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;

/// A shared library whose functions all return a status number.
final class NativeLibrary {
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  static final AddressLayout ADDRESS = ValueLayout.ADDRESS;

  private final SymbolLookup lookup;
  private final String name;

  private NativeLibrary(SymbolLookup lookup, String name) {
    this.lookup = lookup;
    this.name = name;
  }

  /// Opens the first of `names` that the dynamic linker finds.
  ///
  /// **Errors:** none found, as [io.spillway.platform.ErrorCode#NOT_AVAILABLE] with `remedy`.
  static NativeLibrary open(List<String> names, String remedy) {
    for (String name : names) {
      try {
        return new NativeLibrary(SymbolLookup.libraryLookup(name, Arena.global()), name);
      } catch (IllegalArgumentException e) {
        // the next name
      }
    }
    throw SpillwayException.notAvailable(
        "none of %s can be loaded; %s", String.join(", ", names), remedy);
  }

  /// A function `int f(parameters)`.
  MethodHandle function(String symbol, MemoryLayout... parameters) {
    MemorySegment address =
        lookup
            .find(symbol)
            .orElseThrow(() ->
                SpillwayException.notAvailable(
                    "%s has no %s; a newer driver is needed", name, symbol));
    return Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(INT, parameters));
  }

  String name() {
    return name;
  }
}
