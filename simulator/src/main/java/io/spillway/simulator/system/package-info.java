/// The system file: cores, predictors, caches, memory and clocks as records bound to YAML.
@NullMarked
package io.spillway.simulator.system;

import org.jspecify.annotations.NullMarked;
