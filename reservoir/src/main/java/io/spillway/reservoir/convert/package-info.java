/// Turns images and sound into events the way sensors do.
@NullMarked
package io.spillway.reservoir.convert;

import org.jspecify.annotations.NullMarked;
