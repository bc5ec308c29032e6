/// Energy and training cost with the accounting spelled out.
@NullMarked
package io.spillway.reservoir.energy;

import org.jspecify.annotations.NullMarked;
