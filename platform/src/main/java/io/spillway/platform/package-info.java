/// What every system of Spillway stands on: hardware, links, model shapes, units, seeds, errors,
/// progress and run records. Plain Java; it knows no tensor.
@NullMarked
package io.spillway.platform;

import org.jspecify.annotations.NullMarked;
