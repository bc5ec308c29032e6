/// Strategies that split one image among ranks, and the exchange between them.
@NullMarked
package io.spillway.diffusion.parallel;

import org.jspecify.annotations.NullMarked;
