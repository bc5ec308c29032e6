/// Many independent points, run in parallel, kept as they finish, resumed after a stop.
@NullMarked
package io.spillway.sweep;

import org.jspecify.annotations.NullMarked;
