/// Learning from events on resistive memory: recordings in, a random reservoir, light readouts.
@NullMarked
package io.spillway.reservoir;

import org.jspecify.annotations.NullMarked;
