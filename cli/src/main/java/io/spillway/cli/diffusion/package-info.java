/// Commands that make images on many devices.
@NullMarked
package io.spillway.cli.diffusion;

import org.jspecify.annotations.NullMarked;
