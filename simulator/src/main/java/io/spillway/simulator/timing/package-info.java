/// In-order and out-of-order cores that give every retired instruction its cycle.
@NullMarked
package io.spillway.simulator.timing;

import org.jspecify.annotations.NullMarked;
