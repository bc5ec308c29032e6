/// Resistive memory: conductances, noise, converters, wires and the presets users know.
@NullMarked
package io.spillway.reservoir.crossbar;

import org.jspecify.annotations.NullMarked;
