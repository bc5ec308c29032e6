/// From latents to pixels.
@NullMarked
package io.spillway.diffusion.latent;

import org.jspecify.annotations.NullMarked;
