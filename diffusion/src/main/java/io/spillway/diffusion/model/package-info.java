/// Diffusion models under their diffusers names, written so that a layer may cooperate with other
/// ranks.
@NullMarked
package io.spillway.diffusion.model;

import org.jspecify.annotations.NullMarked;
