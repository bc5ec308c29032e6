/// Accuracy of every policy at every budget on generated tasks.
@NullMarked
package io.spillway.longcontext.eval;

import org.jspecify.annotations.NullMarked;
