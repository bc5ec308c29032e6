/// Pictures of events, spikes and conductances.
@NullMarked
package io.spillway.reservoir.view;

import org.jspecify.annotations.NullMarked;
