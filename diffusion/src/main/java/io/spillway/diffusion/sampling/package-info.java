/// Samplers: from noise to an image in few steps.
@NullMarked
package io.spillway.diffusion.sampling;

import org.jspecify.annotations.NullMarked;
