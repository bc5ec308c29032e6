/// Training past GPU memory: each part of the optimizer's state is updated where the model of
/// performance says, and moved while the device computes; the weights are those of plain Adam.
@NullMarked
package io.spillway.training;

import org.jspecify.annotations.NullMarked;
