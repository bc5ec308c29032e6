/// Bytes that each device needs, and the correction learned from measurements.
@NullMarked
package io.spillway.planner.memory;

import org.jspecify.annotations.NullMarked;
