/// Choosing tokens one after the other, with the figures that people ask for.
@NullMarked
package io.spillway.longcontext.generate;

import org.jspecify.annotations.NullMarked;
