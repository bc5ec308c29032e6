/// Generated long-context tasks: needles, keys and values in filler of high entropy, with decoys
/// and with templates that training never sees.
@NullMarked
package io.spillway.longcontext.tasks;

import org.jspecify.annotations.NullMarked;
