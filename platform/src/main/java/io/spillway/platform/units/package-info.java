/// Quantities with units as types, so that bytes are never added to seconds.
@NullMarked
package io.spillway.platform.units;

import org.jspecify.annotations.NullMarked;
