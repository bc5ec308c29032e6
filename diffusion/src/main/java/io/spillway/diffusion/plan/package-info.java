/// Predicts latency and bytes for more devices than are at hand.
@NullMarked
package io.spillway.diffusion.plan;

import org.jspecify.annotations.NullMarked;
