/// Training of our own small models.
@NullMarked
package io.spillway.diffusion.training;

import org.jspecify.annotations.NullMarked;
