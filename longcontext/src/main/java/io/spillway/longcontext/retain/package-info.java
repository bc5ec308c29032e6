/// Retaining heads: the small networks that say how much each cache entry will matter, their
/// training and their files.
@NullMarked
package io.spillway.longcontext.retain;

import org.jspecify.annotations.NullMarked;
