/// Event recordings and their file formats, read as streams in bounded memory.
@NullMarked
package io.spillway.reservoir.events;

import org.jspecify.annotations.NullMarked;
