/// The liquid state machine: wiring, sparse event-driven simulation and its dense twin.
@NullMarked
package io.spillway.reservoir.liquid;

import org.jspecify.annotations.NullMarked;
