/// Commands of the reservoir: encode, train, eval, convert, inspect, energy.
@NullMarked
package io.spillway.cli.reservoir;

import org.jspecify.annotations.NullMarked;
