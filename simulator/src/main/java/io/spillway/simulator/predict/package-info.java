/// Branch predictors with speculative history and repair.
@NullMarked
package io.spillway.simulator.predict;

import org.jspecify.annotations.NullMarked;
