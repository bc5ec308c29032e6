/// Fast arithmetic on off-heap memory with the Vector API, each kernel beside a scalar twin that
/// anyone can read and that gives the same bits.
@NullMarked
package io.spillway.kernels;

import org.jspecify.annotations.NullMarked;
