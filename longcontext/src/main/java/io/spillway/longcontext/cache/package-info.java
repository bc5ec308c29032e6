/// The key-value cache of one sequence, the scores by which entries stay, and the reading of
/// prompts in chunks with eviction.
@NullMarked
package io.spillway.longcontext.cache;

import org.jspecify.annotations.NullMarked;
