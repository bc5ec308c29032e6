/// Which subgroup is updated where, in which order its copies run, and how long that takes.
@NullMarked
package io.spillway.training.plan;

import org.jspecify.annotations.NullMarked;
