/// Which accelerator takes which rank.
@NullMarked
package io.spillway.planner.place;

import org.jspecify.annotations.NullMarked;
