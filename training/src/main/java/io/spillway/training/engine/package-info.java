/// Streams of work that run at once: lanes with events, memory tiers, and the simulated device.
@NullMarked
package io.spillway.training.engine;

import org.jspecify.annotations.NullMarked;
