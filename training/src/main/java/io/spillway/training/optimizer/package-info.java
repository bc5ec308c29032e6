/// The optimizer whose state lies in several tiers, and the plain one that it must equal.
@NullMarked
package io.spillway.training.optimizer;

import org.jspecify.annotations.NullMarked;
