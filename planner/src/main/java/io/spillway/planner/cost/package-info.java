/// Seconds of arithmetic and of communication for each piece of a job.
@NullMarked
package io.spillway.planner.cost;

import org.jspecify.annotations.NullMarked;
