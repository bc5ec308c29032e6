/// The fast engine: hot regions of the program are translated to bytecode, which HotSpot compiles.
@NullMarked
package io.spillway.simulator.functional;

import org.jspecify.annotations.NullMarked;
