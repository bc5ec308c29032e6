/// RISC-V programs on simulated cores: [io.spillway.simulator.isa] describes instructions,
/// [io.spillway.simulator.machine] executes them one at a time and
/// `io.spillway.simulator.functional` executes them fast.
@NullMarked
package io.spillway.simulator;

import org.jspecify.annotations.NullMarked;
