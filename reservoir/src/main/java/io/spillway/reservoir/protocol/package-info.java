/// Splits, cross-validation, zero-shot protocols and their confidence intervals.
@NullMarked
package io.spillway.reservoir.protocol;

import org.jspecify.annotations.NullMarked;
