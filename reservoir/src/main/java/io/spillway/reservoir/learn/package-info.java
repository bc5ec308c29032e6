/// Readouts and projections trained on spike counts, and trained baselines.
@NullMarked
package io.spillway.reservoir.learn;

import org.jspecify.annotations.NullMarked;
