/// The pipeline's schedule played event by event.
@NullMarked
package io.spillway.planner.simulate;

import org.jspecify.annotations.NullMarked;
