/// Predictions beside measurements.
@NullMarked
package io.spillway.planner.validate;

import org.jspecify.annotations.NullMarked;
