/// Pictures of our own: shapes on textures with class labels, and the classifier that judges
/// samples.
@NullMarked
package io.spillway.diffusion.shapes;

import org.jspecify.annotations.NullMarked;
