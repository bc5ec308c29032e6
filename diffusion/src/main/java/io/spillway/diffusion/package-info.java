/// One image on many devices, exchanging only what matters: models, samplers, strategies.
@NullMarked
package io.spillway.diffusion;

import org.jspecify.annotations.NullMarked;
